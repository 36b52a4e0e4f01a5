"""Waits while git rewrites the working tree, so that a branch switch is one change.

Files are looked at, git is not run: running it would make events of its own. A rebase, merge or
bisect that has stopped for the user holds nothing: building is what they stopped for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD_QUIET = 0.5
LONGEST_HOLD = 30.0
RECHECK = 0.1


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason to wait.

    Attributes:
        until: when to ask again, on the caller's clock.
        why: one line.
    """

    until: float
    why: str


class GitQuiet:
    """Tells whether git is at work in a repository.

    Args:
        root: repository root; a folder without ``.git`` is always quiet.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._git = _git_directory(root)
        self._head = self._signature()
        self._moved_at: float | None = None
        self._since: float | None = None
        self.gave_up = False

    def hold(self, now: float) -> Hold | None:
        """A reason to wait, ``None`` where there is none or it has lasted too long.

        Args:
            now: seconds of a clock that never goes back.
        """
        why = self._busy(now)
        if why is None:
            self._since, self.gave_up = None, False
            return None
        self._since = now if self._since is None else self._since
        if now - self._since >= LONGEST_HOLD:
            self.gave_up = True
            return None
        return Hold(now + RECHECK, why)

    def _busy(self, now: float) -> str | None:
        if self._git is None:  # it may become a repository while we watch
            self._git = _git_directory(self._root)
            self._head = self._signature()
        if self._git is None:
            return None
        head = self._signature()
        if head != self._head:
            self._head = head
            self._moved_at = now
        if (self._git / "index.lock").exists():
            return "git is at work (index.lock)"
        if self._moved_at is not None and now - self._moved_at < HEAD_QUIET:
            return "git has just moved HEAD"
        return None

    def _signature(self) -> tuple[int, bytes] | None:
        """What changes when a branch is switched or a commit is made."""
        if self._git is None:
            return None
        try:
            head = self._git / "HEAD"
            return head.stat().st_mtime_ns, head.read_bytes()[:512]
        except OSError:
            return None


def _git_directory(root: Path) -> Path | None:
    """The git directory of a working tree, of a linked one too; ``None`` outside of git."""
    for folder in (root, *root.parents):
        git = folder / ".git"
        if git.is_dir():
            return git
        try:
            text = git.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue
        _, found, place = text.strip().partition("gitdir: ")
        if found:
            return folder / place
    return None
