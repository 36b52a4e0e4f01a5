"""How pack binaries are compiled: by a build that hands files over, or in a builder that runs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from attune_dev.docker import buildx
from attune_dev.docker.bake import BINARIES_ARG, NAMESPACE_ARG, PROFILE_ARG
from attune_dev.docker.cancel import Cancel
from attune_dev.docker.identity import checkout_identity
from attune_dev.docker.progress import BuildEvent
from attune_dev.model.dockerfile import ImageInputs
from attune_dev.model.workspace import Workspace

_ARG = re.compile(r"^\s*ARG\s+(\w+)", re.IGNORECASE | re.MULTILINE)


def _nothing(_: object) -> None:
    return None


class Talk(Protocol):
    """How a build tells, and is told to stop."""

    @property
    def on_line(self) -> Callable[[str], None]:
        """Is told a line of output."""

    @property
    def on_build(self) -> Callable[[BuildEvent], None]:
        """Is told the progress as data."""

    @property
    def cancel(self) -> Cancel:
        """A request to stop."""


@dataclass(frozen=True, slots=True)
class Silent:
    """For builds that nobody follows."""

    on_line: Callable[[str], None] = _nothing
    on_build: Callable[[BuildEvent], None] = _nothing
    cancel: Cancel = field(default_factory=Cancel)


class Compiler(Protocol):
    """Compiles pack binaries, one way or another."""

    def __call__(
        self, image: ImageInputs, names: Sequence[str], into: Path, talk: Talk
    ) -> str:
        """Puts each binary into a folder by its name.

        Args:
            image: the Dockerfile that compiles pack binaries.
            names: Cargo binaries.
            into: a folder that is not there yet, or empty.
            talk: is told the progress, and ends the compile.

        Returns:
            The Cargo profile where it is another one than the Dockerfile compiles with, else
            nothing.

        Raises:
            BuildFailed: with the compiler's own message.
            EnvironmentLacksError: engine or buildx are missing.
            Interrupted: it was cancelled.
        """
        ...


@dataclass(frozen=True, slots=True)
class ImageCompiler:
    """Compiles by a build of the Dockerfile that exports files (:class:`Compiler`).

    Attributes:
        root: repository root.
        workspace: gives the build arguments that its services agree on.
        args: further build arguments; they win.
        no_cache: whether no cached step is used.
    """

    root: Path
    workspace: Workspace
    args: Mapping[str, str] = field(default_factory=dict)
    no_cache: bool = False

    def __call__(
        self, image: ImageInputs, names: Sequence[str], into: Path, talk: Talk
    ) -> str:
        """See :class:`Compiler`."""
        known = set(_ARG.findall((self.root / image.dockerfile).read_text(errors="replace")))
        agreed = {k: value for k, value in agreed_args(self.workspace).items() if k in known}
        given = {
            **agreed,
            **self.args,
            BINARIES_ARG: " ".join(names),
            NAMESPACE_ARG: checkout_identity(self.root),
        }
        words = [
            *("build", "--file", image.dockerfile, "--output", f"type=local,dest={into}"),
            *(word for key, value in given.items() for word in ("--build-arg", f"{key}={value}")),
            *(("--no-cache",) if self.no_cache else ()),
        ]
        buildx.build(
            words,
            names,
            root=self.root,
            env=os.environ,
            on_event=talk.on_build,
            cancel=talk.cancel,
            operands=(image.context or ".",),
        )
        asked = self.args.get(PROFILE_ARG, "")
        usual = agreed.get(PROFILE_ARG) or image.args.get(PROFILE_ARG, "")
        return "" if asked == usual else asked


def agreed_args(workspace: Workspace) -> dict[str, str]:
    """Build arguments that have one and the same value wherever a service gives them.

    They are what a repository uses to say which images to build in and how.
    """
    values: dict[str, set[str]] = {}
    for service in workspace.compose.services.values():
        for key, value in (service.build.args if service.build else {}).items():
            if value is not None:
                values.setdefault(key, set()).add(value)
    return {key: found.pop() for key, found in sorted(values.items()) if len(found) == 1}

