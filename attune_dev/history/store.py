"""The record of builds and actions: one SQLite file per repository, no harm if it is lost.

It is only ever added to. Two processes may write at once; a file that cannot be read is moved
aside and told, and a new one begun; one that a later version has written is left alone.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from attune_dev.errors import EnvironmentLacksError
from attune_dev.history.rows import ActionRow, RunRow, TargetRow
from attune_dev.state import STATE_DIRECTORY, state_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")

FILE = "history.sqlite3"
VERSION = 1
"""Of the schema; SQLite keeps it as ``user_version``."""

WAIT_SECONDS = 5.0
KEPT_RUNS = 20_000
"""Older runs are dropped; at one save a minute these are two months of working days."""

_SCHEMA = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    started REAL NOT NULL,
    seconds REAL NOT NULL,
    ok INTEGER NOT NULL
);
CREATE TABLE actions (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    seconds REAL NOT NULL,
    via TEXT NOT NULL,
    profile TEXT NOT NULL,
    steps INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    compiled TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE TABLE targets (
    action INTEGER NOT NULL REFERENCES actions ON DELETE CASCADE,
    name TEXT NOT NULL,
    outcome TEXT NOT NULL,
    changed INTEGER NOT NULL,
    seconds REAL NOT NULL,
    size INTEGER NOT NULL
);
CREATE INDEX actions_run ON actions (run);
CREATE INDEX actions_kind ON actions (kind, id);
CREATE INDEX targets_action ON targets (action);
"""


class History:
    """The store of one repository. No method raises for the store's sake: work goes on without."""

    def __init__(self, root: Path, say: Callable[[str], None]) -> None:
        """Opens nothing yet.

        Args:
            root: the repository.
            say: is told, once, what is wrong with the store.
        """
        self._root = root
        self._say = say
        self._told = False

    def record(self, run: RunRow) -> bool:
        """Adds a run; returns whether it could."""
        with self._open() as db:
            if db is None:
                return False
            return self._guarded(lambda: _insert(db, run), otherwise=False)

    def builds(self, kind: str = "build", limit: int = 200) -> tuple[ActionRow, ...]:
        """The last builds that ended well and compiled something, newest first, without targets.

        Args:
            kind: of the action.
            limit: how many at most.
        """
        return self._read(lambda db: _builds(db, kind, limit))

    def runs(self, limit: int = 1000) -> tuple[RunRow, ...]:
        """The last runs with all that is known of them, newest first."""
        return self._read(lambda db: _runs(db, limit))

    def _read(self, rows: Callable[[sqlite3.Connection], tuple[T, ...]]) -> tuple[T, ...]:
        """What is in the store; looking makes none."""
        if not (self._root / STATE_DIRECTORY / FILE).exists():
            return ()
        with self._open() as db:
            return () if db is None else self._guarded(lambda: rows(db), otherwise=())

    def _guarded(self, work: Callable[[], T], *, otherwise: T) -> T:
        try:
            return work()
        except sqlite3.Error as problem:
            self._tell(f"the history of builds could not be used: {problem}")
            return otherwise

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        try:
            path = state_directory(self._root) / FILE
            db: sqlite3.Connection | None
            try:
                db = _connect(path)
            except sqlite3.OperationalError:
                raise  # locked for too long, no space, no right to write: the file is not at fault
            except sqlite3.DatabaseError as problem:
                db = self._begin_anew(path, problem)
        except (sqlite3.Error, OSError, EnvironmentLacksError) as problem:
            self._tell(f"builds are not recorded: {problem}")
            yield None
            return
        if db is None:
            yield None
            return
        with closing(db):
            yield db

    def _begin_anew(self, path: Path, problem: Exception) -> sqlite3.Connection | None:
        if isinstance(problem, _Later):
            self._tell(f"builds are not recorded: {STATE_DIRECTORY}/{FILE} is of a later version")
            return None
        aside = path.with_name(f"{FILE}.broken-{time.strftime('%Y%m%d-%H%M%S')}")
        path.replace(aside)
        for rest in ("-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + rest).unlink()
        self._tell(
            f"the history of builds could not be read ({problem}); it is now"
            f" {STATE_DIRECTORY}/{aside.name}, and a new one is begun"
        )
        return _connect(path)

    def _tell(self, line: str) -> None:
        if not self._told:
            self._told = True
            self._say(line)


class _Later(sqlite3.DatabaseError):
    """A later version of this program wrote it."""


def _connect(path: Path) -> sqlite3.Connection:
    """Opens the store, made where there is none.

    Raises:
        sqlite3.DatabaseError: it is no database, or another one than ours.
        sqlite3.OperationalError: it cannot be opened, or is in use for too long.
    """
    db = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    try:
        path.chmod(0o600)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA synchronous = NORMAL")
        if _version(db) == VERSION:
            return db
        # no write-ahead log: switching a file to it fails at once where another process uses it
        with _transaction(db):
            version = _version(db)  # another process may have been here first
            _require_known(version)
            if version == 0:
                for statement in _SCHEMA.split(";\n"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        db.close()
        raise
    return db


def _require_known(version: int) -> None:
    if version > VERSION:
        raise _Later(f"its version is {version}, this program knows {VERSION}")


def _version(db: sqlite3.Connection) -> int:
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    return found


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; the lock is taken at once, so that two writers wait instead of failing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _insert(db: sqlite3.Connection, run: RunRow) -> bool:
    with _transaction(db):
        begun = db.execute(
            "INSERT INTO runs (started, seconds, ok) VALUES (?, ?, ?)",
            (run.started, run.seconds, int(run.ok)),
        )
        for action in run.actions:
            added = db.execute(
                "INSERT INTO actions (run, kind, outcome, seconds, via, profile, steps, cached,"
                " compiled, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(begun.lastrowid, action.kind, action.outcome, action.seconds, action.via),
                    *(action.profile, action.steps, action.cached),
                    *(json.dumps(action.compiled), action.error),
                ),
            )
            db.executemany(
                "INSERT INTO targets (action, name, outcome, changed, seconds, size)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (added.lastrowid, t.name, t.outcome, int(t.changed), t.seconds, t.size)
                    for t in action.targets
                ],
            )
        db.execute("DELETE FROM runs WHERE id <= ?", ((begun.lastrowid or 0) - KEPT_RUNS,))
    return True


