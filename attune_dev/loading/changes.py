"""Paths that someone names, as changes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from attune_dev.errors import UsageError
from attune_dev.loading.git import tracked_below
from attune_dev.model.change import Change, ChangeKind

_SKIPPED = frozenset({".git", ".attune-dev", "node_modules", "__pycache__", ".venv"})


def changes_from_paths(
    root: Path, paths: Iterable[str], *, cwd: Path | None = None
) -> tuple[Change, ...]:
    """The files that paths name, each as modified, or as deleted where it does not exist.

    A folder stands for all files in it; one that does not exist, for what git tracks below it.

    Args:
        root: repository root.
        paths: absolute or relative to ``cwd``.
        cwd: the working folder; ours where it is ``None``.

    Raises:
        UsageError: a path is outside of the repository.
    """
    found: dict[str, Change] = {}
    for path in paths:
        for change in _changes(root, _inside(root, path, cwd or Path.cwd())):
            found[change.path] = change
    return tuple(found[path] for path in sorted(found))


def _inside(root: Path, path: str, cwd: Path) -> str:
    """The path relative to the root; links in it stay, but the way to the root may hold some."""
    given = Path(os.path.normpath(cwd / path))
    base = Path(os.path.normpath(Path.cwd() / root))
    resolved = given.parent.resolve() / given.name
    for full, folder in ((given, base), (resolved, base.resolve())):
        if full.is_relative_to(folder):
            inside = full.relative_to(folder).as_posix()
            return "" if inside == "." else inside
    raise UsageError(f"`{path}` is outside of {root}", hint="name paths of this repository")


def _changes(root: Path, path: str) -> Iterator[Change]:
    full = root / path
    if full.is_dir() and not full.is_symlink():
        yield from (Change(file) for file in _files_below(root, path))
    elif os.path.lexists(full):
        yield Change(path)
    else:
        gone = tracked_below(root, path) or (path,)
        yield from (Change(file, ChangeKind.DELETED) for file in gone)


def _files_below(root: Path, path: str) -> Iterator[str]:
    for current, folders, files in os.walk(root / path):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        inside = os.path.relpath(current, root)
        prefix = "" if inside == "." else f"{inside}/"
        links = [name for name in folders if Path(current, name).is_symlink()]
        yield from (f"{prefix}{name}" for name in (*sorted(files), *links))
