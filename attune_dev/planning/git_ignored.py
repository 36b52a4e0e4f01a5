"""Which rule of which ``.gitignore`` hides a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attune_dev.planning.globs import join, relative_to, within

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class GitIgnore:
    """The ignore files of a repository; the innermost file with a matching rule decides."""

    def __init__(self, files: Mapping[str, tuple[str, ...]]) -> None:
        """Takes the files; they are compiled when first asked.

        Args:
            files: folder to the lines of its ignore file.
        """
        self._files = files
        self._specs: dict[str, GitIgnoreSpec] = {}
        self._folders = sorted(files, key=len, reverse=True)

    def rule(self, path: str) -> str | None:
        """The rule that hides a path, as ``rule of file``, or ``None``."""
        for folder in self._folders:
            if not within(path, folder) or path == folder:
                continue
            result = self._spec(folder).check_file(relative_to(path, folder))
            if result.include is None:
                continue
            if not result.include or result.index is None:
                return None
            return f"{self._files[folder][result.index].strip()} of {join(folder, '.gitignore')}"
        return None

    def _spec(self, folder: str) -> GitIgnoreSpec:
        if folder not in self._specs:
            from pathspec import GitIgnoreSpec  # costs 20 ms, and is often not asked for

            self._specs[folder] = GitIgnoreSpec.from_lines(self._files[folder])
        return self._specs[folder]
