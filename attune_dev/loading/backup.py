"""Files of a repository as they were before they were rewritten, so that it can be undone."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from attune_dev.errors import ActionError
from attune_dev.state import state_directory

FOLDER = "migrate"


class Backup:
    """What was there before, so that all of it can be undone."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Use :meth:`begin` or :meth:`last`."""
        self.folder = folder
        self._root = root

    @classmethod
    def begin(cls, root: Path) -> Backup:
        """A new, empty one."""
        return cls(root, state_directory(root) / FOLDER / time.strftime("%Y%m%d-%H%M%S"))

    @classmethod
    def last(cls, root: Path) -> Backup | None:
        """The newest that was not undone yet."""
        parent = state_directory(root) / FOLDER
        found = sorted(p.parent for p in parent.glob("*/files.json")) if parent.is_dir() else []
        return cls(root, found[-1]) if found else None

    @property
    def paths(self) -> list[str]:
        """What was written so far, sorted."""
        return sorted(self._known())

    def write(self, writes: Mapping[str, str]) -> None:
        """Keeps what is there, then writes.

        Raises:
            ActionError: a file cannot be kept or written; what was written is undone.
        """
        try:
            for path, text in writes.items():
                self._keep(path)
                target = self._root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
        except OSError as problem:
            self.undo()
            raise ActionError("the files could not be written", why=str(problem)) from None

    def undo(self) -> list[str]:
        """Puts everything back; returns the paths."""
        known = self._known()
        if not known:
            return []
        for path, existed in known.items():
            if existed:
                shutil.copy2(self.folder / "files" / path, self._root / path)
            else:
                (self._root / path).unlink(missing_ok=True)
        (self.folder / "files.json").replace(self.folder / "undone.json")
        return sorted(known)

    def _keep(self, path: str) -> None:
        known = self._known()
        if path in known:
            return
        existed = (self._root / path).exists()
        if existed:
            kept = self.folder / "files" / path
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self._root / path, kept)
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(known | {path: existed}, indent=1)
        (self.folder / "files.json").write_text(text, encoding="utf-8")

    def _known(self) -> dict[str, bool]:
        try:
            known: dict[str, bool] = json.loads((self.folder / "files.json").read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return known
