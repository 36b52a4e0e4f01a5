"""From what is pending to the plan, by definitions that may be wrong at the moment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attune_dev.errors import AttuneDevError
from attune_dev.model.event import Notice, Problem
from attune_dev.model.plan import ActionKind
from attune_dev.planning.together import must_wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attune_dev.model.plan import Plan
    from attune_dev.watching.doubts import Doubts
    from attune_dev.watching.eyes import Eyes, Look
    from attune_dev.watching.parts import Parts
    from attune_dev.watching.pending import Begun, Pending


MOST_NAMES = 3


class Decider:
    """Plans, and has the definitions read again before where that is due.

    Args:
        parts: what the loop works with.
        eyes: told where to look from now on.
        pending: what is to be planned.

    Attributes:
        eyes: as given.
        pending: as given.
    """

    def __init__(self, parts: Parts, eyes: Eyes, pending: Pending) -> None:
        self._parts = parts
        self.eyes = eyes
        self.pending = pending
        self._broken = False  # whether the last good definitions are in force

    def tell_mended(self) -> None:
        """Tells when wrong definitions are right again; what failed by them is tried again."""
        if self._broken and not self.pending.failures_of(ActionKind.RELOAD):
            self._broken = False
            self._parts.tell(Notice("the definitions are in order again"))
            self.pending.retry()

    def doubt(self, look: Look, doubts: Doubts) -> bool:
        """Has work done again that may have read what was there for a moment only."""
        planning = self._parts.planning
        found = doubts.take(look, partial(planning.plan, reread=False))
        self.pending.may_be_read(found.read)
        if doubted := found.again - planning.own_files():
            names = ", ".join(sorted(doubted)[:MOST_NAMES])
            more = " and others" if len(doubted) > MOST_NAMES else ""
            self._parts.tell(Notice(f"touched while being read, doing it again: {names}{more}"))
            self.pending.doubt({path: self.eyes.snapshot.digest(path) for path in doubted})
        return bool(doubted)

    def plan(self) -> Plan:
        """The plan by the definitions as they are now; where they are wrong, as they were."""
        planning, pending = self._parts.planning, self.pending
        plan = pending.choose(planning.plan)
        if not plan.of(ActionKind.RELOAD):
            return plan
        try:
            planning.reload()
        except AttuneDevError as problem:
            return self._plan_as_before(problem)
        pending.mended(ActionKind.RELOAD)
        scope = planning.scope()
        if scope != self._parts.looker.scope:
            self._parts.source.retarget(scope)
            self.eyes.retarget(scope)
        return pending.choose(planning.plan)

    def plan_beside(self, running: Sequence[tuple[Plan, Begun]]) -> Plan | None:
        """The plan for what need not wait for work that runs, ``None`` where all of it has to.

        Args:
            running: the plans of that work, and how things stood when it was begun.

        Raises:
            AttuneDevError: nothing can be planned at the moment.
        """
        planning, pending = self._parts.planning, self.pending
        # what an action writes is taken up by its own plan
        left = pending.in_hand(begun for _, begun in running) | planning.own_files()
        while pending.fresh() - left:
            plan = pending.choose(planning.plan, left)
            waiting = must_wait(plan, [other for other, _ in running])
            if not waiting:
                return plan
            if waiting <= left:
                break
            left |= waiting
        return None

    def _plan_as_before(self, problem: AttuneDevError) -> Plan:
        """The last good definitions stay in force for everything but what is wrong itself."""
        planning, pending = self._parts.planning, self.pending
        if not pending.has_failed(ActionKind.RELOAD, problem):
            self._parts.tell(Problem(problem))
        self._broken = True
        plan = pending.choose(partial(planning.plan, reread=False))
        ends = {path: change.paths for change in plan.changes for path in change.paths}
        causes = {path for action in plan.of(ActionKind.RELOAD) for path in action.paths}
        wrong = {end for path in causes for end in ends.get(path, (path,))}
        pending.fail(problem, wrong, ActionKind.RELOAD)
        return pending.choose(partial(planning.plan, reread=False)) if wrong else plan
