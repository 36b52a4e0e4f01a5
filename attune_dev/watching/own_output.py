"""Files that the loop writes itself while it watches: taken for changes they would wake it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def own_output(root: Path, named: Iterable[Path] = ()) -> frozenset[str]:
    """The files below a root that this process writes, relative to it.

    Args:
        root: repository root.
        named: files that it was told to write.

    Returns:
        Those, and the files that its standard output and error lead to.
    """
    root = root.resolve()
    found = set()
    for path in (*named, *_redirected()):
        with suppress(ValueError, OSError):
            found.add(path.resolve().relative_to(root).as_posix())
    return frozenset(found)


def _redirected() -> list[Path]:
    files = []
    for number in (1, 2):
        with suppress(OSError):  # closed, or a system without /proc
            if stat.S_ISREG(os.fstat(number).st_mode):
                files.append(Path(f"/proc/self/fd/{number}").readlink())
    return files
