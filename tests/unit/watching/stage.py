"""A stage for the loop: scripted changes on a real folder, a clock that jumps, a worker that
does what the script says when the script says so."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from attune_dev.errors import ActionError, AttuneDevError
from attune_dev.model.event import Ended, Event, Planned, Started
from attune_dev.model.event_json import to_dict
from attune_dev.model.plan import Action, ActionKind, Because, Ignored, Plan
from attune_dev.planning.together import compiles
from attune_dev.running.outcome import ActionResult, Outcome, RunResult, TargetResult
from attune_dev.watching.git_quiet import Hold
from attune_dev.watching.inbox import Finished, Message, StopNow, Told, Touched
from attune_dev.watching.loop import Loop
from attune_dev.watching.parts import Options, Parts
from attune_dev.watching.questions import Answers
from attune_dev.watching.record import Record
from attune_dev.watching.scope import Scope, everything
from attune_dev.watching.snapshot import Snapshotter
from attune_dev.watching.worker import Job, JobResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from attune_dev.model.change import Change
    from attune_dev.watching.snapshot import Snapshot

FAR = 10_000.0


class FakeClock:
    def __init__(self) -> None:
        self.time = 100.0
        self.slept = 0.0

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return 1_700_000_000.0 + self.time + self.slept


@dataclass(order=True)
class Due:
    at: float
    number: int
    act: Callable[[], Message | None] = field(compare=False)


class Script:
    """The inbox: what is due at which moment; waiting moves the clock to it."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._due: list[Due] = []
        self._number = 0

    def at(self, moment: float, act: Callable[[], Message | None]) -> None:
        self._number += 1
        heapq.heappush(self._due, Due(moment, self._number, act))

    def get(self, timeout: float | None) -> Message | None:
        assert timeout is not None
        until = self._clock.time + timeout
        while self._due and self._due[0].at <= until:
            due = heapq.heappop(self._due)
            self._clock.time = max(self._clock.time, due.at)
            message = due.act()
            if message is not None:
                return message
        self._clock.time = max(self._clock.time, until)
        assert until < FAR, "the loop waits for ever"
        return None


class FakeSource:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.scope: Scope | None = None

    def start(self) -> None:
        self.calls.append("start")

    def check(self) -> None:
        return None

    def retarget(self, scope: Scope) -> None:
        self.calls.append("retarget")
        self.scope = scope

    def stop(self) -> None:
        self.calls.append("stop")


class FakeGit:
    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.busy_until = 0.0
        self.gave_up = False

    def hold(self, now: float) -> Hold | None:
        return Hold(now + 0.1, "git is at work") if now < self.busy_until else None


