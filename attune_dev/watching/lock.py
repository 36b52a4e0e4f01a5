"""Locks between our own processes: one loop per project, one actor at a time.

The kernel lets go of a lock when its holder dies, however it dies. The file beside it only tells
who holds it; it is never asked whether the lock is held.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.errors import ActionError
from attune_dev.state import STATE_DIRECTORY, read_json, state_directory, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import BaseFileLock

LOOP = "dev"
ACTING = "acting"
_STEP = 0.2


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Attributes:
        pid: process.
        started: when it took the lock, ``YYYY-MM-DD HH:MM:SS``, local time.
        directory: where it runs.
        what: what it does: ``inv dev``.
    """

    pid: int
    started: str
    directory: str
    what: str

    def __str__(self) -> str:
        return f"`{self.what}`, process {self.pid}, in {self.directory}, since {self.started}"


class Lock:
    """A lock of a repository.

    Args:
        root: repository root.
        name: ``LOOP`` or ``ACTING``.
        what: what the process does, for others to read.
    """

    def __init__(self, root: Path, name: str, what: str) -> None:
        self._root = root
        self._what = what
        directory = state_directory(root)
        self._info = directory / f"{name}.json"
        self._path = directory / f"{name}.lock"
        self._lock: BaseFileLock | None = None

    def acquire(self, timeout: float = 0.0) -> bool:
        """Takes the lock.

        Args:
            timeout: seconds to wait for it.

        Returns:
            ``False`` where someone else holds it.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self._path, timeout=timeout, thread_local=False, mode=0o600)
        try:
            lock.acquire(poll_interval=_STEP)
        except Timeout:
            return False
        self._lock = lock
        with suppress(OSError):  # a full disk keeps nobody from working
            started = time.strftime("%Y-%m-%d %H:%M:%S")
            info = {"pid": os.getpid(), "started": started, "directory": str(self._root)}
            write_json(self._info, {**info, "what": self._what})
        return True

    def free(self) -> bool:
        """Whether nobody holds it; takes it for a moment to find out."""
        from filelock import FileLock, Timeout

        try:
            with FileLock(self._path, timeout=0, thread_local=False, mode=0o600):
                return True
        except Timeout:
            return False

    def release(self) -> None:
        """Lets go of it; nothing happens where it is not held."""
        if self._lock is not None:
            self._info.unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def holder(self) -> Holder | None:
        """Who said last to hold it, ``None`` where nobody says so."""
        try:
            told = read_json(self._info)
            return Holder(
                int(told["pid"]), str(told["started"]), str(told["directory"]), str(told["what"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None


def loop_of(root: Path) -> Holder | None:
    """The ``inv dev`` that watches a repository, ``None`` without one; makes no state directory."""
    if not (root / STATE_DIRECTORY / f"{LOOP}.lock").exists():
        return None
    lock = Lock(root, LOOP, "")
    return None if lock.free() else lock.holder() or Holder(0, "?", str(root), "inv dev")


@contextmanager
def only_loop(root: Path, what: str = "inv dev") -> Iterator[None]:
    """Holds the lock of the one loop per project.

    Raises:
        ActionError: another process holds it; says which and where.
    """
    lock = Lock(root, LOOP, what)
    if not lock.acquire(_STEP):  # who only looks whether it is free holds it for a moment
        holder = lock.holder()
        raise ActionError(
            "this project is being watched already",
            why=str(holder) if holder else "by a process that does not say who it is",
            hint=f"use that one, or end it: kill {holder.pid}" if holder else "end the other one",
        )
    try:
        yield
    finally:
        lock.release()


@contextmanager
def acting(
    root: Path, what: str, say: Callable[[str], None], timeout: float | None = None
) -> Iterator[None]:
    """Holds the lock that whoever changes images, containers or volumes takes, one at a time.

    Args:
        root: repository root.
        what: what is done, for others to read: ``inv build``.
        say: told once who is waited for.
        timeout: seconds to wait; without end where it is ``None``.

    Raises:
        ActionError: the other one was not done in time.
    """
    lock = Lock(root, ACTING, what)
    if not lock.acquire():
        holder = lock.holder()
        say(f"waiting for {holder or 'another process'} to finish")
        if not lock.acquire(-1 if timeout is None else timeout):
            raise ActionError(
                f"gave up after {timeout:.0f} s of waiting for {holder or 'another process'}",
                hint="try again when it is done",
            )
    try:
        yield
    finally:
        lock.release()
