"""The composition root: from a folder to everything that the tasks work with."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError, UsageError
from attune_dev.settings import Settings, load_settings

if TYPE_CHECKING:
    from attune_dev.docker.port import DockerPort
    from attune_dev.model.compose import ComposeProject
    from attune_dev.model.workspace import Workspace

COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
ORPHANS_HELP = "remove containers of services that the Compose file no longer defines"


def find_root(start: Path | None = None) -> Path:
    """The repository: ``$ATTUNE_DEV_ROOT``, or the nearest folder upward with a Compose file.

    Raises:
        ConfigError: there is none.
    """
    if given := os.environ.get("ATTUNE_DEV_ROOT"):
        return Path(given).resolve()
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in COMPOSE_FILES):
            return folder
    raise ConfigError(
        "no Compose file here or in any folder above",
        why=f"looked for {', '.join(COMPOSE_FILES)} from {start} upward",
        hint="go into the repository, or set ATTUNE_DEV_ROOT",
    )


def say(line: str) -> None:
    """Tells one line on standard error, which ``--json`` leaves free for people."""
    print(line, file=sys.stderr, flush=True)


def require_setup(root: Path) -> None:
    """Has what the tasks need, telling what it does where something is missing.

    Raises:
        EnvironmentLacksError: it cannot be had without the user.
    """
    from attune_dev.setup.ensure import ensure, ready

    if not ready(root):
        ensure(root, say)


@dataclass
class Project:
    """One repository and what is derived from it, each thing when it is first needed.

    Attributes:
        root: the repository.
        profiles: Compose profiles that are on, beside those of the settings and the environment.
        mended: is told path and content of a lock file right before a build writes it.
    """

    root: Path = field(default_factory=find_root)
    profiles: tuple[str, ...] = ()
    mended: Callable[[str, bytes], None] = lambda *_: None

    @classmethod
    def ready(cls, profiles: tuple[str, ...] = ()) -> Project:
        """The repository, on a machine that has what the tasks need.

        Set-up comes before anything is read: it provides what reads the Compose file, and writes
        the names of the base images into ``.env``.

        Raises:
            EnvironmentLacksError: it cannot be had without the user.
        """
        root = find_root()
        require_setup(root)
        return cls(root, profiles)

    @cached_property
    def settings(self) -> Settings:
        """What is set, and where."""
        return load_settings(self.root)

    @cached_property
    def workspace(self) -> Workspace:
        """What the files say."""
        return self.load()

    def load(self, compose: ComposeProject | None = None) -> Workspace:
        """Reads the files anew, without Compose's where its model is given."""
        from attune_dev.loading.workspace import load_workspace

        return load_workspace(self.root, self.settings, compose=compose)

    def adopt(self, workspace: Workspace) -> None:
        """Goes on with a workspace that was read anew."""
        self.__dict__["workspace"] = workspace
        self.__dict__.pop("port", None)

    @property
    def compose(self) -> ComposeProject:
        """The services."""
        return self.workspace.compose

    @cached_property
    def port(self) -> DockerPort:
        """The engine."""
        from attune_dev.docker.whales import WhalesDocker

        return WhalesDocker(self.root, self.compose)

    def active(self) -> tuple[str, ...]:
        """Services that are on with the present profiles, sorted."""
        from attune_dev.loading.workspace import active_services

        return tuple(
            sorted(active_services(self.compose, (*self.profiles, *self.settings.profiles)))
        )

    def services(self, names: Sequence[str]) -> tuple[str, ...]:
        """The named services, checked; all that are active where none is named.

        Raises:
            UsageError: one does not exist; tells the near matches.
        """
        if not names:
            return self.active()
        return tuple(sorted(set(check_names("service", split_names(names), self.compose.services))))

    def packs(self) -> tuple[str, ...]:
        """Folder names of the packs that fill a volume, sorted."""
        folders = self.workspace.packs_folders
        return tuple(sorted({name for folder in folders for name in folder.packs}))

    def pack_binaries(self) -> tuple[str, ...]:
        """Names of the pack binaries that a package of the repository compiles, sorted."""
        from attune_dev.planning.graph import find_pack_binaries

        return tuple(find_pack_binaries(self.workspace))

    def running_services(self) -> frozenset[str]:
        """Services with a running container."""
        return frozenset(c.service for c in self.port.containers() if c.running)

    def lock_written(self, path: str, content: bytes) -> None:
        """Tells whoever listens now that a build writes a lock file."""
        self.mended(path, content)

    def current(self, services: Collection[str]) -> frozenset[str]:
        """Those of the services that run, or ended well, as image and definition say.

        One that was given other programs than its image holds is none of them: nothing tells
        which sources these were made of, and a new container would not have them.
        """
        names = tuple(services)
        return self.port.current(names) - self.port.swapped().keys() if names else frozenset()

    def long_running(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the services that are no one-shots."""
        return tuple(name for name in names if not self.compose.one_shot(name))


def split_names(names: Iterable[str]) -> list[str]:
    """Names as words or, as some are used to, with commas."""
    return [part for name in names for part in name.split(",") if part]


def check_names(kind: str, names: Sequence[str], known: Iterable[str]) -> list[str]:
    """The names, if all are known.

    Raises:
        UsageError: one is not; tells the near matches and what there is.
    """
    there = sorted(known)
    for name in names:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=3)
            listed = ", ".join(there) or "none"
            raise UsageError(
                f"no {kind} `{name}`",
                why=f"did you mean {' or '.join(f'`{n}`' for n in near)}?" if near else "",
                hint=f"there are: {listed}",
            )
    return list(names)


def is_service(word: str) -> bool:
    """Whether a word names a service, for a word that is a task too; no error can come of it."""
    try:
        return word in Project().compose.services
    except Exception:  # noqa: BLE001 - the task itself will tell what is wrong
        return False