class Looker(Snapshotter):
    """The real look, with something that happens while it is taken."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, everything())
        self.during: Callable[[], None] = lambda: None

    def scan(self, known: Snapshot | None = None) -> Snapshot:
        self.during()
        return super().scan(known)

    def refresh(self, known: Snapshot, hints: Iterable[str]) -> Snapshot:
        self.during()
        return super().refresh(known, hints)


class FakePlanning:
    """``services/X/…`` builds and recreates X, ``packs/P/…`` syncs P, compose.yaml reloads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problem: AttuneDevError | None = None
        self.reloads = 0
        self.settlements = 0
        self.lock_mended = False
        self.openings: list[tuple[tuple[Change, ...], bool]] = []
        self.opening_actions: tuple[tuple[ActionKind, str], ...] = ((ActionKind.RECREATE, "api"),)
        self.trusting = False  # whether a start does only what has changed since the last run
        self.broken = False
        self.defining: set[str] = set()
        self.unread: set[str] = set()
        self.read: set[str] = set()
        self.new_scope: Scope | None = None

    def plan(self, changes: Sequence[Change], *, reread: bool = True) -> Plan:
        if self.broken:
            raise ZeroDivisionError("division by zero")
        stale = {change.path for change in changes} & self.defining
        if reread and stale - self.read:
            self.unread |= stale
            again = tuple(Because(path, "is read again") for path in sorted(stale))
            return Plan(tuple(changes), (Action(1, ActionKind.RELOAD, (), (), again),))
        causes: dict[tuple[ActionKind, str], list[Because]] = {}
        ignored = []
        for change in changes:
            for path in change.paths:
                kind, target = self._reads(path)
                if kind is None:
                    ignored.append(Ignored(path, "nothing reads it"))
                else:
                    causes.setdefault((kind, target), []).append(Because(path, "reads"))
        actions: list[Action] = []
        for (kind, target), because in sorted(causes.items()):
            targets = (target,) if target else ()
            number = len(actions) + 1
            actions.append(Action(number, kind, targets, (), tuple(because)))
            if kind is ActionKind.BUILD:
                follow = ActionKind.RECREATE
                actions.append(Action(number + 1, follow, targets, (number,), tuple(because)))
            if kind is ActionKind.BUILD_PACK_BINARIES:
                follow = ActionKind.SYNC_PACKS
                actions.append(Action(number + 1, follow, ("core",), (number,), tuple(because)))
        return Plan(tuple(changes), tuple(actions), tuple(ignored))

    @staticmethod
    def _reads(path: str) -> tuple[ActionKind | None, str]:
        words = path.split("/")
        if words[0] == "services" and len(words) > 2:
            return ActionKind.BUILD, words[1]
        if words[0] == "packs" and len(words) > 2:
            return ActionKind.SYNC_PACKS, words[1]
        if words[0] == "timer":
            return ActionKind.BUILD_PACK_BINARIES, "timer"
        return (ActionKind.RELOAD, "") if path == "compose.yaml" else (None, "")

    def opening(self, changes: Sequence[Change], *, first: bool) -> Plan:
        self.openings.append((tuple(changes), first))
        if self.trusting and not first:
            return self.plan(changes, reread=False)
        because = (Because("", "asked for"),)
        actions = [
            Action(number, kind, (target,), (), because)
            for number, (kind, target) in enumerate(self.opening_actions, start=1)
        ]
        return Plan(tuple(changes), tuple(actions))

    def reload(self) -> None:
        self.reloads += 1
        if self.problem is not None:
            raise self.problem
        self.read |= self.unread

    def settled(self) -> None:
        self.settlements += 1

    def scope(self) -> Scope:
        return self.new_scope or everything()

    def writes(self, action: Action) -> tuple[str, ...]:
        kind = ActionKind.BUILD_PACK_BINARIES
        lock = ("Cargo.lock",) if action.kind is ActionKind.BUILD and self.lock_mended else ()
        return ("packs/core/sensors/timer",) if action.kind is kind else lock

    def own_files(self) -> frozenset[str]:
        lock = {"Cargo.lock"} if self.lock_mended else set()
        return frozenset({"packs/core/sensors/timer"} | lock)

    def urls(self) -> tuple[tuple[str, str], ...]:
        return (("api", "http://127.0.0.1:8080"),)


