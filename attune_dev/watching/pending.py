"""What is still to be done, and what of it is worth doing now (pure).

Failed work stays pending and is done again when something it depends on changes, or on request:
never by itself, and not because an unrelated file was saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.model.event import FailedWork
from attune_dev.model.plan import ActionKind
from attune_dev.planning.ledger import Ledger
from attune_dev.running.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from attune_dev.errors import AttuneDevError
    from attune_dev.model.change import Change
    from attune_dev.model.plan import Action, Plan
    from attune_dev.planning.ledger import Edit
    from attune_dev.running.outcome import ActionResult, RunResult


@dataclass(frozen=True, slots=True)
class Failure:
    """An action that did not succeed, and for which state of which files.

    Attributes:
        kind: what was tried; ``None`` where planning itself failed.
        targets: of the action.
        digests: pending path to the digest it had when the action started.
        error: what went wrong, ``None`` for an action that was skipped.
        at: when, seconds since the epoch.
    """

    kind: ActionKind | None
    targets: frozenset[str]
    digests: Mapping[str, str | None]
    error: AttuneDevError | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Begun:
    """How things stood when a piece of work was begun.

    Attributes:
        at: the moment.
        digests: everything that was pending then, path to digest.
        taken: the paths that the work is about.
    """

    at: float
    digests: Mapping[str, str | None]
    taken: frozenset[str]


class Pending:
    """The ledger together with what failed.

    Args:
        wall: seconds since the epoch.
    """

    def __init__(self, wall: Callable[[], float] = lambda: 0.0) -> None:
        self._wall = wall
        self.ledger = Ledger()
        self.failures: tuple[Failure, ...] = ()
        self._moment = 0.0

    def absorb(self, edits: Iterable[Edit]) -> None:
        """Takes what was seen just now into account."""
        self.ledger = self.ledger.absorb(edits, self._now())
        self._drop_stale()

    def doubt(self, digests: Mapping[str, str | None]) -> None:
        """Takes paths in that may have been read when they were others for a moment."""
        self.ledger = self.ledger.doubt(digests, self._now())

    def may_be_read(self, paths: Iterable[str]) -> None:
        """Notes that work that was done meanwhile may have read some paths as they are now."""
        self.ledger = self.ledger.touched(paths)

    def fresh(self) -> frozenset[str]:
        """Pending paths that nothing has failed on as they are."""
        entries = self.ledger.entries
        stuck = {
            path
            for failure in self.failures
            for path, digest in failure.digests.items()
            if path in entries and entries[path].digest == digest
        }
        return frozenset(entries) - stuck

    def newer(self, begun: Begun) -> tuple[Change, ...]:
        """What was saved since a piece of work was begun."""
        entries = self.ledger.entries
        paths = {path for path, e in entries.items() if begun.digests.get(path, "") != e.digest}
        return self.ledger.changes(paths)

    def in_hand(self, begun: Iterable[Begun]) -> frozenset[str]:
        """The pending paths that work that runs is about, as they are now."""
        entries = self.ledger.entries
        return frozenset(
            path
            for work in begun
            for path in work.taken
            if path in entries and work.digests.get(path, "") == entries[path].digest
        )

    def choose(
        self,
        make_plan: Callable[[Sequence[Change]], Plan],
        without: AbstractSet[str] = frozenset(),
    ) -> Plan:
        """The plan for what is worth doing now.

        Failed work joins in where the fresh changes lead to the same kind of action on one of its
        targets: then something that it depends on has changed.

        Args:
            make_plan: gives the plan for changes.
            without: pending paths that are left for later.
        """
        chosen = self.fresh() - without
        while True:
            plan = make_plan(self.ledger.changes(chosen))
            joined = chosen.union(
                path
                for failure in self.failures
                if any(_same_work(action, failure) for action in plan.actions)
                for path in failure.digests
                if path in self.ledger.entries and path not in without
            )
            if joined == chosen:
                return plan
            chosen = joined

    def retry(self) -> None:
        """Forgets what failed: all that is pending is fresh again."""
        self.failures = ()

    def begin(self, plan: Plan) -> Begun:
        """Notes that a plan starts."""
        taken = {path for change in plan.changes for path in change.paths}
        return self._begin(self.ledger.begin(plan), taken)

    def begin_all(self) -> Begun:
        """Notes that something starts that makes everything current."""
        paths = self.ledger.paths
        return self._begin(self.ledger.touched(paths), paths)

    def _begin(self, ledger: Ledger, taken: Iterable[str]) -> Begun:
        self.ledger = ledger
        self.mended(None)
        digests = {path: entry.digest for path, entry in ledger.entries.items()}
        return Begun(self._now(), digests, frozenset(taken))

    def settle(self, result: RunResult, begun: Begun, *, everything: bool = False) -> None:
        """Lets go of what a run has made current, and notes what failed.

        Args:
            result: what became of a plan.
            begun: what ``begin`` told of it.
            everything: whether the plan made everything current, not only what was pending.
        """
        if everything and result.ok:
            self.ledger = self.ledger.settle_all(begun.at)
            self.failures = self.failures_of(ActionKind.RELOAD)
        else:
            self.ledger = self.ledger.settle(result.plan, result.succeeded, begun.at)
        ends = {path: change.paths for change in result.plan.changes for path in change.paths}
        for item in result.results:
            self._note(item, ends, begun)
        self._drop_stale()

    def settle_written(self, digests: Mapping[str, str | None]) -> None:
        """Lets go of what an action wrote itself and later ones of its plan took."""
        self.ledger = self.ledger.settle_written(digests)

    def fail(
        self,
        error: AttuneDevError,
        paths: Iterable[str],
        kind: ActionKind | None = None,
        targets: Iterable[str] = (),
    ) -> None:
        """Notes that nothing can be done about some paths as they are."""
        entries = self.ledger.entries
        digests = {path: entries[path].digest for path in paths if path in entries}
        self.mended(kind)
        failure = Failure(kind, frozenset(targets), digests, error, self._wall())
        self.failures = (*self.failures, failure)

    def mended(self, kind: ActionKind | None) -> None:
        """Forgets failures of one kind."""
        self.failures = tuple(failure for failure in self.failures if failure.kind is not kind)

    def failures_of(self, kind: ActionKind | None) -> tuple[Failure, ...]:
        """Failures of one kind."""
        return tuple(failure for failure in self.failures if failure.kind is kind)

    def has_failed(self, kind: ActionKind | None, error: AttuneDevError) -> bool:
        """Whether an action of this kind has failed in the same way."""
        known = (failure.error for failure in self.failures_of(kind))
        return any(other is not None and other.lines() == error.lines() for other in known)

    @property
    def failed(self) -> tuple[str, ...]:
        """Targets whose last action failed, sorted."""
        return tuple(sorted(set().union(*(failure.targets for failure in self.failures))))

    @property
    def work(self) -> tuple[FailedWork, ...]:
        """What failed and waits, oldest first; where its cause failed, that alone."""
        causes = [failure for failure in self.failures if failure.error is not None]
        return tuple(
            FailedWork(
                failure.kind.value if failure.kind else "",
                tuple(sorted(failure.targets)),
                failure.at,
                tuple(sorted(failure.digests)),
                failure.error,
            )
            for failure in causes or self.failures
        )

    @property
    def ok(self) -> bool:
        """Whether what runs is what is on disk."""
        return not self.ledger and not self.failures

    def _note(self, item: ActionResult, ends: Mapping[str, tuple[str, ...]], begun: Begun) -> None:
        targets = frozenset(item.action.targets)
        self.failures = tuple(
            failure
            for failure in self.failures
            if failure.kind is not item.action.kind or not failure.targets & targets
        )
        if item.outcome in (Outcome.FAILED, Outcome.SKIPPED):
            paths = {end for path in item.action.paths for end in ends.get(path, (path,))}
            digests = {path: begun.digests[path] for path in paths if path in begun.digests}
            broken = frozenset(item.broken)
            failure = Failure(item.action.kind, broken, digests, item.error, self._wall())
            self.failures = (*self.failures, failure)

    def _drop_stale(self) -> None:
        """A failure is over when none of the changes it was about is pending any more."""
        self.failures = tuple(
            failure
            for failure in self.failures
            if not failure.digests or any(path in self.ledger.entries for path in failure.digests)
        )

    def _now(self) -> float:
        """Moments are counted, not measured: two of them are never the same."""
        self._moment += 1.0
        return self._moment


def _same_work(action: Action, failure: Failure) -> bool:
    if action.kind is not failure.kind:
        return False
    return not failure.targets or bool(failure.targets.intersection(action.targets))
