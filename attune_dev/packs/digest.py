"""The digest of one file."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from attune_dev.packs.manifest import DIGEST_BYTES

CHUNK = 1 << 20


def file_digest(path: Path) -> str:
    """BLAKE2b-256 of a file's content, ``-`` for what is no file or cannot be read."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return "-"
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError:
        return "-"
    return digest.hexdigest()
