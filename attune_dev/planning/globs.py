"""Paths as text: folders above a path, and Docker's patterns for what ``COPY`` takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MAGIC = re.compile(r"[*?\[\\]")


def folders_above(path: str) -> Iterator[str]:
    """All folders that hold a path, innermost first, ``""`` (the root) last."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def within(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or below it; ``""`` holds everything."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def relative_to(path: str, folder: str) -> str:
    """The path as seen from a folder that holds it."""
    return path[len(folder) + 1 :] if folder else path


def join(folder: str, path: str) -> str:
    """Both as one path; either may be empty."""
    return f"{folder}/{path}" if folder and path else folder or path


def is_literal(pattern: str) -> bool:
    """Whether a pattern has no wildcard."""
    return _MAGIC.search(pattern) is None
