"""When to look at the files, and what has changed since the last look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.errors import ActionError, AttuneDevError
from attune_dev.model.event import Notice, Problem
from attune_dev.watching.debounce import Debouncer
from attune_dev.watching.snapshot import Snapshot, edits_between, touched_between
from attune_dev.watching.timing import Alarm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attune_dev.planning.ledger import Edit
    from attune_dev.watching.parts import Options, Parts
    from attune_dev.watching.scope import Scope

RESCAN_FACTOR = 500  # looking at everything, just in case, takes 0.2 % of the time at most


@dataclass(frozen=True, slots=True)
class Look:
    """What a look has found.

    Attributes:
        edits: what differs.
        hints: what it was about and could be read; empty where everything was looked at.
        touched: what something was done to though its content is the same.
        everything: whether all files were looked at.
    """

    edits: tuple[Edit, ...]
    hints: frozenset[str] = frozenset()
    touched: frozenset[str] = frozenset()
    everything: bool = False


class Eyes:
    """Collects hints, waits until they are quiet and git is, then compares content.

    Attributes:
        snapshot: the last look.
    """

    def __init__(self, parts: Parts, options: Options) -> None:
        self.snapshot = Snapshot()
        self._looker = parts.looker
        self._git = parts.git
        self._tell = parts.tell
        self._clock = parts.clock
        self._debouncer = Debouncer(options.quiet, options.cap)
        self._rescan = Alarm(options.rescan)
        self._least_rescan = options.rescan
        self._all = False
        self._hold_until: float | None = None
        self._told_hold = ""
        self._blind = ""
        self._touched: frozenset[str] = frozenset()

    def first_look(self, known: Snapshot | None) -> tuple[Edit, ...]:
        """Looks at everything.

        Args:
            known: the files as they were when they were current, ``None`` where that is unknown.

        Returns:
            What differs from then.

        Raises:
            AttuneDevError: the root is not there.
        """
        self._take(self._scan(known))
        return () if known is None else edits_between(known, self.snapshot)

    def touch(self, paths: Iterable[str]) -> None:
        """Takes hints."""
        now = self._clock.now()
        for path in paths:
            self._debouncer.add(path, now)

    def want_everything(self) -> None:
        """Asks for a look at everything, as soon as git is quiet."""
        self._all = True

    @property
    def waiting(self) -> bool:
        """Whether a look is to come."""
        return self._all or self._debouncer.deadline() is not None

    def deadline(self) -> float:
        """When to ask for the next look."""
        due = self._clock.now() if self._all else self._debouncer.deadline()
        moment = self._rescan.at if due is None else min(due, self._rescan.at)
        return moment if self._hold_until is None else max(moment, self._hold_until)

    def look(self) -> Look | None:
        """Looks where it is time to; ``None`` where it is not, or where nothing can be seen."""
        now = self._clock.now()
        due = self._debouncer.deadline()
        batch = self._all or (due is not None and now >= due)
        if not batch and now < self._rescan.at:
            return None
        if self._held(now):
            return None
        everything = self._all or not batch
        hints = self._debouncer.flush() if batch else frozenset[str]()
        try:
            if everything:
                new = self._scan(self.snapshot)
            else:
                new = self._looker.refresh(self.snapshot, hints)
        except AttuneDevError as problem:
            self._cannot_see(problem)
            if everything:
                self._all = False
                self._rescan.wind(self._clock.now())
            return None
        if self._held(self._clock.now()):  # git began meanwhile: half of what it does may be seen
            self._all = everything
            self.touch(hints)
            return None
        return self._seen(new, hints, everything=everything)

    def compare(self, hints: Iterable[str]) -> tuple[Edit, ...] | None:
        """Looks at some paths at once; ``None`` where nothing can be seen."""
        try:
            new = self._looker.refresh(self.snapshot, hints)
        except AttuneDevError as problem:
            self._cannot_see(problem)
            return None
        return self._take(new)

    def retarget(self, scope: Scope) -> None:
        """Looks at another scope from now on; what only came into view has not changed."""
        before, self._looker.scope = self._looker.scope, scope
        try:
            new = self._scan(self.snapshot)
        except AttuneDevError as problem:
            self._cannot_see(problem)
            return
        kept = {p: state for p, state in self.snapshot.files.items() if scope.wants(p)}
        come = {path: state for path, state in new.files.items() if not before.wants(path)}
        self.snapshot = Snapshot({**kept, **come}, self.snapshot.problems, new.seconds)
        self._all = True

    def _seen(self, new: Snapshot, hints: frozenset[str], *, everything: bool) -> Look:
        before = self.snapshot.files
        edits = self._take(new)
        if everything:
            self._all = False
            return Look(edits, touched=self._touched, everything=True)
        gone = {path for path in hints if path not in before and path not in new.files}
        return Look(edits, hints - new.problems.keys(), self._touched | gone)

    def _scan(self, known: Snapshot | None) -> Snapshot:
        """Looks at everything; the longer that takes, the later it is done again just in case."""
        new = self._looker.scan(known)
        self._rescan.period = max(self._least_rescan, RESCAN_FACTOR * new.seconds)
        return new

    def _take(self, new: Snapshot) -> tuple[Edit, ...]:
        old, self.snapshot = self.snapshot, new
        self._blind = ""
        self._touched = touched_between(old, new)
        self._rescan.wind(self._clock.now())
        for path, why in sorted(new.problems.items()):
            if old.problems.get(path) != why:
                error = ActionError(f"cannot read {path}", why=why, hint="correct its permissions")
                self._tell(Problem(error))
        return edits_between(old, new)

    def _cannot_see(self, problem: AttuneDevError) -> None:
        if problem.what != self._blind:
            self._blind = problem.what
            self._tell(Problem(problem))

    def _held(self, now: float) -> bool:
        hold = self._git.hold(now)
        if hold is None:
            if self._told_hold and self._git.gave_up:
                self._tell(Notice(f"{self._told_hold} for long; not waiting any more"))
            self._told_hold, self._hold_until = "", None
            return False
        if not self._told_hold:
            self._tell(Notice(f"waiting: {hold.why}"))
            self._told_hold = hold.why
        self._hold_until = hold.until
        return True
