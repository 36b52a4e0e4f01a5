"""Reads the Compose project of a repository through ``docker compose config``; needs no engine."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attune_dev.docker import process
from attune_dev.docker.plugins import compose_command
from attune_dev.errors import ConfigError, EnvironmentLacksError
from attune_dev.loading.compose_errors import (
    compose_error,
    locate,
    plugin_missing,
    relative,
    warnings_of,
)
from attune_dev.loading.compose_files import find_sources
from attune_dev.loading.compose_json import compose_from_json
from attune_dev.loading.compose_override import KEY, overrides_of
from attune_dev.loading.compose_place import Place
from attune_dev.loading.safe_yaml import load_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attune_dev.loading.compose_files import ComposeSources
    from attune_dev.model.compose import ComposeProject

TIMEOUT_SECONDS = 30.0


class Runner(Protocol):
    """How a program is run; :func:`attune_dev.docker.process.run` is one."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        check: bool = True,
    ) -> process.Completed:
        """Runs a program to its end."""


def load_compose(
    root: Path,
    *,
    files: Sequence[str] | None = None,
    project_name: str | None = None,
    profiles: Sequence[str] = ("*",),
    environ: Mapping[str, str] | None = None,
    runner: Runner = process.run,
) -> ComposeProject:
    """Reads the Compose project of a repository.

    Args:
        root: repository root, where the Compose file is.
        files: Compose files relative to the root; ``None`` for Compose's own search.
        project_name: overrides the name that Compose derives.
        profiles: profiles that are on; ``*`` for all.
        environ: the environment; ours where it is ``None``.
        runner: runs the Compose command.

    Raises:
        ConfigError: a Compose file is missing, invalid or too much to parse.
        EnvironmentLacksError: the docker client or the Compose plugin is missing.
    """
    root = Path(os.path.abspath(root))  # noqa: PTH100 - links in it stay as given
    environ = os.environ if environ is None else environ
    sources = find_sources(root, files, environ)
    options = [("--file", file) for file in files or ()]
    options += [("--project-name", project_name)] if project_name else []
    options += [("--profile", profile) for profile in profiles]
    config = _Config(root, [w for pair in options for w in pair], environ, sources, runner)
    said = any(KEY in text for text in sources.texts.values())
    with ThreadPoolExecutor(max_workers=1) as beside:
        # its JSON leaves out the extensions of services
        extended = beside.submit(config.yaml) if said else None
        data, text, warnings = config.json()
    place = Place(root)
    read = {place.path(path) for path in sources.all_files()}
    project = compose_from_json(
        data,
        root,
        sorted(read),
        overrides=overrides_of(extended.result(), root, sources) if extended else {},
        said_at=lambda *path: _said_at(path, root, sources),
        candidates=sorted({place.path(path) for path in sources.candidates} - read),
        warnings=warnings,
    )
    return replace(project, resolved=text)


def _said_at(path: Sequence[str], root: Path, sources: ComposeSources) -> tuple[str, int | None]:
    file, line = locate(list(path), sources)
    return relative(file, root), line


class _Config:
    """Calls ``docker compose config`` for one project."""

    def __init__(
        self,
        root: Path,
        options: list[str],
        environ: Mapping[str, str],
        sources: ComposeSources,
        runner: Runner,
    ) -> None:
        self._root = root
        self._options = options
        self._environ = environ
        self._sources = sources
        self._runner = runner

    def json(self) -> tuple[dict[str, Any], str, tuple[str, ...]]:
        """The resolved project, its text, and what Compose warned of."""
        done = self._run("--format", "json")
        try:
            data = json.loads(_meant(done.stdout))
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise EnvironmentLacksError(
                "`docker compose config` printed no JSON", hint="./inv setup"
            )
        return data, done.stdout, warnings_of(done.stderr)

    def yaml(self) -> Any:
        """The same with the extensions of services."""
        said = _meant(self._run("--format", "yaml").stdout)
        return load_yaml(said, file="docker compose config")

    def _run(self, *words: str) -> process.Completed:
        base = compose_command(self._environ)
        argv = [*base, *self._options, "config", *words]
        try:
            done = self._runner(
                argv, cwd=self._root, env=self._environ, timeout=TIMEOUT_SECONDS, check=False
            )
        except EnvironmentLacksError as problem:
            if "did not finish" in problem.what:
                raise ConfigError(
                    f"`docker compose config` did not finish within {TIMEOUT_SECONDS:.0f} s",
                    hint="run it by hand to see what it waits for",
                ) from None
            raise plugin_missing() from None
        if not done.ok:
            raise compose_error(done.stderr or done.stdout, self._root, self._sources)
        return done


def _meant(printed: str) -> str:
    """What Compose printed, without the second dollar by which it can be read in again."""
    return printed.replace("$$", "$")