_ACTION = "kind, outcome, seconds, via, profile, steps, cached, compiled, error"


def _builds(db: sqlite3.Connection, kind: str, limit: int) -> tuple[ActionRow, ...]:
    rows = db.execute(
        f"SELECT {_ACTION} FROM actions WHERE kind = ? AND compiled != '[]'"  # noqa: S608
        " AND outcome IN ('succeeded', 'unchanged') ORDER BY id DESC LIMIT ?",
        (kind, limit),
    )
    return tuple(_action(row) for row in rows)


def _runs(db: sqlite3.Connection, limit: int) -> tuple[RunRow, ...]:
    found = []
    for key, started, seconds, ok in db.execute(
        "SELECT id, started, seconds, ok FROM runs ORDER BY id DESC LIMIT ?", (limit,)
    ).fetchall():
        actions = []
        for number, *row in db.execute(
            f"SELECT id, {_ACTION} FROM actions WHERE run = ? ORDER BY id",  # noqa: S608
            (key,),
        ).fetchall():
            targets = db.execute(
                "SELECT name, outcome, changed, seconds, size FROM targets WHERE action = ?"
                " ORDER BY rowid",
                (number,),
            )
            told = tuple(TargetRow(n, o, bool(c), s, size) for n, o, c, s, size in targets)
            actions.append(_action(row, told))
        found.append(RunRow(started, seconds, bool(ok), tuple(actions)))
    return tuple(found)


def _action(row: Sequence[Any], targets: tuple[TargetRow, ...] = ()) -> ActionRow:
    kind, outcome, seconds, via, profile, steps, cached, compiled, error = row
    names = tuple(json.loads(compiled))
    return ActionRow(kind, outcome, seconds, via, profile, steps, cached, names, error, targets)
