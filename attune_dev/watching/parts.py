"""What the loop works with, as interfaces: a test gives it others than a terminal does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from attune_dev.model.change import Change
    from attune_dev.model.event import Event, Idle
    from attune_dev.model.plan import Action, Plan
    from attune_dev.planning.ledger import Ledger
    from attune_dev.watching.git_quiet import Hold
    from attune_dev.watching.inbox import Message
    from attune_dev.watching.scope import Scope
    from attune_dev.watching.snapshot import Snapshot
    from attune_dev.watching.watcher import ChangeSource
    from attune_dev.watching.worker import Worker


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """Seconds that never go back."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch; they run on while the machine sleeps."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """See :class:`Clock`."""
        return time.monotonic()

    def wall(self) -> float:
        """See :class:`Clock`."""
        return time.time()


class Messages(Protocol):
    """Where the loop waits."""

    def get(self, timeout: float | None) -> Message | None:
        """The next message, ``None`` after ``timeout`` seconds."""
        ...


class Looker(Protocol):
    """Looks at the files of a scope."""

    scope: Scope

    def scan(self, known: Snapshot | None = None) -> Snapshot:
        """Looks at everything."""
        ...

    def refresh(self, known: Snapshot, hints: Iterable[str]) -> Snapshot:
        """Looks again at some paths."""
        ...

    def digest(self, path: str) -> str | None:
        """The digest of one file as it is now; from any thread."""
        ...


class Planning(Protocol):
    """The graph as it is now, and the plans made from it."""

    def plan(self, changes: Sequence[Change], *, reread: bool = True) -> Plan:
        """What changes call for, by the graph as it was read last.

        Args:
            changes: what is pending.
            reread: whether the plan may ask for a ``reload`` first, with nothing else in it,
                because the graph is derived from what has changed.
        """
        ...

    def opening(self, changes: Sequence[Change], *, first: bool) -> Plan:
        """What brings the stack up, current with everything; called beside the loop.

        Args:
            changes: what is known to have changed since the last run.
            first: whether nothing is known of the last run.
        """
        ...

    def reload(self) -> None:
        """Reads the repository's definitions again.

        Raises:
            AttuneDevError: they are wrong; the graph stays as it was.
        """
        ...

    def settled(self) -> None:
        """Told when everything that was pending is current: what is known now has been applied."""
        ...

    def scope(self) -> Scope:
        """Where the outputs read."""
        ...

    def writes(self, action: Action) -> tuple[str, ...]:
        """Files of the repository that an action writes itself."""
        ...

    def own_files(self) -> frozenset[str]:
        """All files of the repository that actions write."""
        ...

    def urls(self) -> tuple[tuple[str, str], ...]:
        """Service and address, for those that answer on the host."""
        ...


class Keeper(Protocol):
    """Keeps between runs what the outputs were made from."""

    note: str

    def load(self) -> Snapshot | None:
        """The files as the outputs were last made from them."""
        ...

    def save(self, snapshot: Snapshot, ledger: Ledger) -> bool:
        """Keeps what they are made from now; ``False`` where it could not."""
        ...


class Quiet(Protocol):
    """Tells whether a tool is rewriting the tree."""

    gave_up: bool

    def hold(self, now: float) -> Hold | None:
        """A reason to wait."""
        ...


class Answering(Protocol):
    """Keeps questions of other processes until they can be answered."""

    def take(self, id_: str) -> bool:
        """Takes a question in; ``False`` where it is known."""
        ...

    def give(self, idle: Idle, held: str = "") -> None:
        """Answers all that were asked."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """How the loop behaves.

    Attributes:
        quiet: seconds without a change until a batch is taken.
        cap: seconds after which a batch is taken although changes go on.
        until_idle: whether the first idle ends it.
        rescan: seconds without activity after which everything is looked at, in case an event
            was lost.
        stop_seconds: how long running work gets to end after the first request to stop.
    """

    quiet: float = 0.15
    cap: float = 2.0
    until_idle: bool = False
    rescan: float = 60.0
    stop_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop works with.

    Attributes:
        messages: where it waits.
        source: where hints come from.
        looker: looks at the disk.
        planning: decides.
        worker: acts.
        tell: is told everything that happens.
        keeper: remembers between runs.
        git: knows when to wait.
        clock: the time.
        answers: tells other processes.
        look_around: has somebody look at what runs, soon.
        put_back: the services that were put back by hand, with ids of their containers.
    """

    messages: Messages
    source: ChangeSource
    looker: Looker
    planning: Planning
    worker: Worker
    tell: Callable[[Event], None]
    keeper: Keeper
    git: Quiet
    clock: Clock
    answers: Answering
    look_around: Callable[[], None] = lambda: None
    put_back: Callable[[], Mapping[str, frozenset[str]]] = dict
