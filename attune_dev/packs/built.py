"""What pack binaries were built from, remembered by their content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attune_dev.packs.digest import file_digest
from attune_dev.state import STATE_DIRECTORY, keep_json, read_json

FILE = "pack-binaries.json"
VERSION = 1
MOST = 64
"""Builds that are remembered: enough to go back to a branch and find its binary current."""


def remember(root: Path, made: Mapping[Path, str]) -> None:
    """Remembers what binaries were built from; where that cannot be written, nothing is said.

    Args:
        root: repository root.
        made: file of each binary, to the digest of its sources before the build.
    """
    known = known_builds(root)
    for path, sources in made.items():
        digest = file_digest(path)
        known.pop(digest, None)
        known[digest] = sources
    kept = dict(list(known.items())[-MOST:])
    keep_json(root, FILE, {"version": VERSION, "built": kept})


def known_builds(root: Path) -> dict[str, str]:
    """Digest of binary to digest of the sources that it was built from, of the last builds."""
    try:
        document = read_json(root / STATE_DIRECTORY / FILE)
        built = document["built"] if document["version"] == VERSION else {}
        return {str(digest): str(sources) for digest, sources in built.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
