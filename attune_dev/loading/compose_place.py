"""Absolute paths as Compose prints them, seen from the repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Place:
    """Makes paths relative to the root, also where the root is reached through a link."""

    def __init__(self, root: Path) -> None:
        self._roots = sorted({os.path.abspath(root), os.path.realpath(root)})  # noqa: PTH100

    def path(self, text: str) -> str:
        """``text`` relative to the root if it is inside, else as an absolute, clean path."""
        clean = os.path.normpath(text)
        for candidate in (clean, os.path.realpath(clean)):
            for root in self._roots:
                if candidate == root:
                    return ""
                if candidate.startswith(root.rstrip("/") + "/"):
                    return candidate[len(root.rstrip("/")) + 1 :]
        return clean

    def below(self, folder: str, name: str) -> str:
        """``name`` as seen from the absolute ``folder``, relative to the root if inside."""
        return self.path(os.path.join(folder, name))  # noqa: PTH118
