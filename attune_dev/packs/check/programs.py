"""Whether compiled programs can run in the services' image."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attune_dev.errors import ActionError, EnvironmentLacksError

if TYPE_CHECKING:
    from attune_dev.packs.elf import Runtime


class Programs:
    """Tells of each program why it could not run; what it said is kept as long as the file stays.

    Args:
        image: the image that runs them; what it offers is asked for at the first program.
        root: repository root, where the answer is kept.
    """

    def __init__(self, image: Callable[[], str], root: Path) -> None:
        self._image = image
        self._root = root
        self._runtime: Runtime | None = None
        self._known: dict[tuple[int, int, int], str] = {}

    def __call__(self, path: Path) -> str:
        """Why it could not run, empty where it can or where nobody can tell."""
        try:
            found = os.stat(path)
        except OSError:
            return ""
        key = (found.st_ino, found.st_ctime_ns, found.st_size)
        if key not in self._known:
            self._known[key] = self._read(path)
        return self._known[key]

    def _read(self, path: Path) -> str:
        from attune_dev.packs.elf import check_program, read_program, runtime_of

        try:
            if self._runtime is None:
                self._runtime = runtime_of(self._image(), self._root)
            check_program(path.name, read_program(path), self._runtime)
        except EnvironmentLacksError:
            return ""
        except ActionError as problem:
            return problem.what
        return ""
