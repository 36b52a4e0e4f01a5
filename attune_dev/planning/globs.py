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


def copy_pattern(pattern: str) -> re.Pattern[str]:
    r"""A ``COPY`` pattern as an expression that matches what it takes and all below it.

    Docker matches component by component, as Go's ``filepath.Match`` does: ``*`` and ``?`` stop at
    ``/``, ``[a-z]`` and ``[^a-z]`` are classes, ``\`` quotes.
    """
    return re.compile(_translate(pattern.strip("/")) + r"(?:/.*)?\Z", re.DOTALL)


def deep_pattern(pattern: str) -> re.Pattern[str]:
    """The same with ``**`` for any number of folders: the globs of ``x-attune-dev``."""
    parts = [".*" if part == "**" else _translate(part) for part in pattern.strip("/").split("/")]
    text = "/".join(parts).replace(".*/", "(?:.*/)?")
    return re.compile(text + r"(?:/.*)?\Z", re.DOTALL)


def _translate(pattern: str) -> str:
    out: list[str] = []
    place = 0
    while place < len(pattern):
        letter = pattern[place]
        place += 1
        if letter == "*":
            out.append("[^/]*")
        elif letter == "?":
            out.append("[^/]")
        elif letter == "\\" and place < len(pattern):
            out.append(re.escape(pattern[place]))
            place += 1
        elif letter == "[" and (end := pattern.find("]", place + 1)) > 0:
            body = pattern[place:end].replace("\\", "\\\\").replace("[", "\\[")
            out.append(f"[{body}]")
            place = end + 1
        else:
            out.append(re.escape(letter))
    return "".join(out)
