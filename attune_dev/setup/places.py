"""Per-user folders, and temporary ones that an interrupted set-up does not leave for ever."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from attune_dev.errors import EnvironmentLacksError
from attune_dev.setup.report import Say


def cache_folder() -> Path:
    """Where set-up keeps its lock and works; made with mode 0700.

    Raises:
        EnvironmentLacksError: it belongs to someone else.
    """
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "attune-dev"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise EnvironmentLacksError(
            f"{folder} belongs to another user", hint="set XDG_CACHE_HOME to a folder of yours"
        )
    return folder


def plugin_folder() -> Path:
    """The per-user plugin folder of the docker client (``$DOCKER_CONFIG/cli-plugins``)."""
    configured = os.environ.get("DOCKER_CONFIG")
    return (Path(configured) if configured else Path.home() / ".docker") / "cli-plugins"


@contextlib.contextmanager
def setup_lock(say: Say) -> Iterator[None]:
    """One set-up at a time for this user; the kernel frees it however the holder ends."""
    from filelock import FileLock, Timeout

    lock = FileLock(cache_folder() / "setup.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another set-up is running for this user; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def work_folder(purpose: str) -> Iterator[Path]:
    """A folder below the cache that is gone afterwards; remains of killed set-ups are swept.

    Args:
        purpose: first part of its name; machine and process follow.
    """
    base = cache_folder() / "work"
    base.mkdir(mode=0o700, exist_ok=True)
    machine = re.sub(r"[^A-Za-z0-9]+", "_", os.uname().nodename)
    for old in base.iterdir():
        _, _, owner = old.name.partition("-")
        where, _, number = owner.partition("-")
        if where == machine and not process_runs(number.partition("-")[0]):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{purpose}-{machine}-{os.getpid()}-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def process_runs(process_id: str) -> bool:
    """Whether a process of this machine runs; what is no number is none.

    Args:
        process_id: as text, as owners are written down.
    """
    if not process_id.isdigit():
        return False
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
