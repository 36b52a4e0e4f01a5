"""What a pack holds, as entries, and the bytes in which they travel and are compared."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

DIGEST_BYTES = 32
EMPTY_DIGEST = "-"


class EntryKind(StrEnum):
    """What an entry is; the letters are those of ``find -printf %y``."""

    FILE = "f"
    FOLDER = "d"
    LINK = "l"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or link of a pack, as the volume should have it.

    Attributes:
        path: relative to the pack, with ``/``; names that are not UTF-8 carry surrogates.
        kind: what it is.
        mode: 0644 or 0755; 0777 for links.
        size: bytes; 0 for folders and links.
        digest: BLAKE2b-256 of a file's content, ``-`` for folders and links.
        target: where a link points, empty for others.
    """

    path: str
    kind: EntryKind
    mode: int
    size: int = 0
    digest: str = EMPTY_DIGEST
    target: str = ""


@dataclass(frozen=True)
class PackTree:
    """A pack as it is on disk.

    Attributes:
        name: the folder's name.
        entries: sorted by the bytes of their path.
        refused: ``(path, reason)`` of what forbids to sync this pack.
        skipped: ``(path, reason)`` of what is left out.
    """

    name: str
    entries: tuple[Entry, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    @cached_property
    def digest(self) -> str:
        """Equal digests mean equal packs."""
        return tree_digest(self.entries)


def encode(entries: Iterable[Entry]) -> bytes:
    """Entries as they travel: ``KIND MODE SIZE DIGEST``, path and target, each ended by NUL."""
    text = "".join(
        f"{e.kind.value} {e.mode:04o} {e.size} {e.digest}\0{e.path}\0{e.target}\0" for e in entries
    )
    return os.fsencode(text)


def decode(data: bytes) -> tuple[Entry, ...]:
    """The reverse of ``encode``.

    Raises:
        ValueError: the data are not entries.
    """
    fields = os.fsdecode(data).split("\0")
    if len(fields) % 3 != 1 or fields[-1]:
        raise ValueError("not a list of entries")
    entries = []
    for head, path, target in zip(fields[0:-1:3], fields[1::3], fields[2::3], strict=True):
        kind, mode, size, digest = head.split(" ")
        entries.append(Entry(path, EntryKind(kind), int(mode, 8), int(size), digest, target))
    return tuple(entries)


def tree_digest(entries: Sequence[Entry]) -> str:
    """Digest of a pack: of its entries as they travel, which must be in order."""
    return hashlib.blake2b(encode(entries), digest_size=DIGEST_BYTES).hexdigest()


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Entries sorted by the bytes of their path, as the agent sorts them."""
    return tuple(sorted(entries, key=lambda entry: os.fsencode(entry.path)))
