"""Compiles pack binaries in the builder image and hands their files over."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from attune_dev.docker.bake import BINARIES_ARG, NAMESPACE_ARG
from attune_dev.docker.cancel import Cancel
from attune_dev.docker.diagnostics import BuildRecord
from attune_dev.docker.failures import environment_error
from attune_dev.docker.identity import checkout_identity
from attune_dev.docker.process import Completed, Running
from attune_dev.docker.progress import BuildEvent, PlainParser, ProgressParser, RawJsonParser
from attune_dev.errors import Interrupted
from attune_dev.model.dockerfile import ImageInputs
from attune_dev.model.workspace import Workspace

LINE_LIMIT = 1 << 20
"""BuildKit's logs come as chunks of up to 32 KiB in base64, with the steps' states beside them."""

ENVIRONMENT = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
"""Attestations would be exported as files among the binaries."""

_ARG = re.compile(r"^\s*ARG\s+(\w+)", re.IGNORECASE | re.MULTILINE)


def _nothing(_: object) -> None:
    return None


class Talk(Protocol):
    """How a build tells, and is told to stop."""

    @property
    def on_build(self) -> Callable[[BuildEvent], None]:
        """Is told the progress as data."""

    @property
    def cancel(self) -> Cancel:
        """A request to stop."""


@dataclass(frozen=True, slots=True)
class Silent:
    """For builds that nobody follows."""

    on_build: Callable[[BuildEvent], None] = _nothing
    cancel: Cancel = field(default_factory=Cancel)


def compile_binaries(
    root: Path,
    workspace: Workspace,
    image: ImageInputs,
    names: Sequence[str],
    into: Path,
    *,
    talk: Talk,
    args: Mapping[str, str],
    no_cache: bool = False,
) -> None:
    """Runs one build that exports the binaries as files.

    Args:
        root: repository root.
        workspace: gives the build arguments that its services agree on.
        image: the Dockerfile that compiles pack binaries.
        names: Cargo binaries.
        into: an empty folder.
        talk: is told the progress, and ends the build.
        args: further build arguments; they win.
        no_cache: whether no cached step is used.

    Raises:
        BuildFailed: with the compiler's own message.
        EnvironmentLacksError: engine or buildx are missing.
        Interrupted: it was cancelled.
    """
    known = set(_ARG.findall((root / image.dockerfile).read_text(errors="replace")))
    agreed = {key: value for key, value in agreed_args(workspace).items() if key in known}
    given = {
        **agreed,
        **args,
        BINARIES_ARG: " ".join(names),
        NAMESPACE_ARG: checkout_identity(root),
    }
    argv = [
        *("docker", "buildx", "build", "--file", image.dockerfile),
        *("--output", f"type=local,dest={into}"),
        *(word for key, value in given.items() for word in ("--build-arg", f"{key}={value}")),
        *(("--no-cache",) if no_cache else ()),
    ]
    context = image.context or "."
    run_build(root, argv, context, names, talk=talk)


def run_build(
    root: Path,
    argv: Sequence[str],
    context: str,
    names: Sequence[str],
    *,
    talk: Talk,
    dockerfile: str | None = None,
) -> None:
    """Runs ``docker buildx build`` with its progress as data.

    Args:
        root: where it runs.
        argv: the command without progress and context.
        context: its last word.
        names: what is built, for the error.
        talk: is told the progress, and ends the build.
        dockerfile: text for its standard input.

    Raises:
        BuildFailed: with the compiler's own message.
        EnvironmentLacksError: engine or buildx are missing.
        Interrupted: it was cancelled.
    """
    text = None if dockerfile is None else dockerfile.encode()
    record, done = _run(root, [*argv, "--progress=rawjson", context], RawJsonParser(), talk, text)
    if not done.ok and not record.steps and "rawjson" in done.stderr:
        record, done = _run(root, [*argv, "--progress=plain", context], PlainParser(), talk, text)
    if talk.cancel.requested:
        raise Interrupted(what="the build was cancelled; everything is as it was")
    if not done.ok:
        raise environment_error(done.stderr, done.argv) or record.error(names)


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


def _run(
    root: Path, argv: Sequence[str], parser: ProgressParser, talk: Talk, text: bytes | None
) -> tuple[BuildRecord, Completed]:
    record = BuildRecord()
    lock = threading.Lock()

    def line(text: str) -> None:
        with lock:
            for event in parser.feed(text):
                record.add(event)
                talk.on_build(event)

    running = Running(
        argv,
        line,
        cwd=root,
        env={**os.environ, **ENVIRONMENT},
        input=text,
        line_limit=LINE_LIMIT,
    )
    with talk.cancel.ending(running.cancel):
        return record, running.wait(check=False)
