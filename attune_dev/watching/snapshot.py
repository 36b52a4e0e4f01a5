"""The truth about the files: their content, looked at when something hints at a change.

Events are hints. What counts is whether bytes or the run bit differ from the last look: that cures
lost, doubled and untrue events, editors that save by renaming, and saves that change nothing.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attune_dev.errors import ActionError
from attune_dev.planning.ledger import Edit
from attune_dev.watching.content import read_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from attune_dev.watching.content import FileState
    from attune_dev.watching.scope import Scope


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All files looked at, by path.

    Attributes:
        files: path relative to the root to state.
        problems: path to the reason why it could not be looked at, one line.
        seconds: how long the look took.
    """

    files: Mapping[str, FileState] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def digest(self, path: str) -> str | None:
        """The digest of a path, ``None`` where there is no file."""
        state = self.files.get(path)
        return None if state is None else state.digest


def edits_between(old: Snapshot, new: Snapshot) -> tuple[Edit, ...]:
    """Paths whose content differs, sorted."""
    edits = [
        Edit(path, before.digest if before else None, state.digest)
        for path, state in new.files.items()
        if (before := old.files.get(path)) is not state
        and (before is None or before.digest != state.digest)
    ]
    edits += [
        Edit(path, state.digest, None) for path, state in old.files.items() if path not in new.files
    ]
    return tuple(sorted(edits))


def touched_between(old: Snapshot, new: Snapshot) -> frozenset[str]:
    """Paths that something was done to, and whose content is the same."""
    return frozenset(
        path
        for path, state in new.files.items()
        if (before := old.files.get(path)) is not state
        and before is not None
        and before.digest == state.digest
        and state.touched_since(before)
    )


class Snapshotter:
    """Looks at the files of a scope.

    Args:
        root: repository root.
        scope: what belongs to it.
        now_ns: the wall clock, in nanoseconds, for judging how fresh a timestamp is.
    """

    def __init__(self, root: Path, scope: Scope, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.root = root
        self.scope = scope
        self._base = os.fspath(root)
        self._now_ns = now_ns

    def scan(self, known: Snapshot | None = None) -> Snapshot:
        """Looks at everything; content is read only where the times do not vouch for it.

        Args:
            known: an earlier look.

        Raises:
            ActionError: the root is not there.
        """
        known = known or Snapshot()
        started = time.perf_counter()
        self._require_root()
        files: dict[str, FileState] = {}
        problems: dict[str, str] = {}
        self._walk("", known, files, problems)
        return Snapshot(files, problems, time.perf_counter() - started)

    def refresh(self, known: Snapshot, hints: Iterable[str]) -> Snapshot:
        """Looks again at paths that were hinted at; folders with all that is in them.

        Raises:
            ActionError: the root is not there.
        """
        started = time.perf_counter()
        self._require_root()
        files, problems = dict(known.files), dict(known.problems)
        found = {path: self._lstat(path) for path in set(hints)}
        folders = {
            path
            for path, state in found.items()
            if (path not in files if state is None else stat.S_ISDIR(state.st_mode))
        }
        created: set[str] = set()
        for path in sorted(found.keys() - folders):
            if any(above in folders for above in _parents(path)):
                continue  # the walk comes by
            problems.pop(path, None)
            if found[path] is None:
                files.pop(path, None)
            elif self.scope.wants(path):
                self._take(path, known, files, problems)
                if path not in known.files:
                    created.add(path)
        _drop_below(created, files)  # what was a folder may be a file now
        if folders:
            self._refresh_folders(folders, known, files, problems)
        return Snapshot(files, problems, time.perf_counter() - started)

    def digest(self, path: str) -> str | None:
        """The digest of one file as it is now, ``None`` where there is none; from any thread."""
        try:
            state = read_state(self._at(path), self._now_ns())
        except OSError:
            return None
        return None if state is None else state.digest

    def _refresh_folders(
        self,
        folders: set[str],
        known: Snapshot,
        files: dict[str, FileState],
        problems: dict[str, str],
    ) -> None:
        top = {f for f in folders if not any(above in folders for above in _parents(f))}
        _drop_below(top, files)
        _drop_below(top, problems)
        for folder in top:
            files.pop(folder, None)  # it was a file and is a folder now
            if self.scope.reaches(folder):
                self._walk(folder, known, files, problems)

    def _walk(
        self,
        folder: str,
        known: Snapshot,
        files: dict[str, FileState],
        problems: dict[str, str],
    ) -> None:
        todo = [folder]
        while todo:
            current = todo.pop()
            prefix = f"{current}/" if current else ""
            for entry in self._entries(current, problems):
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if self.scope.descends(path):
                        todo.append(path)
                elif self.scope.wants_file(path):
                    self._take_if_new(path, entry, known, files, problems)

    def _entries(self, folder: str, problems: dict[str, str]) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self._at(folder)) as entries:
                yield from entries
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as problem:
            problems[folder] = problem.strerror or str(problem)

    def _take_if_new(
        self,
        path: str,
        entry: os.DirEntry[str],
        known: Snapshot,
        files: dict[str, FileState],
        problems: dict[str, str],
    ) -> None:
        before = known.files.get(path)
        if before is not None and before.certain:
            try:
                found = entry.stat(follow_symlinks=False)
            except OSError:
                return
            if before.vouched_by(found):
                files[path] = before
                return
        self._take(path, known, files, problems)

    def _take(
        self,
        path: str,
        known: Snapshot,
        files: dict[str, FileState],
        problems: dict[str, str],
    ) -> None:
        """Reads one path; where that fails, what was known of it stays and the reason is kept."""
        try:
            state = read_state(self._at(path), self._now_ns())
        except (FileNotFoundError, NotADirectoryError):
            files.pop(path, None)
            return
        except OSError as problem:
            problems[path] = problem.strerror or str(problem)
            if path in known.files:
                files[path] = known.files[path]._replace(certain=0)
            return
        if state is None:
            files.pop(path, None)
        elif (before := known.files.get(path)) == state:
            files[path] = before
        else:
            files[path] = state

    def _lstat(self, path: str) -> os.stat_result | None:
        try:
            return os.lstat(self._at(path))
        except OSError:
            return None

    def _require_root(self) -> None:
        if not Path(self.root).is_dir():
            raise ActionError(
                f"the folder {self.root} is gone",
                why="it was moved, removed or unmounted",
                hint="bring it back, or stop with Ctrl-C",
            )

    def _at(self, path: str) -> str:
        return f"{self._base}/{path}" if path else self._base


def _drop_below(folders: set[str], table: dict[str, Any]) -> None:
    if not folders:
        return
    for path in [p for p in table if any(above in folders for above in _parents(p))]:
        del table[path]


def _parents(path: str) -> Iterator[str]:
    """Every folder above a path, the root included."""
    while path:
        path = path.rpartition("/")[0]
        yield path
