"""Other work of cargo's in the builder: checking sources, and bringing the lock file up to date."""

from __future__ import annotations

import os
import tempfile
import tomllib
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from attune_dev.docker import buildx
from attune_dev.docker.bake import BINARIES_ARG, NAMESPACE_ARG
from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.docker.identity import checkout_identity
from attune_dev.docker.progress import LogLine
from attune_dev.docker.rustc import Diagnostic, diagnostics
from attune_dev.errors import ActionError, ConfigError
from attune_dev.loading.rendered import command_dockerfile
from attune_dev.packs.compile import agreed_args
from attune_dev.running.update import telling
from attune_dev.state import state_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from attune_dev.docker.progress import BuildEvent
    from attune_dev.model.workspace import Workspace
    from attune_dev.running.ports import Talk

LOCK_FILE = "Cargo.lock"
MOST_PACKAGES = 4
_STALE = ("because --locked was passed", "needs to be updated but --locked was passed")
_CHECK = (
    'for binary in $BINARIES; do set -- "$@" --bin "$binary"; done',
    'cargo check --locked --profile "$CARGO_PROFILE" "$@"',
)
# What cargo itself would do without --locked: nothing but what the manifests ask for.
_LOCK = ("cargo update --workspace", f"install -D -t /out {LOCK_FILE}")


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``cargo check`` found.

    Attributes:
        found: complaints, in its order.
        failure: why it failed, ``None`` where the sources compile.
    """

    found: tuple[Diagnostic, ...]
    failure: BuildFailed | None = None


def cargo_check(
    root: Path,
    workspace: Workspace,
    services: Sequence[str],
    *,
    talk: Talk,
    args: Mapping[str, str],
) -> Checked:
    """Checks what the images of services ship, without making code.

    Args:
        root: repository root.
        workspace: tells what they ship.
        services: whose programs, at least one.
        talk: is told the progress, and ends the check.
        args: build arguments besides those that the services agree on.

    Raises:
        ConfigError: no Dockerfile has a rendered part.
        EnvironmentLacksError: engine or buildx are missing.
        Interrupted: it was cancelled.
    """
    shipped = {b for name in services if name in workspace.images for b in _ships(workspace, name)}
    lines: list[str] = []

    def on_build(event: BuildEvent) -> None:
        if isinstance(event, LogLine):
            lines.append(event.text)
        told(event)

    told = telling(talk)
    # a check whose step came out of the cache would keep its warnings to itself
    commands = (f": {uuid.uuid4().hex}", *_CHECK)
    given = {**args, BINARIES_ARG: " ".join(sorted(shipped))}
    failure = None
    try:
        _run(root, workspace, commands, services, replace(talk, on_build=on_build), given)
    except BuildFailed as problem:
        if not any(found.level == "error" for found in diagnostics(lines)):
            raise
        failure = problem
    return Checked(diagnostics(lines), failure)


def lock_is_stale(failure: BuildFailed) -> bool:
    """Whether a build failed for a lock file that does not fit the manifests."""
    return any(words in failure.why for words in _STALE)


def update_lock(
    root: Path,
    workspace: Workspace,
    *,
    talk: Talk,
    on_written: Callable[[str, bytes], None] = lambda *_: None,
) -> bytes | None:
    """Brings the lock file up to date in the builder, and writes it back if it differs.

    Args:
        root: repository root.
        workspace: whose.
        talk: is told the progress, and ends it.
        on_written: is told path and content right before it is written.

    Returns:
        What was written, ``None`` where it was up to date.

    Raises:
        BuildFailed: a manifest is wrong, or a package cannot be found; the lock file stays.
        ActionError: it cannot be written.
        ConfigError: no Dockerfile has a rendered part.
    """
    path = root / LOCK_FILE
    before = path.read_bytes()
    with tempfile.TemporaryDirectory(prefix="lock-", dir=state_directory(root)) as into:
        heard = replace(talk, on_build=telling(talk))
        _run(root, workspace, _LOCK, (LOCK_FILE,), heard, {}, into=into)
        after = (Path(into) / LOCK_FILE).read_bytes()
    if after == before:
        return None
    if path.read_bytes() != before:
        raise ActionError(f"{LOCK_FILE} was changed meanwhile", hint="build again", file=LOCK_FILE)
    draft = path.with_name(f".attune-dev-{LOCK_FILE}.{os.getpid()}")
    try:
        draft.write_bytes(after)
        draft.chmod(path.stat().st_mode & 0o7777)
        on_written(LOCK_FILE, after)
        draft.replace(path)
    except OSError as problem:
        with suppress(OSError):
            draft.unlink()
        raise ActionError(f"{LOCK_FILE} could not be written", why=str(problem)) from None
    return after


class LockKeeper:
    """Mends builds that fail for a lock file that does not fit the manifests, once each."""

    def __init__(
        self,
        root: Path,
        workspace: Callable[[], Workspace],
        on_written: Callable[[str, bytes], None] = lambda *_: None,
    ) -> None:
        """Does nothing yet.

        Args:
            root: repository root.
            workspace: gives the workspace as it is now.
            on_written: is told path and content right before the lock file is written.
        """
        self._root = root
        self._workspace = workspace
        self._on_written = on_written

    def __call__(self, failure: BuildFailed, talk: Talk) -> bool:
        """Whether building again is worth it: the lock file was out of date and is not any more.

        Raises:
            AttuneDevError: it is, and cannot be brought up to date.
        """
        if not lock_is_stale(failure):
            return False
        path = self._root / LOCK_FILE
        before = path.read_bytes()
        talk.on_line(f"{LOCK_FILE} does not fit the manifests: updating it in the builder")
        try:
            after = update_lock(
                self._root, self._workspace(), talk=talk, on_written=self._on_written
            )
        except ConfigError:  # nowhere to do it: the build's own error tells what is wrong
            return False
        if after is None:
            return False
        talk.on_line(f"{LOCK_FILE} updated: {lock_difference(before, after)}")
        return True


def lock_difference(before: bytes, after: bytes) -> str:
    """What an update of a lock file changed: ``adds itoa 1.0.1, removes ryu 1.0.0``."""
    was, now = _packages(before), _packages(after)
    told = [
        f"{verb} {_listed(sorted(found))}"
        for verb, found in (("adds", now - was), ("removes", was - now))
        if found
    ]
    return ", ".join(told) or "the same packages, with other dependencies"


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_PACKAGES
    return ", ".join(names[:MOST_PACKAGES]) + (f" and {more} more" if more > 0 else "")


def _packages(lock: bytes) -> set[str]:
    try:
        read = tomllib.loads(lock.decode(errors="replace"))
    except tomllib.TOMLDecodeError:
        return set()
    return {f"{p.get('name')} {p.get('version')}" for p in read.get("package", ())}


def _run(
    root: Path,
    workspace: Workspace,
    commands: Sequence[str],
    names: Sequence[str],
    talk: Talk,
    args: Mapping[str, str],
    into: str = "",
) -> None:
    text = command_dockerfile(root, workspace, commands, f"/out/{LOCK_FILE}" if into else "")
    known = {key for key in agreed_args(workspace) if f"ARG {key}" in text}
    agreed = {key: value for key, value in agreed_args(workspace).items() if key in known}
    given = {**agreed, **args, NAMESPACE_ARG: checkout_identity(root)}
    words = [
        *("build", "--file", "-"),
        *("--output", f"type=local,dest={into}" if into else "type=cacheonly"),
        *(word for key, value in given.items() for word in ("--build-arg", f"{key}={value}")),
    ]
    buildx.build(
        words,
        names,
        root=root,
        env=os.environ,
        on_event=talk.on_build,
        cancel=talk.cancel,
        operands=(".",),
        input=text.encode(),
    )


def _ships(workspace: Workspace, service: str) -> set[str]:
    shipped = workspace.images[service].shipped
    return {name for name in shipped if workspace.cargo.package_of_binary(name)}
