"""Keeps the digests of pack files between runs, so that what did not change is not read again."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from attune_dev.packs.scan import DigestCache, Stamp
from attune_dev.state import STATE_DIRECTORY, keep_json

FILE = "packs-digests.json"
VERSION = 1


def load_digests(root: Path) -> DigestCache:
    """The digests of the last run; none where the file is missing, broken or not ours."""
    try:
        descriptor = os.open(root / STATE_DIRECTORY / FILE, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or not stat.S_ISREG(status.st_mode):
                return DigestCache()
            return DigestCache(_entries(json.load(file)))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return DigestCache()


def save_digests(root: Path, cache: DigestCache) -> None:
    """Writes what was met in this run, if it is more or other than before.

    It is only a matter of speed: where it cannot be written, nothing is said.
    """
    if not cache.changed:
        return
    scanned = {path.partition("/")[0] for path in cache.fresh}
    others = {p: e for p, e in cache.known.items() if p.partition("/")[0] not in scanned}
    kept = {**others, **cache.fresh}
    document = {
        "version": VERSION,
        "files": {path: [*stamp, digest] for path, (stamp, digest) in kept.items()},
    }
    cache.changed = not keep_json(root, FILE, document)


def _entries(document: Any) -> dict[str, tuple[Stamp, str]]:
    if document["version"] != VERSION:
        return {}
    return {
        str(path): ((int(inode), int(ctime), int(size)), str(digest))
        for path, (inode, ctime, size, digest) in document["files"].items()
    }
