"""Reads a pack from disk: what is in it, by content, never followed out of it."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cached_property
from io import FileIO
from pathlib import Path

from attune_dev.packs.manifest import DIGEST_BYTES, Entry, EntryKind, PackTree, in_order
from attune_dev.planning.unread import EDITOR_FOLDERS, EDITOR_TEMPORARIES

CHUNK = 1 << 20
ATTEMPTS = 3
MAX_HOPS = 400
TICK_NS = 30_000_000
"""A file changed this shortly before it was read could change again with the same time stamps."""

OWN_TEMPORARY = ".attune-dev*"
LEFT_OUT_FOLDERS = (*EDITOR_FOLDERS, ".git", "__pycache__")

_FILES = re.compile("|".join(translate(p) for p in (*EDITOR_TEMPORARIES, OWN_TEMPORARY)))

Stamp = tuple[int, int, int]
Read = Callable[[str], tuple[str, os.stat_result]]
"""Takes the path of a file; gives its digest and its state, as :func:`read_digest` does."""


def _nothing(*_: object) -> None:
    return None


def left_out(name: str, *, folder: bool) -> bool:
    """Whether a name is an editor's, version control's, Python's or our own temporary.

    The agent has the same rule for the plain Compose way.
    """
    return name in LEFT_OUT_FOLDERS if folder else _FILES.match(name) is not None


@dataclass
class DigestCache:
    """Digests of files by path, good as long as inode, ctime and size stay.

    Attributes:
        known: path to ``(inode, ctime in ns, size)`` and digest, from earlier scans.
        fresh: the same of the files that were met since.
        changed: whether ``fresh`` has what was not kept yet.
    """

    known: Mapping[str, tuple[Stamp, str]] = field(default_factory=dict)
    fresh: dict[str, tuple[Stamp, str]] = field(default_factory=dict)
    changed: bool = False

    @cached_property
    def packs(self) -> frozenset[str]:
        """Names of the packs of which a file is known."""
        return frozenset(path.partition("/")[0] for path in self.known)

    def digest(self, path: str, found: os.stat_result) -> str | None:
        """The digest of a file that did not change since it was last read."""
        entry = self.known.get(path)
        if entry is None or entry[0] != _stamp(found):
            return None
        self.fresh[path] = entry
        return entry[1]

    def keep(self, path: str, found: os.stat_result, digest: str) -> None:
        """Remembers a file that was read, unless it changed a moment ago."""
        if time.time_ns() - max(found.st_ctime_ns, found.st_mtime_ns) > TICK_NS:
            self.fresh[path] = (_stamp(found), digest)
            self.changed = True


def pack_names(folder: Path) -> list[str]:
    """Names of the packs of a folder: its folders, and links, which a scan refuses."""
    try:
        with os.scandir(folder) as found:
            return sorted(
                item.name
                for item in found
                if not item.name.startswith(".")
                and (item.is_symlink() or item.is_dir(follow_symlinks=False))
            )
    except FileNotFoundError:
        return []


def read_digest(
    path: str,
    begin: Callable[[], object] = _nothing,
    on_chunk: Callable[[bytes], object] = _nothing,
) -> tuple[str, os.stat_result]:
    """Reads a file to its digest, again if it changes meanwhile.

    Args:
        path: of the file.
        begin: called before it is read, each time.
        on_chunk: is handed what is read, in pieces.

    Returns:
        BLAKE2b-256 and the state of the file that was read.

    Raises:
        OSError: it cannot be read, is no regular file any more, or keeps changing.
    """
    for _ in range(ATTEMPTS):
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        with open_regular(path) as file:
            before = os.fstat(file.fileno())
            begin()
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                on_chunk(chunk)
            after = os.fstat(file.fileno())
        if _stamp(before) == _stamp(after) and before.st_mtime_ns == after.st_mtime_ns:
            return digest.hexdigest(), after
    raise OSError(0, "it keeps changing")


def scan_pack(folder: Path, cache: DigestCache | None = None, read: Read = read_digest) -> PackTree:
    """Reads a pack.

    Args:
        folder: the pack's folder.
        cache: digests of earlier scans; everything is read where there is none.
        read: reads a file whose digest the cache does not know.

    Returns:
        Its entries and what was refused or left out; it never raises for what is in the pack.
    """
    cache = DigestCache() if cache is None else cache
    if folder.is_symlink():
        return PackTree(folder.name, refused=(("", "a pack cannot be a link"),))
    walk = _Walk(os.fspath(folder), folder.name, cache, read)
    walk.visit("")
    walk.check_links()
    return PackTree(
        folder.name,
        in_order(walk.entries),
        tuple(sorted(walk.refused)),
        tuple(sorted(walk.skipped)),
    )


class _Walk:
    """One pass over a pack."""

    def __init__(self, root: str, pack: str, cache: DigestCache, read: Read) -> None:
        self.root = root
        self.pack = pack
        self.cache = cache
        self.read = read
        self.entries: list[Entry] = []
        self.links: dict[str, str] = {}
        self.refused: list[tuple[str, str]] = []
        self.skipped: list[tuple[str, str]] = []

    def visit(self, below: str) -> None:
        """Adds all that is in a folder of the pack."""
        todo = [below]
        while todo:
            folder = todo.pop()
            try:
                with os.scandir(f"{self.root}/{folder}" if folder else self.root) as found:
                    names = [
                        item
                        for item in found
                        if not left_out(item.name, folder=item.is_dir(follow_symlinks=False))
                    ]
            except FileNotFoundError:
                continue  # gone since its parent was read: the next scan sees that
            except OSError as problem:
                self.refused.append((folder, f"cannot be read: {problem.strerror}"))
                continue
            for item in names:
                path = f"{folder}/{item.name}" if folder else item.name
                try:
                    status = item.stat(follow_symlinks=False)
                    self._add(path, status, todo)
                except FileNotFoundError:
                    continue
                except OSError as problem:
                    self.refused.append((path, f"cannot be read: {problem.strerror}"))

    def _add(self, path: str, status: os.stat_result, todo: list[str]) -> None:
        if stat.S_ISREG(status.st_mode):
            self.entries.append(self._file(path, status))
        elif stat.S_ISDIR(status.st_mode):
            self.entries.append(Entry(path, EntryKind.FOLDER, 0o755))
            todo.append(path)
        elif stat.S_ISLNK(status.st_mode):
            target = os.readlink(f"{self.root}/{path}")  # noqa: PTH115 - a Path would tidy it
            self.links[path] = target
            self.entries.append(Entry(path, EntryKind.LINK, 0o777, target=target))
        else:
            self.skipped.append((path, "neither file, folder nor link"))

    def _file(self, path: str, status: os.stat_result) -> Entry:
        key = f"{self.pack}/{path}"
        digest = self.cache.digest(key, status)
        if digest is None:
            digest, status = self.read(f"{self.root}/{path}")
            self.cache.keep(key, status, digest)
        mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
        return Entry(path, EntryKind.FILE, mode, status.st_size, digest)

    def check_links(self) -> None:
        """Refuses links that leave the pack."""
        for path, target in self.links.items():
            if not stays_inside(self.links, path, target):
                self.refused.append((path, f"the link leaves the pack ({target})"))


def stays_inside(links: Mapping[str, str], path: str, target: str) -> bool:
    """Whether a link stays in its pack, followed as the kernel follows it.

    Args:
        links: all links of the pack with their targets.
        path: of the link, relative to the pack.
        target: where it points.
    """
    if target.startswith("/"):
        return False
    at = path.split("/")[:-1]
    todo = list(reversed(target.split("/")))
    hops = 0
    while todo and hops < MAX_HOPS:
        hops += 1
        part = todo.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            if not at:
                return False
            at.pop()
            continue
        further = links.get("/".join([*at, part]))
        if further is None:
            at.append(part)
        elif further.startswith("/"):
            return False
        else:
            todo += reversed(further.split("/"))
    return True


def open_regular(path: str) -> FileIO:
    """Opens a regular file, never a link and never waiting for a FIFO's other end.

    Raises:
        OSError: it cannot be opened or is something else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is no regular file any more")
    return FileIO(descriptor, "r")


def chunks(path: str) -> Iterator[bytes]:
    """The content of a regular file in pieces, so that a large one never is in memory.

    Raises:
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _stamp(found: os.stat_result) -> Stamp:
    return (found.st_ino, found.st_ctime_ns, found.st_size)
