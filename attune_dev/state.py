"""The state directory of a repository: private, git-ignored, never in a backup."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from attune_dev.errors import EnvironmentLacksError

STATE_DIRECTORY = ".attune-dev"

CACHEDIR_TAG = """Signature: 8a477f597d28d172789f06886806bc55
# This directory holds state that can be made again.
# See https://bford.info/cachedir/
"""


def state_directory(root: Path) -> Path:
    """The state directory, made and made private where needed.

    Raises:
        EnvironmentLacksError: it cannot be made, or others could write into it.
    """
    directory = root / STATE_DIRECTORY
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        _require_private(directory)
        _once(directory / ".gitignore", "*\n")
        _once(directory / "CACHEDIR.TAG", CACHEDIR_TAG)
    except OSError as problem:
        raise EnvironmentLacksError(
            f"cannot keep state in {STATE_DIRECTORY}/",
            why=problem.strerror or str(problem),
            hint=f"make {directory} a folder that you may write to",
        ) from None
    return directory


def write_json(path: Path, document: Any) -> None:
    """Writes a document whole or not at all, readable by its owner only.

    Raises:
        OSError: the disk is full or the folder cannot be written to.
    """
    write_beside(path, json.dumps(document, separators=(",", ":")).encode("ascii"), 0o600)


def write_beside(path: Path, data: bytes, mode: int) -> None:
    """Writes a file beside its place and renames it: readers find the old bytes or the new ones.

    Args:
        path: its place.
        data: what is in it.
        mode: its permission bits.

    Raises:
        OSError: the disk is full or the folder cannot be written to.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".attune-dev-{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if mode != 0o600:
            Path(name).chmod(stat.S_IMODE(mode))
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def keep_json(root: Path, name: str, document: Any) -> bool:
    """Keeps what only saves time: where it cannot be written, nothing is lost but that.

    Args:
        root: repository root.
        name: file name below the state directory.
        document: what to keep.

    Returns:
        Whether it was written.
    """
    try:
        write_json(state_directory(root) / name, document)
    except (OSError, EnvironmentLacksError):
        return False
    return True


def read_json(path: Path) -> Any:
    """Reads a document.

    Raises:
        OSError: it is not there or no plain file.
        ValueError: it is no JSON.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, encoding="ascii") as file:
        try:
            return json.load(file)
        except RecursionError:
            raise ValueError("nested too deep") from None


def _require_private(directory: Path) -> None:
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise EnvironmentLacksError(
            f"{STATE_DIRECTORY} is no folder",
            why="state is kept in a folder of this name",
            hint=f"remove {directory}",
        )
    if found.st_uid not in {os.geteuid(), 0} and os.geteuid() != 0:
        raise EnvironmentLacksError(
            f"{STATE_DIRECTORY}/ belongs to someone else",
            why="what lies in it could not be trusted",
            hint=f"remove {directory}",
        )
    if found.st_mode & 0o077:
        directory.chmod(0o700)


def _once(path: Path, text: str) -> None:
    with suppress(FileExistsError):
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
