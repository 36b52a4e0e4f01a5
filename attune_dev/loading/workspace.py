"""Reads a repository into the one value that planning works on."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from attune_dev.errors import ConfigError
from attune_dev.loading.cargo import load_cargo
from attune_dev.loading.compose import load_compose
from attune_dev.loading.dep_info import read_dep_info
from attune_dev.loading.images import ImageLoader
from attune_dev.loading.includes import load_includes
from attune_dev.loading.packs import load_packs
from attune_dev.loading.safe_yaml import read_bounded
from attune_dev.loading.tree import look_over
from attune_dev.model.cargo import CargoModel
from attune_dev.model.compose import ComposeProject, Override
from attune_dev.model.workspace import Workspace
from attune_dev.settings import Settings

T = TypeVar("T")

_IGNORE_LIMIT = 1024 * 1024
_MANIFEST_LIMIT = 1024 * 1024
_SAMPLE_FOLDERS = frozenset(
    {"tests", "test", "testdata", "fixtures", "examples", "benches", "docs", "vendor"}
)


def load_workspace(
    root: Path,
    settings: Settings,
    *,
    compose: ComposeProject | None = None,
    environ: Mapping[str, str] | None = None,
    tolerate: list[ConfigError] | None = None,
) -> Workspace:
    """Reads Cargo's manifests, the Compose files, the Dockerfiles, the packs and ignore files.

    What is not there is empty: a repository needs a Compose file and nothing else.

    Args:
        root: repository root.
        settings: of the repository.
        compose: its services, where they are known already; all profiles.
        environ: the environment for Compose's interpolation; ours where it is ``None``.
        tolerate: takes problems of files that only concern a part (a manifest that nothing
            refers to); without it they count like all others.

    Raises:
        ConfigError: something cannot be understood; the first problem, and the others in its
            reason.
        EnvironmentLacksError: the Compose plugin is missing.
    """
    problems: list[ConfigError] = []
    broken: list[ConfigError] = []
    stray: list[ConfigError] = []
    with ThreadPoolExecutor(max_workers=1) as beside:
        # Compose is another program: what it takes, everything else takes no less.
        asked = None if compose else beside.submit(load_compose, root, environ=environ)
        cargo = _try(problems, lambda: load_cargo(root, problems=stray))
        tree = look_over(root)
        if asked is not None:
            compose = _try(problems, asked.result)
    broken += [problem for problem in stray if not _is_sample(problem.file or "")]
    if compose is None or cargo is None:
        raise _joined([*problems, *broken])
    folders, bound = load_packs(root, compose, cargo, named=settings.packs)
    images = ImageLoader(root, problems)
    images.load_services(compose)
    images.load_pack_binaries(tree.dockerfiles, cargo, folders)
    if tolerate is None:
        problems[:0] = broken
    else:
        tolerate += broken
    if problems:
        raise _joined(problems)
    packages = cargo.packages()
    return Workspace(
        cargo=cargo,
        compose=compose,
        images=images.found.services,
        packs_folders=folders,
        bound_packs=bound,
        pack_binary_images=images.found.pack_binaries,
        dep_info=read_dep_info(root, cargo),
        includes=load_includes(root, packages),
        compile_lines=images.found.compile_lines,
        ignore_files=images.found.ignore_files,
        git_ignore=_git_ignore(root, tree.git_ignores),
        manifests=_manifests(root, cargo),
        provenance=_provenance(settings, compose),
    )


def _is_sample(path: str) -> bool:
    """Whether a manifest that nothing refers to is there to be read by tests or people."""
    return not _SAMPLE_FOLDERS.isdisjoint(path.split("/")[:-1])


def _try(problems: list[ConfigError], load: Callable[[], T]) -> T | None:
    try:
        return load()
    except ConfigError as problem:
        problems.append(problem)
        return None


def _joined(problems: Sequence[ConfigError]) -> ConfigError:
    """The first problem with the others in its reason, so that none comes as a surprise."""
    first, *others = {(p.where, p.what): p for p in problems}.values()
    told = [f"also {other.where or 'elsewhere'}: {other.what}" for other in others[:9]]
    why = "\n".join(part for part in (first.why, *told) if part)
    return ConfigError(first.what, why=why, hint=first.hint, file=first.file, line=first.line)


def _git_ignore(root: Path, files: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for path in (*files, ".git/info/exclude"):
        folder = "" if path.startswith(".git/") else path.rpartition("/")[0]
        try:
            text = read_bounded(root / path, name=path, limit=_IGNORE_LIMIT)
        except (OSError, ConfigError):  # git itself reads on past such a file
            continue
        found[folder] = (*found.get(folder, ()), *text.splitlines())
    return found


def _manifests(root: Path, cargo: CargoModel) -> dict[str, Mapping[str, Any]]:
    paths = {workspace.manifest for workspace in cargo.workspaces.values()}
    paths |= {package.manifest for package in cargo.packages().values()}
    found: dict[str, Mapping[str, Any]] = {}
    for path in sorted(paths):
        try:
            text = read_bounded(root / path, name=path, limit=_MANIFEST_LIMIT)
            found[path] = tomllib.loads(text)
        except (OSError, ConfigError, tomllib.TOMLDecodeError):
            # A newer TOML that cargo's loader understands: its changes then concern all of it.
            continue
    return found


def _provenance(settings: Settings, compose: ComposeProject) -> dict[str, str]:
    """Where each setting came from: defaults, files, variables, ``x-attune-dev`` on services."""
    found = dict(settings.provenance)
    for name, service in compose.services.items():
        said = service.override
        for setting in fields(Override):
            if setting.name != "place" and getattr(said, setting.name) != setting.default:
                found[f"{name}.{setting.name.replace('_', '-')}"] = f"x-attune-dev, {said.place}"
    return found


def active_services(compose: ComposeProject, profiles: Sequence[str] = ()) -> frozenset[str]:
    """The services that run with these Compose profiles; ``*`` stands for all profiles.

    Args:
        compose: all services.
        profiles: profiles that are on.
    """
    environment = os.environ.get("COMPOSE_PROFILES", "").split(",")
    chosen = {name.strip() for name in (*profiles, *environment)} - {""}
    return frozenset(
        name
        for name, service in compose.services.items()
        if not service.profiles or "*" in chosen or chosen.intersection(service.profiles)
    )
