"""What an edit of the sample workspace is, and the steps that edits are made of."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attune_dev.docker import process

Step = Callable[[Path], None]
"""Changes files below a folder."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One kind of edit.

    Attributes:
        name: short and unique.
        row: what it is an example of.
        steps: what is done to the files.
        unread: paths that a mount shows but that no service reads at its start: documents, and
            scripts, which are read at each run.
        cargo: whether it concerns files of cargo, so that what cargo recompiles can be compared.
    """

    name: str
    row: str
    steps: tuple[Step, ...]
    unread: tuple[str, ...] = ()
    cargo: bool = False

    def apply(self, root: Path) -> None:
        """Makes the edit below a folder."""
        for step in self.steps:
            step(root)


def put(path: str, text: str) -> Step:
    """Writes a file, new or not."""

    def step(root: Path) -> None:
        full = root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text, encoding="utf-8")

    return step


def add(path: str, text: str) -> Step:
    """Writes at the end of a file."""

    def step(root: Path) -> None:
        full = root / path
        full.write_text(full.read_text(encoding="utf-8") + text, encoding="utf-8")

    return step


def swap(path: str, old: str, new: str) -> Step:
    """Replaces the first occurrence of a text that must be there."""

    def step(root: Path) -> None:
        full = root / path
        text = full.read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{path} does not say {old!r}")
        full.write_text(text.replace(old, new, 1), encoding="utf-8")

    return step


def delete(path: str) -> Step:
    """Removes a file or folder."""

    def step(root: Path) -> None:
        full = root / path
        if full.is_dir():
            shutil.rmtree(full)
        else:
            full.unlink()

    return step


def move(path: str, to: str) -> Step:
    """Renames a file or folder."""

    def step(root: Path) -> None:
        (root / to).parent.mkdir(parents=True, exist_ok=True)
        (root / path).rename(root / to)

    return step


def mode(path: str, bits: int) -> Step:
    """Sets the mode of a file."""

    def step(root: Path) -> None:
        (root / path).chmod(bits)

    return step


def touch(path: str) -> Step:
    """Saves a file without a changed byte."""

    def step(root: Path) -> None:
        (root / path).touch()

    return step


def cargo(*words: str) -> Step:
    """Runs cargo, so that the lock file says what cargo would make it say."""

    def step(root: Path) -> None:
        process.run(["cargo", *words], cwd=root)

    return step


relock = cargo("metadata", "--format-version", "1", "--quiet")
"""Brings the lock file up to date with the manifests, and changes nothing else in it."""
