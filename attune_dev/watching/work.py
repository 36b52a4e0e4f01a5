"""What is being done: from what is pending to a job, and from its end to the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.errors import AttuneDevError
from attune_dev.model.event import (
    Changed,
    Ended,
    NearlyDone,
    Notice,
    Planned,
    Problem,
    Ready,
    Started,
)
from attune_dev.planning.superseding import Superseding
from attune_dev.planning.together import COMPILES, compiles
from attune_dev.running.outcome import RunResult
from attune_dev.watching.doubts import Doubts
from attune_dev.watching.echoes import Echoes, echo, suspicion
from attune_dev.watching.worker import Job, unexpected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from attune_dev.model.event import Event
    from attune_dev.model.plan import Action, Plan
    from attune_dev.watching.decider import Decider
    from attune_dev.watching.memory import Memory
    from attune_dev.watching.parts import Parts
    from attune_dev.watching.pending import Begun
    from attune_dev.watching.surroundings import Surroundings
    from attune_dev.watching.worker import JobResult

    Written = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class _Running:
    """A job that runs.

    Attributes:
        job: which.
        begun: how things stood when it was begun.
        plan: its plan, ``None`` where it makes everything current.
    """

    job: Job
    begun: Begun
    plan: Plan | None


class Work:
    """Jobs, until nothing is worth doing.

    One at a time that compiles and one that does not; nothing beside one that checks everything.

    Args:
        parts: what the loop works with.
        decider: makes plans; what is pending and where is looked is its.
        memory: kept up to date.
        around: told when our own work starts and ends.

    Attributes:
        opened: whether the stack has come up.
        opening_due: whether everything is to be checked, as at the start.
        doubts: what may have been read in another state.
    """

    def __init__(
        self, parts: Parts, decider: Decider, memory: Memory, around: Surroundings
    ) -> None:
        self._parts = parts
        self._decider = decider
        self._eyes = decider.eyes
        self._pending = decider.pending
        self._memory = memory
        self._around = around
        self._echoes = Echoes(parts.clock.wall)
        self._jobs = 0
        self._running: dict[int, _Running] = {}
        self._looked_at: object = None  # what was pending when nothing could be done beside
        self.opened = False
        self.opening_due = True
        self.doubts = Doubts()
        self._superseding = Superseding()

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return bool(self._running)

    def touched(self, paths: frozenset[str]) -> None:
        """Something happened to paths just now."""
        self.doubts.touched(paths)

    def heard(self, event: Event) -> None:
        """Takes in what the worker tells of the build that runs."""
        match event:
            case Planned(plan) if compiles(plan):
                self._superseding = self._superseding.planned(_built(plan))
            case Started(action) if action.kind in COMPILES:
                self._superseding = self._superseding.started(frozenset(action.targets))
            case NearlyDone(action):
                self._superseding = self._superseding.nearly_done(frozenset(action.targets))
            case Ended(action) if action.kind in COMPILES:
                self._superseding = self._superseding.ended(frozenset(action.targets))

    def reconsider(self) -> None:
        """Breaks the builds that run off where what was saved since makes them pointless."""
        builds = next((each for each in self._running.values() if _may_compile(each.plan)), None)
        if builds is None or not self._superseding.running:
            return
        if not (newer := self._pending.newer(builds.begun)):
            return
        try:
            plan = self._parts.planning.plan(newer, reread=False)
        except AttuneDevError:
            return  # told when it is planned in earnest
        self._superseding, judged = self._superseding.judge(_built(plan))
        if judged.told:
            self._parts.tell(Notice(judged.told))
        if judged.cancel:
            self._parts.worker.cancel(builds.job)

    def act(self) -> bool:
        """Starts what is worth doing; returns whether anything is."""
        if self._running:
            return self._act_beside()
        if not self.opening_due and not self._pending.fresh():
            return False
        try:
            plan = self._decider.plan()
        except AttuneDevError as problem:
            self._give_up(problem)
        except Exception as problem:  # noqa: BLE001 - the loop survives a mistake of ours
            self._give_up(unexpected(problem))
        else:
            self._begin(plan)
        return True

    def _act_beside(self) -> bool:
        """Starts what need not wait for what runs."""
        plans = [(each.plan, each.begun) for each in self._running.values() if each.plan]
        state = self._pending.ledger, self._pending.failures, tuple(self._running)
        if self.opening_due or len(plans) < len(self._running) or state == self._looked_at:
            return False
        try:
            plan = self._decider.plan_beside(plans)
        except Exception:  # noqa: BLE001 - it is told when it is planned in earnest
            plan = None
        if plan is None:
            self._looked_at = state
            return False
        self._begin(plan)
        return True

    def _give_up(self, problem: AttuneDevError, paths: Iterable[str] | None = None) -> None:
        """Nothing can be done (about some paths) until something changes."""
        self._parts.tell(Problem(problem))
        self._pending.fail(problem, self._pending.ledger.paths if paths is None else paths)
        self.opening_due = False

    def _begin(self, plan: Plan) -> None:
        if self.opening_due:
            changes, first = self._pending.ledger.changes(), not self._memory.recorded
            begun = self._pending.begin_all()
            planning = self._parts.planning
            self._start_job(lambda: planning.opening(changes, first=first), begun, None)
            self.opening_due = False
        elif plan.actions:
            found = self._echoes.starts(plan, self._written)
            if found.stop:
                self._give_up(echo(found.causes), found.causes)
                return
            if found.causes:
                self._parts.tell(Notice(suspicion(found.causes)))
            begun = self._pending.begin(plan)
            last = max((a.id for each in self._running.values() for a in _actions(each)), default=0)
            numbered = plan.numbered_after(last)
            self._start_job(lambda: numbered, begun, numbered)
        elif plan.changes:
            self._parts.tell(Planned(plan))
            self._pending.settle(RunResult(plan, ()), self._pending.begin(plan))
            self._after_work()

    def _start_job(self, make_plan: Callable[[], Plan], begun: Begun, plan: Plan | None) -> None:
        self._jobs += 1
        self._remember()  # that it was begun: a kill must not leave it looking done
        self._around.working()
        job = Job(self._jobs, make_plan, plan is None, self._digests)
        self._running[job.number] = _Running(job, begun, plan)
        self.doubts.started(job.number, None if plan is None else plan.actions)
        self._parts.worker.start(job)

    def finished(self, job: Job, result: JobResult, since: float) -> None:
        """Takes in what became of a job.

        Args:
            job: which.
            result: what became of it.
            since: when its batch was taken up.
        """
        begun, plan = (ended := self._running.pop(job.number)).begun, ended.plan
        self.doubts.ended(job.number)
        if plan is not None:
            self._echoes.ended(plan)
        if result.error is not None:
            self._parts.tell(Problem(result.error))
            self._pending.fail(result.error, self._pending.ledger.paths)
        elif result.run is not None:
            self._settle(job, begun, result.run, result, since)
        self._after_work()
        if self._running:
            return
        self._around.worked(self._parts.clock.now(), ok=self.opened and self._pending.ok)
        self._parts.look_around()

    def _after_work(self) -> None:
        if self._pending.ok and not self._running:
            self._parts.planning.settled()
        self._remember()

    def _settle(
        self, job: Job, begun: Begun, run: RunResult, result: JobResult, since: float
    ) -> None:
        own_files = self._parts.planning.own_files()
        edits = self._eyes.compare(result.written_paths)
        self._pending.absorb(edits or ())
        self._pending.settle(run, begun, everything=job.everything)
        self._pending.settle_written(result.carried())
        if left := own_files.intersection(self._pending.ledger.entries):
            self._parts.tell(Changed(self._pending.ledger.changes(left), "by an action"))
        if job.everything and run.cancelled:
            self.opening_due = True  # what it was to check is checked by nothing else
        if job.everything and run.ok and not self.opened:
            self.opened = True
            self.opening_due = False  # what was saved meanwhile is pending, and planned as such
            seconds = self._parts.clock.now() - since
            self._parts.tell(Ready(seconds, self._parts.planning.urls()))

    def _digests(self, action: Action) -> Written:
        """What an action has just written; called by the worker, between two actions."""
        looker = self._parts.looker
        return {path: looker.digest(path) for path in self._parts.planning.writes(action)}

    def _written(self, path: str) -> float:
        """When a file was written last, seconds since the epoch; 0 where it is gone."""
        state = self._eyes.snapshot.files.get(path)
        return 0.0 if state is None else state.mtime / 1e9  # nanoseconds

    def _remember(self) -> None:
        """Keeps what the outputs are made from, once that is known."""
        self._memory.save(self._eyes.snapshot, self._pending.ledger, opened=self.opened)


def _actions(running: _Running) -> tuple[Action, ...]:
    return running.plan.actions if running.plan is not None else ()


def _may_compile(plan: Plan | None) -> bool:
    return plan is None or compiles(plan)


def _built(plan: Plan) -> frozenset[str]:
    """What a plan builds: services and pack binaries."""
    return frozenset(n for each in plan.actions if each.kind in COMPILES for n in each.targets)
