"""What the live board shows, as values folded from events (pure).

Everything that comes from elsewhere is made fit for a terminal here, once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from attune_dev.model.plan import ActionKind
from attune_dev.reporting.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attune_dev.errors import AttuneDevError
    from attune_dev.model.event import ServiceState
    from attune_dev.model.plan import Plan

MOST_DONE = 50
VERBS = {
    ActionKind.RELOAD: "read again",
    ActionKind.BUILD_PACK_BINARIES: "built",
    ActionKind.SYNC_PACKS: "synced",
    ActionKind.BUILD: "built",
    ActionKind.RERUN: "run again",
    ActionKind.RECREATE: "replaced",
    ActionKind.RESTART: "restarted",
}


class Phase(StrEnum):
    """What the loop is about."""

    STARTING = "starting"
    WORKING = "working"
    LIVE = "live"
    FAILED = "not live"
    PAUSED = "paused"
    AWAY = "waiting for the engine"
    STOPPED = "stopped"


class State(StrEnum):
    """How a service is."""

    UNKNOWN = "?"
    ABSENT = "absent"
    LIVE = "live"
    SWAPPED = "swapped"
    WAITING = "waiting"
    BUILDING = "building"
    STARTING = "starting"
    FAILED = "failed"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Row:
    """One service.

    Attributes:
        name: of the service.
        engine: what the engine says, ``None`` before it has said anything.
        doing: what an action does with it, ``None`` where none does.
        failed: the kind of action that failed on it, empty where none has.
        failed_at: when, seconds since the epoch.
        pending: the changes that have not reached it.
        swapped: whether its code was put into the container instead of built into its image.
        edits: the changes that reached it last, those that are live.
        edits_at: when they went live.
        action: what was done to it last, empty where nothing was.
        action_at: when.
        why: why that was done.
    """

    name: str
    engine: ServiceState | None = None
    doing: State | None = None
    failed: str = ""
    failed_at: float = 0.0
    pending: frozenset[str] = frozenset()
    swapped: bool = False
    edits: tuple[str, ...] = ()
    edits_at: float = 0.0
    action: str = ""
    action_at: float = 0.0
    why: str = ""

    @property
    def state(self) -> State:
        """The one word for all of it."""
        if self.doing is not None:
            return self.doing
        if self.failed:
            return State.FAILED
        if self.engine is None:
            return State.UNKNOWN
        if self.engine.state == "running":
            return State.SWAPPED if self.swapped else State.LIVE
        if self.engine.state == "absent":
            return State.ABSENT
        ended_well = self.engine.state == "exited" and self.engine.exit_code == 0
        return State.DONE if self.engine.one_shot and ended_well else State.STOPPED

    @property
    def health(self) -> str:
        """What the engine says of it, empty where all is as it should be without a check."""
        if self.engine is None:
            return ""
        if self.engine.state == "running":
            return self.engine.health
        if self.engine.state == "exited":
            return "" if self.state is State.DONE else f"exited {self.engine.exit_code}"
        return "" if self.engine.state == "absent" else self.engine.state


@dataclass(frozen=True, slots=True)
class Work:
    """An action that runs.

    Attributes:
        text: what and on what.
        started: seconds since the epoch.
        id: of the action; no two that run at once share it.
        doing: how its services are meanwhile.
        services: which these are.
        line: what it said last, or its progress.
        done: how much is done.
        total: how much there is, 0 where that is not known.
        left: seconds that it still takes by what it took before.
        left_at: when that was said.
    """

    text: str
    started: float
    id: int = 0
    doing: State = State.STARTING
    services: frozenset[str] = frozenset()
    line: str = ""
    done: int = 0
    total: int = 0
    left: float | None = None
    left_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that stays until it is mended.

    Attributes:
        kind: of the action, empty where it was none.
        targets: of the action.
        lines: as told, fit for a terminal; the place comes first.
        at: seconds since the epoch.
    """

    kind: str
    targets: tuple[str, ...]
    lines: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Done:
    """Something that has happened: when, what, and whether it was well (``None``: neither)."""

    at: float
    text: str
    ok: bool | None = None


@dataclass(frozen=True, slots=True)
class View:
    """The whole board.

    Attributes:
        phase: what the loop is about.
        since: since when, seconds since the epoch.
        rows: one per service, by name.
        work: what runs now, builds first.
        faults: what is wrong, newest first.
        done: what happened, newest first.
        pending: changes that are not live.
        plan: the last plan, for ``why``.
        urls: by service.
        paused: whether work is held back.
        away: whether the engine is away.
    """

    phase: Phase = Phase.STARTING
    since: float = 0.0
    rows: tuple[Row, ...] = ()
    work: tuple[Work, ...] = ()
    faults: tuple[Fault, ...] = ()
    done: tuple[Done, ...] = ()
    pending: tuple[str, ...] = ()
    plan: Plan | None = None
    urls: Mapping[str, str] | None = None
    paused: bool = False
    away: bool = False

    def row(self, name: str) -> Row:
        """The row of a service, an empty one where there is none."""
        return next((row for row in self.rows if row.name == name), Row(name))

    def doing(self, name: str) -> State | None:
        """What is being done with a service, ``None`` where nothing is."""
        return next((work.doing for work in self.work if name in work.services), None)

    def with_work(self, work: Work) -> View:
        """The board with something put in or replaced that runs."""
        rest = [other for other in self.work if other.id != work.id]
        order = sorted([*rest, work], key=lambda each: each.doing is not State.BUILDING)
        return replace(self, work=tuple(order))

    def without_work(self, id_: int) -> View:
        """The board without what has ended."""
        return replace(self, work=tuple(work for work in self.work if work.id != id_))

    def with_row(self, row: Row) -> View:
        """The board with one row put in or replaced."""
        others = [other for other in self.rows if other.name != row.name]
        return replace(self, rows=tuple(sorted([*others, row], key=lambda row: row.name)))

    def telling(self, at: float, text: str, *, ok: bool | None = None) -> View:
        """The board with something more that has happened."""
        return replace(self, done=(Done(at, text, ok), *self.done)[:MOST_DONE])


def fault_lines(error: AttuneDevError) -> tuple[str, ...]:
    """An error as the board shows it: the place first, then what the compiler said."""
    head = f"{error.where}: {error.what}" if error.where else error.what
    hint = [f"fix: {error.hint}"] if error.hint else []
    return tuple(clean_line(line) for line in [head, *error.why.splitlines(), *hint])
