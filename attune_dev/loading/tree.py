"""One walk over a repository for the files that define the graph, with what is huge left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

_SKIPPED = frozenset({".git", "target", "node_modules", "__pycache__", ".attune-dev", ".venv"})
# A vendored crate, a folder of build output, a Python environment: nothing there is a source.
_MARKERS = frozenset({".cargo-checksum.json", "CACHEDIR.TAG", "pyvenv.cfg"})
FOLDER_LIMIT = 50_000


@dataclass(slots=True)
class Tree:
    """What the walk found, relative to the root and sorted.

    Attributes:
        git_ignores: ``.gitignore`` files.
        dockerfiles: files with the name of a Dockerfile.
    """

    git_ignores: list[str] = field(default_factory=list)
    dockerfiles: list[str] = field(default_factory=list)


def look_over(root: Path) -> Tree:
    """Walks a repository; symbolic links are not followed.

    Args:
        root: repository root.
    """
    found = Tree()
    todo = [""]
    seen = 0
    while todo and seen < FOLDER_LIMIT:
        folder = todo.pop()
        seen += 1
        try:
            entries = list(os.scandir(root / folder))
        except OSError:
            continue
        names = {entry.name for entry in entries}
        if names & _MARKERS:
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED:
                    todo.append(path)
            elif entry.name == ".gitignore":
                found.git_ignores.append(path)
            elif is_dockerfile(entry.name):
                found.dockerfiles.append(path)
    found.git_ignores.sort()
    found.dockerfiles.sort()
    return found


def is_dockerfile(name: str) -> bool:
    """Whether a file name is one that Dockerfiles have."""
    stem = name.removesuffix(".dockerignore")
    if stem != name:
        return False
    return name.startswith(("Dockerfile", "Containerfile")) or name.endswith(".Dockerfile")
