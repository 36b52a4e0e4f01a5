"""What pack binaries were built from, remembered by their content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from attune_dev.packs.digest import file_digest
from attune_dev.state import STATE_DIRECTORY, keep_json, read_json

FILE = "pack-binaries.json"
VERSION = 1
MOST = 64
"""Builds that are remembered: enough to go back to a branch and find its binary current."""


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """What a binary was built from.

    Attributes:
        sources: digest of its sources before the build.
        profile: Cargo profile where it is another one than the Dockerfile compiles with.
    """

    sources: str
    profile: str = ""

    def __str__(self) -> str:
        return f"{self.sources} {self.profile}".rstrip()

    @classmethod
    def parse(cls, text: str) -> MadeFrom:
        """Reads what ``str`` gives."""
        sources, _, profile = text.partition(" ")
        return cls(sources, profile)


def remember(root: Path, made: Mapping[Path, MadeFrom]) -> None:
    """Remembers what binaries were built from; where that cannot be written, nothing is said.

    Args:
        root: repository root.
        made: file of each binary, to what it was built from.
    """
    known = known_builds(root)
    for path, sources in made.items():
        digest = file_digest(path)
        known.pop(digest, None)
        known[digest] = sources
    kept = {digest: str(sources) for digest, sources in list(known.items())[-MOST:]}
    keep_json(root, FILE, {"version": VERSION, "built": kept})


def known_builds(root: Path) -> dict[str, MadeFrom]:
    """Digest of binary to what it was built from, of the last builds."""
    try:
        document = read_json(root / STATE_DIRECTORY / FILE)
        built = document["built"] if document["version"] == VERSION else {}
        return {str(digest): MadeFrom.parse(str(said)) for digest, said in built.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
