"""The sources of a compile as they are on disk: by content, whatever their times say."""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.model.dockerfile import SourcePattern
from attune_dev.planning.image_ignore import IgnoreRules, reads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attune_dev.model.swap import CompileStage, Feed

_SKIPPED = frozenset({".git", ".attune-dev", "node_modules"})
_RACY_SECONDS = 2.0
"""A file that was written this shortly before it was read is read again next time: a clock tick is
coarser than two saves."""


@dataclass(frozen=True, slots=True)
class FedFile:
    """One source.

    Attributes:
        path: absolute path on this machine.
        digest: of what matters of it: mode and content, or the link's target.
        mode: permission bits.
        link: where a symbolic link points, empty for a file.
    """

    path: str
    digest: str
    mode: int
    link: str = ""


Signature = tuple[int, int, int, int, int]


class FeedReader:
    """Reads sources; what was read once is known by size, inode and times of its change."""

    def __init__(self, root: Path) -> None:
        self._root = os.fspath(root)
        self._known: dict[str, tuple[Signature, str]] = {}
        self._left_out: dict[str, frozenset[str]] = {}

    def left_out(self, stage: CompileStage) -> frozenset[str]:
        """Folders that a build of the Dockerfile would have, and the last reading has not."""
        return self._left_out.get(stage.key, frozenset())

    def read(self, stage: CompileStage) -> dict[str, FedFile]:
        """All sources of a compile by their absolute path in the builder.

        Raises:
            OSError: a file cannot be read; one that goes away meanwhile is left out.
        """
        rules = IgnoreRules.parse(stage.ignore, None)
        found: dict[str, FedFile] = {}
        skipped: list[str] = []
        for feed in stage.feeds:
            for inside, path in self._files(feed, rules, skipped):
                fed = self._file(path)
                if fed is not None:
                    found[_place(feed, inside)] = fed
        self._left_out[stage.key] = frozenset(skipped)
        return found

    def _files(
        self, feed: Feed, rules: IgnoreRules, skipped: list[str]
    ) -> Iterator[tuple[str, str]]:
        """Path relative to the context, and on this machine, of all that a feed takes."""
        context = posixpath.join(self._root, feed.context)
        # the part of the pattern without wildcards is where to look
        literal = _literal_part(feed.pattern)
        source = SourcePattern(feed.pattern, "", exclude=feed.exclude)
        start = posixpath.join(context, literal)
        for path in _walk(start):
            inside = posixpath.relpath(path, context)
            if not reads(source, inside) or rules.ignores(inside) is not None:
                continue
            if posixpath.basename(path) in _SKIPPED:
                skipped.append(inside)
            else:
                yield inside, path

    def _file(self, path: str) -> FedFile | None:
        try:
            seen = os.lstat(path)
            if stat.S_ISLNK(seen.st_mode):
                link = os.readlink(path)  # noqa: PTH115
                digest = hashlib.sha256(f"link {link}".encode(errors="surrogateescape"))
                return FedFile(path, digest.hexdigest(), 0o777, link)
            if not stat.S_ISREG(seen.st_mode):
                return None
            return FedFile(path, self._digest(path, seen), stat.S_IMODE(seen.st_mode))
        except FileNotFoundError:
            return None

    def _digest(self, path: str, seen: os.stat_result) -> str:
        signature = (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino, seen.st_mode)
        known = self._known.get(path)
        if known is not None and known[0] == signature:
            return known[1]
        with open(path, "rb") as file:  # noqa: PTH123 - faster for thousands
            digest = hashlib.file_digest(file, "sha256")
        digest.update(b"x" if seen.st_mode & stat.S_IXUSR else b"-")
        newest = max(seen.st_mtime, seen.st_ctime)
        if abs(time.time() - newest) > _RACY_SECONDS:
            self._known[path] = (signature, digest.hexdigest())
        return digest.hexdigest()


def _literal_part(pattern: str) -> str:
    """The folders at the beginning of a pattern that hold no wildcard."""
    parts = pattern.split("/")
    at = next((n for n, part in enumerate(parts) if any(c in part for c in "*?[\\")), len(parts))
    return "/".join(parts[:at])


def _walk(start: str) -> Iterator[str]:
    """Files and links below a folder, and the folders that are skipped by their name.

    What cargo and other tools left there is no source.
    """
    if not os.path.isdir(start) or os.path.islink(start):  # noqa: PTH112, PTH114
        yield start
        return
    todo = [start]
    while todo:
        folder = todo.pop()
        try:
            entries = list(os.scandir(folder))
        except (FileNotFoundError, NotADirectoryError):
            continue
        if any(entry.name == "CACHEDIR.TAG" for entry in entries):
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name in _SKIPPED:
                    yield entry.path
                else:
                    todo.append(entry.path)
            else:
                yield entry.path


def _place(feed: Feed, inside: str) -> str:
    """Where a file of the context stands in the builder, by the rules of ``COPY``."""
    if any(char in feed.pattern for char in "*?["):
        top = feed.pattern.count("/") + 1
        parts = inside.split("/")
        # what a wildcard matched is put into the folder by its name, a folder by its content
        return posixpath.join(feed.destination, *(parts[top:] or parts[-1:]))
    if inside == feed.pattern:
        name = posixpath.basename(inside)
        return posixpath.join(feed.destination, name) if feed.inside else feed.destination
    below = inside[len(feed.pattern) + 1 :] if feed.pattern else inside
    return posixpath.join(feed.destination, below)
