"""Finds the ``.dockerignore`` that is in force for a build, and reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError
from attune_dev.loading.safe_yaml import read_bounded
from attune_dev.model.workspace import IgnoreFile
from attune_dev.planning.image_ignore import IgnoreRules

if TYPE_CHECKING:
    from pathlib import Path

    from attune_dev.model.compose import BuildConfig

_SIZE_LIMIT = 1_000_000


def find_ignore_file(root: Path, build: BuildConfig) -> str:
    """The ignore file of a build, relative to the root; empty where there is none.

    ``<Dockerfile>.dockerignore`` beside the Dockerfile goes before ``.dockerignore`` at the
    context's root; the other one is not read at all then.
    """
    candidates = [f"{build.context}/.dockerignore" if build.context else ".dockerignore"]
    if build.inline is None:
        candidates.insert(0, f"{build.dockerfile}.dockerignore")
    return next((path for path in candidates if (root / path).is_file()), "")


def load_ignore_file(root: Path, path: str, context: str) -> IgnoreFile:
    """Reads an ignore file and checks its patterns.

    Args:
        root: repository root.
        path: of the ignore file, relative to the root.
        context: the build context that its patterns are relative to.

    Raises:
        ConfigError: a pattern that Docker rejects, or no text file.
    """
    try:
        text = read_bounded(root / path, name=path, limit=_SIZE_LIMIT)
    except FileNotFoundError:
        raise ConfigError("the ignore file is gone", file=path) from None
    lines = tuple(text.splitlines())
    IgnoreRules.parse(lines, path)
    return IgnoreFile(path, context, lines)
