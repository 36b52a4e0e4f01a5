"""Cargo's side of a repository, from its manifests alone: cargo need not be installed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from attune_dev.errors import ConfigError
from attune_dev.loading.cargo_config import overrides_of
from attune_dev.loading.cargo_dependencies import (
    Dependency,
    check_cycles,
    dependencies_of,
    no_workspace,
)
from attune_dev.loading.cargo_lock import read_lock
from attune_dev.loading.cargo_manifests import (
    Manifest,
    Manifests,
    ancestors,
    find_manifests,
    in_folder,
)
from attune_dev.loading.cargo_members import listed_members, members_of, workspace_root_of
from attune_dev.loading.cargo_patches import apply_patches
from attune_dev.loading.cargo_targets import targets_of
from attune_dev.model.cargo import (
    CargoModel,
    CargoWorkspace,
    DependencyKind,
    Package,
    PathDependency,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_CONFIG_FILES = ("rust-toolchain", "rust-toolchain.toml", ".cargo/config", ".cargo/config.toml")
_RESOLVER_OF_EDITION = {"2015": "1", "2018": "1", "2021": "2"}
_NEWEST_RESOLVER = "3"


@dataclass(slots=True)
class _Loader:
    """What one call of ``load_cargo`` has found so far."""

    manifests: Manifests
    problems: list[ConfigError] | None
    met: frozenset[str]
    packages: dict[str, Package] = field(default_factory=dict)
    edges: dict[str, list[Dependency]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    roots: dict[str, Manifest] = field(default_factory=dict)
    overrides: dict[str, dict[str, Dependency]] = field(default_factory=dict)


def load_cargo(root: Path, *, problems: list[ConfigError] | None = None) -> CargoModel:
    """All workspaces and all packages outside of any in a repository.

    Args:
        root: the repository root.
        problems: takes the errors of manifests that nothing refers to: no workspace lists them,
            no package depends on them by path, no other manifest lies below them. Without it
            they are raised like all others.

    Raises:
        ConfigError: a manifest or lock file is broken; a member or path dependency is missing or
            outside the repository; path dependencies form a cycle.
    """
    folders = find_manifests(os.fspath(root))
    loader = _Loader(Manifests(os.fspath(root)), problems, frozenset(folders))
    scanned = [found for folder in folders if (found := _scanned(loader, folder, folders))]
    for manifest in scanned:
        if manifest.is_root:
            _add_workspace(loader, manifest)
    for manifest in scanned:
        if manifest.is_package and manifest.folder not in loader.packages:
            _add_stray(loader, manifest)
    _add_referred(loader)
    check_cycles(loader.manifests, loader.edges)
    workspaces = {folder: _workspace(loader, folder) for folder in sorted(loader.members)}
    patches = {
        folder: {name: _link(loader, found) for name, found in overrides.items()}
        for folder, overrides in loader.overrides.items()
    }
    return CargoModel(apply_patches(workspaces, patches), loader.manifests.parsed())


def _scanned(loader: _Loader, folder: str, folders: list[str]) -> Manifest | None:
    try:
        return loader.manifests.find(folder)
    except ConfigError as error:
        # One that others lie below may be the root of their workspace.
        if loader.problems is None or any(folder in ancestors(other) for other in folders):
            raise
        loader.problems.append(error)
        return None


def _add_workspace(loader: _Loader, root: Manifest) -> None:
    members = members_of(loader.manifests, root)
    for manifest in members.values():
        _add_package(loader, manifest, root, workspace=root.folder)
    _add_root(loader, root, list(members))


def _add_stray(loader: _Loader, manifest: Manifest) -> None:
    try:
        _add_alone(loader, manifest)
    except ConfigError as error:
        if loader.problems is None:
            raise
        loader.problems.append(error)


def _add_alone(loader: _Loader, manifest: Manifest) -> None:
    """A package that no workspace has as a member: it has its own lock file."""
    above = workspace_root_of(loader.manifests, manifest)
    _add_package(loader, manifest, above, workspace=manifest.folder)
    _add_root(loader, manifest, [manifest.folder])


def _add_root(loader: _Loader, root: Manifest, members: list[str]) -> None:
    loader.roots[root.folder] = root
    loader.members[root.folder] = members
    loader.overrides[root.folder] = overrides_of(loader.manifests, root)


def _add_referred(loader: _Loader) -> None:
    """Path dependencies and patches that the search for manifests did not meet."""
    todo = [found for edges in loader.edges.values() for found in edges]
    todo += [found for each in loader.overrides.values() for found in each.values()]
    while todo:
        dependency = todo.pop()
        if dependency.folder is None or dependency.folder in loader.packages:
            continue
        manifest = loader.manifests.find(dependency.folder)
        if manifest is None or not manifest.is_package:
            where = in_folder(dependency.folder, "Cargo.toml")
            raise dependency.error(
                f"the path dependency `{dependency.key}` does not exist",
                why=f"There is no package in {where}." if manifest else f"There is no {where}.",
            )
        _add_alone(loader, manifest)
        todo += loader.edges[manifest.folder]


def _add_package(
    loader: _Loader, manifest: Manifest, root: Manifest | None, *, workspace: str
) -> None:
    dependencies = dependencies_of(manifest, root)
    inherited = _inherited_keys(manifest)
    if inherited and root is None:
        raise no_workspace(manifest, min(inherited))
    edition = _package_value(manifest, root, "edition") or "2015"
    leaking = _resolver(root or manifest) <= "1"
    loader.packages[manifest.folder] = Package(
        name=manifest.name,
        version=_package_value(manifest, root, "version"),
        root=manifest.folder,
        workspace=workspace,
        targets=targets_of(loader.manifests.root, manifest, edition),
        registry_dependencies=tuple(
            sorted({(found.name, found.kind) for found in dependencies if found.folder is None})
        ),
        inherits=frozenset(
            found.key
            for found in dependencies
            if found.inherited and (found.kind is not DependencyKind.DEV or leaking)
        ),
        inherits_package=inherited,
    )
    edges = [found for found in dependencies if found.folder is not None]
    # The search for manifests follows no link, so what it met is where it seems to be.
    met = manifest.folder in loader.met
    files = None if met else loader.manifests.linked_to(manifest.folder)
    if files is not None:
        edges.append(
            Dependency(manifest.name, manifest.name, DependencyKind.NORMAL, manifest, files)
        )
    loader.edges[manifest.folder] = edges


def _package_value(manifest: Manifest, root: Manifest | None, key: str) -> str:
    value: Any = manifest.package.get(key, "")
    if isinstance(value, dict):
        value = root.file.table("workspace", "package").get(key, "") if root else ""
    return str(value)


def _inherited_keys(manifest: Manifest) -> frozenset[str]:
    tables = {**manifest.package, "lints": manifest.file.table("lints")}
    return frozenset(
        key
        for key, value in tables.items()
        if isinstance(value, dict) and value.get("workspace") is True
    )


def _workspace(loader: _Loader, folder: str) -> CargoWorkspace:
    root = loader.roots[folder]
    packages = {member: _linked(loader, member) for member in loader.members[folder]}
    return CargoWorkspace(
        root=folder,
        packages=packages,
        lock=read_lock(loader.manifests.root, in_folder(folder, "Cargo.lock")),
        config_files=tuple(
            in_folder(above, name)
            for above in (folder, *ancestors(folder))
            for name in _CONFIG_FILES
        ),
        default_members=_default_members(loader, root, packages),
        resolver=_resolver(root),
    )


def _linked(loader: _Loader, folder: str) -> Package:
    links = {_link(loader, found) for found in loader.edges[folder]}
    return replace(loader.packages[folder], path_dependencies=tuple(sorted(links)))


def _link(loader: _Loader, found: Dependency) -> PathDependency:
    folder = found.folder or ""
    return PathDependency(folder, loader.packages[folder].name, found.kind)


def _default_members(loader: _Loader, root: Manifest, packages: Iterable[str]) -> tuple[str, ...]:
    if root.is_root and "default-members" in root.workspace:
        listed = listed_members(loader.manifests, root, "default-members")
        return tuple(sorted({found.folder for found in listed}))
    return (root.folder,) if root.is_package else tuple(packages)


def _resolver(root: Manifest) -> str:
    stated = root.workspace.get("resolver") if root.is_root else None
    if root.is_package:
        stated = stated or root.package.get("resolver")
        edition = _package_value(root, root, "edition") or "2015"
        return str(stated or _RESOLVER_OF_EDITION.get(edition, _NEWEST_RESOLVER))
    return str(stated or "1")