class FakeWorker:
    """Runs a job in fake time; ``fails`` names targets, ``during`` what happens meanwhile."""

    def __init__(self, script: Script, clock: FakeClock) -> None:
        self._script = script
        self._clock = clock
        self.seconds = 1.0
        self.fails: set[str] = set()
        self.raises: AttuneDevError | None = None
        self.plans: list[Plan] = []
        self.cancelled = 0
        self.stubborn = False
        self.closed = False
        self.chance: Callable[[Action], bool] = lambda action: False
        self.applies: Callable[[Action], None] = lambda action: None
        self.at_start: Callable[[], None] = lambda: None
        self.does: dict[ActionKind, Callable[[], None]] = {}
        self.slow: dict[ActionKind, float] = {}
        self._jobs: dict[int, Job] = {}
        self._told_to_end: set[int] = set()

    def start(self, job: Job) -> None:
        beside = [self._jobs[number] for number in self._jobs]
        self._jobs[job.number] = job
        self.at_start()
        assert not (beside and any(each.everything for each in (job, *beside))), "all by itself"
        seconds = self.seconds
        if not job.everything:
            plan, others = job.make_plan(), [each.make_plan() for each in beside]
            assert compiles(plan) not in [compiles(other) for other in others], "one of a kind"
            ids = [{action.id for action in each.actions} for each in (plan, *others)]
            assert sum(map(len, ids)) == len(set().union(*ids)), "ids of their own"
            kinds = {action.kind for action in plan.actions}
            seconds = max((self.slow.get(kind, seconds) for kind in kinds), default=seconds)
        self._script.at(self._clock.time + seconds, lambda: self._end(job))

    def cancel(self, job: Job | None = None) -> None:
        self.cancelled += 1
        for each in self._jobs.values() if job is None else [job]:
            self._told_to_end.add(each.number)
            if not self.stubborn:
                self._script.at(self._clock.time + 0.1, partial(self._end, each))

    def close(self, seconds: float) -> None:
        self.closed = True

    def _end(self, job: Job) -> Message | None:
        if self._jobs.pop(job.number, None) is None:
            return None
        if self.raises is not None:
            return Finished(job, JobResult(error=self.raises))
        self._do_all(job)
        return None

    def _do_all(self, job: Job) -> None:
        plan = job.make_plan()
        self.plans.append(plan)
        self._tell(Planned(plan))
        written: dict[int, Mapping[str, str | None]] = {}
        results: dict[int, ActionResult] = {}
        for action in plan.actions:
            self._tell(Started(action))
            results[action.id] = self._do(job, action, results)
            if results[action.id].ok and (made := job.writes(action)):
                written[action.id] = made
            result = results[action.id]
            self._tell(Ended(action, result.ok, 0.1, result.outcome, error=result.error))
        run = RunResult(plan, tuple(results.values()))
        self._script.at(self._clock.time, lambda: Finished(job, JobResult(run, written=written)))

    def _do(self, job: Job, action: Action, results: Mapping[int, ActionResult]) -> ActionResult:
        if job.number in self._told_to_end:
            return ActionResult(action, Outcome.CANCELLED)
        if any(not results[need].ok for need in action.needs):
            return ActionResult(action, Outcome.SKIPPED)
        if self.fails.intersection(action.targets) or self.chance(action):
            self.applies(action)  # a failed action may have done half of it
            return ActionResult(action, Outcome.FAILED, error=ActionError("it failed"))
        if act := self.does.get(action.kind):
            act()
        self.applies(action)
        targets = tuple(TargetResult(name, "made", changed=True) for name in action.targets)
        return ActionResult(action, Outcome.SUCCEEDED, targets=targets)

    def _tell(self, event: Event) -> None:
        self._script.at(self._clock.time, lambda: Told(event))


class Stage:
    """Everything together."""

    def __init__(self, root: Path, state: Path, **options: Any) -> None:
        self.root = root
        self.state = state
        self.clock = FakeClock()
        self.script = Script(self.clock)
        self.source = FakeSource()
        self.git = FakeGit(self.clock)
        self.planning = FakePlanning(root)
        self.worker = FakeWorker(self.script, self.clock)
        self.events: list[Event] = []
        self.times: list[float] = []
        self.looker = Looker(root)
        self.record = Record(state)
        parts = Parts(
            messages=self.script,
            source=self.source,
            looker=self.looker,
            planning=self.planning,
            worker=self.worker,
            tell=self._tell,
            keeper=self.record,
            git=self.git,
            clock=self.clock,
            answers=Answers(root),
        )
        self.loop = Loop(parts, Options(**options))

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self.times.append(self.clock.time)

    def write(self, path: str, text: str, at: float, *, hint: bool = True) -> None:
        def act() -> Message | None:
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            return Touched(frozenset({path})) if hint else None

        self.script.at(at, act)

    def remove(self, path: str, at: float) -> None:
        def act() -> Message:
            (self.root / path).unlink()
            return Touched(frozenset({path}))

        self.script.at(at, act)

    def do(self, at: float, act: Callable[[], Message | None]) -> None:
        self.script.at(at, act)

    def send(self, message: Message, at: float) -> None:
        self.script.at(at, lambda: message)

    def run(self, until: float = 200.0) -> int:
        self.send(StopNow(130), until)
        return self.loop.run()

    @property
    def told(self) -> list[str]:
        """The events' names as ``--events`` has them."""
        listed = [to_dict(event) for event in self.events]
        return [str(document["event"]) for document in listed if document is not None]

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def described(self) -> list[str]:
        """The plans that ran after the opening."""
        return [plan.describe() for plan in self.worker.plans[1:]]
