"""One file's content as a digest, with the times that can vouch for it later."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

_CHUNK = 1 << 20
_ATTEMPTS = 3
_TICK_NS = 50_000_000  # timestamps of a kernel move on in steps of up to 10 ms
_COARSE_NS = 2_100_000_000  # FAT and some network file systems keep whole seconds
_SECOND_NS = 1_000_000_000


class FileState(NamedTuple):
    """A file at the last look.

    Attributes:
        digest: of content and run bit, or of a link's text.
        size: bytes.
        mtime: nanoseconds.
        ctime: nanoseconds.
        inode: number on its file system.
        certain: 1 where equal times prove that nothing was written since, else 0.
    """

    digest: str
    size: int = -1
    mtime: int = 0
    ctime: int = 0
    inode: int = 0
    certain: int = 0

    def vouched_by(self, found: os.stat_result) -> bool:
        """Whether what the file system says now proves that the content is still the same."""
        now = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        return bool(self.certain) and self[1:5] == now

    def touched_since(self, earlier: FileState) -> bool:
        """Whether something was done to the file since then, whatever its content is now."""
        return self[1:5] != earlier[1:5]


def read_state(full: str, now_ns: int) -> FileState | None:
    """The state of a path, ``None`` for what is no file: folders, pipes, sockets, devices.

    Args:
        full: where it is.
        now_ns: the wall clock, for judging whether a later write could carry the same times.

    Raises:
        OSError: it cannot be read.
    """
    found = os.lstat(full)
    if stat.S_ISLNK(found.st_mode):
        text = os.fsencode(Path(full).readlink())
        return _state("link:" + hashlib.blake2b(text, digest_size=16).hexdigest(), found, now_ns)
    if not stat.S_ISREG(found.st_mode):
        return None
    try:
        # Not following links and not blocking: it may have become a link or a pipe just now.
        handle = os.open(full, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as problem:
        if problem.errno in {errno.ELOOP, errno.ENXIO}:  # what took its place has its own event
            return None
        raise
    try:
        return _read_file(handle, now_ns)
    finally:
        os.close(handle)


def _read_file(handle: int, now_ns: int) -> FileState | None:
    """Reads again where the file was written to meanwhile; after that the next event decides."""
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        return None
    for _ in range(_ATTEMPTS):
        digest = _content(handle)
        after = os.fstat(handle)
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return _state(digest + _run_bit(after), after, now_ns)
        before = after
    return _state(_content(handle) + _run_bit(before), before, now_ns)._replace(certain=0)


def _content(handle: int) -> str:
    os.lseek(handle, 0, os.SEEK_SET)
    chunk = os.read(handle, _CHUNK)
    if not chunk:
        return "empty"
    hashed = hashlib.blake2b(chunk, digest_size=16)
    while chunk := os.read(handle, _CHUNK):
        hashed.update(chunk)
    return hashed.hexdigest()


def _run_bit(found: os.stat_result) -> str:
    return "+x" if found.st_mode & 0o111 else ""


def _state(digest: str, found: os.stat_result, now_ns: int) -> FileState:
    newest = max(found.st_mtime_ns, found.st_ctime_ns)
    margin = _COARSE_NS if found.st_mtime_ns % _SECOND_NS == 0 else _TICK_NS
    certain = int(now_ns - newest > margin)
    times = found.st_mtime_ns, found.st_ctime_ns
    return FileState(digest, found.st_size, *times, found.st_ino, certain)
