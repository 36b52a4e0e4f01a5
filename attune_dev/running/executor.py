"""Runs a plan. It decides nothing: what may run at the same time is stated in ``together``."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from attune_dev.docker.cancel import Cancel
from attune_dev.docker.progress import is_last_part
from attune_dev.errors import AttuneDevError, Interrupted
from attune_dev.model.event import Ended, NearlyDone, Output, Progress, Started
from attune_dev.planning.together import COMPILES, outputs, startable
from attune_dev.running import skips
from attune_dev.running.doing import Doing, Tools, content_result
from attune_dev.running.meter import Meter
from attune_dev.running.outcome import ActionResult, Outcome, RunResult
from attune_dev.running.ports import PartlyDone, Talk

if TYPE_CHECKING:
    from attune_dev.docker.progress import BuildEvent
    from attune_dev.model.event import Event
    from attune_dev.model.plan import Action, Plan

OnEvent = Callable[["Event"], None]
OnBuild = Callable[["Action", "BuildEvent"], None]


def _nothing(*_: object) -> None:
    return None


def execute(
    plan: Plan,
    tools: Tools,
    on_event: OnEvent = _nothing,
    *,
    on_build: OnBuild = _nothing,
    cancel: Cancel | None = None,
) -> RunResult:
    """Runs the actions of a plan, each as soon as what it needs has ended.

    An action whose need has not succeeded is skipped; an error is kept in the results, so that
    what does not depend on it still runs. Actions with different outputs run at the same time.

    Args:
        plan: what to do.
        tools: what to do it with.
        on_event: is told ``Started``, ``Output`` and ``Ended`` of each action that runs, and
            ``Ended`` alone of one that does not; one call at a time, from any thread.
        on_build: is told the progress of builds as data, in the same way.
        cancel: ends what runs and skips what is left.

    Returns:
        One result per action, in the plan's order.
    """
    return _Run(plan, tools, on_event, on_build, cancel or Cancel()).run()


class _Run:
    def __init__(
        self, plan: Plan, tools: Tools, on_event: OnEvent, on_build: OnBuild, cancel: Cancel
    ) -> None:
        self._plan = plan
        self._tools = tools
        self._doing = Doing(tools)
        self._cancel = cancel
        self._on_event = on_event
        self._on_build = on_build
        self._telling = threading.Lock()
        self._running: dict[int, Action] = {}
        self._results: dict[int, ActionResult] = {}
        self._closing: set[int] = set()
        self._news: queue.SimpleQueue[ActionResult | _Mistake | None] = queue.SimpleQueue()

    def run(self) -> RunResult:
        started, clock = time.time(), time.monotonic()
        actions = self._plan.actions
        while len(self._results) < len(actions):
            running, closing = [*self._running.values()], frozenset(self._closing)
            for action in startable(actions, self._results.keys(), running, closing):
                self._start(action)
            ended = self._news.get()
            if isinstance(ended, _Mistake):
                self._give_up(ended)
            if ended is not None:
                self._end(ended)
        results = tuple(self._results[action.id] for action in actions)
        made = RunResult(self._plan, results, started, round(time.monotonic() - clock, 3))
        self._tools.record(made)
        return made

    def _start(self, action: Action) -> None:
        self._running[action.id] = action
        if self._cancel.requested:
            self._news.put(_cancelled(action))
            return
        if why := skips.blocked(action, self._results):
            self._news.put(ActionResult(action, Outcome.SKIPPED, because=why))
            return
        results = dict(self._results)
        name = f"{action.kind.value} {action.id}"
        # no pool: its threads would keep a program that is told to end at once from ending
        threading.Thread(target=self._do, args=(action, results), name=name, daemon=True).start()

    def _end(self, result: ActionResult) -> None:
        del self._running[result.action.id]
        self._results[result.action.id] = result
        self._tell(_ended(result))

    def _give_up(self, mistake: _Mistake) -> NoReturn:
        """A mistake of ours ends the run, but never while something of it still goes on."""
        self._cancel.request()
        del self._running[mistake.action.id]
        while self._running:
            if (ended := self._news.get()) is not None:
                del self._running[ended.action.id]
        raise mistake.problem

    def _do(self, action: Action, results: dict[int, ActionResult]) -> None:
        """One action from its start to its end, in a thread of its own."""
        try:
            with self._tools.turns.take(outputs(action), self._cancel):
                self._news.put(self._result(action, results))
        except Interrupted:
            self._news.put(_cancelled(action))
        except BaseException as problem:  # noqa: BLE001 - raised where the run was asked for
            self._news.put(_Mistake(action, problem))

    def _result(self, action: Action, results: dict[int, ActionResult]) -> ActionResult:
        via = self._doing.via(action)
        meter = self._meter(action, via)
        talk = Talk(
            on_line=lambda line: self._tell(Output(action, line)),
            on_build=_Building(self, action, meter),
            cancel=self._cancel,
        )
        self._tell(Started(action, via))
        clock = time.monotonic()
        try:
            result = self._doing.do(action, talk, results)
        except Interrupted as stop:
            result = ActionResult(action, Outcome.CANCELLED, error=stop, because=stop.what)
        except PartlyDone as error:
            done = content_result(action, error.results, "synced")
            result = replace(done, outcome=Outcome.FAILED, error=error, partly=True)
        except AttuneDevError as error:
            result = ActionResult(action, Outcome.FAILED, error=error)
        if via:
            via = self._doing.via(action)  # it may have turned out impossible
        seconds = round(time.monotonic() - clock, 3)
        return replace(result, via=via, seconds=seconds, figures=meter.figures)

    def _meter(self, action: Action, via: str) -> Meter:
        earlier = self._tools.earlier(action.kind) if action.kind in COMPILES else ()
        return Meter(earlier, profile=self._tools.profile, via=via)

    def _tell(self, event: Event) -> None:
        with self._telling:
            self._on_event(event)

    def tell_build(self, building: _Building, event: BuildEvent) -> None:
        """Tells the progress of a build as data, and what follows from it."""
        with self._telling:
            self._on_build(building.action, event)
            if now := building.meter.add(event):
                told = Progress(building.action, now.text, now.done, now.total, now.left)
                self._on_event(told)
            if is_last_part(event) and not building.nearly_done:
                building.nearly_done = True
                self._on_event(NearlyDone(building.action))
                self._closing.add(building.action.id)
                self._news.put(None)


class _Building:
    """What is known of one build that runs; called with each event of it."""

    def __init__(self, run: _Run, action: Action, meter: Meter) -> None:
        self._run = run
        self.action = action
        self.meter = meter
        self.nearly_done = False

    def __call__(self, event: BuildEvent) -> None:
        self._run.tell_build(self, event)


class _Mistake:
    """Something that no action may raise."""

    def __init__(self, action: Action, problem: BaseException) -> None:
        self.action = action
        self.problem = problem


def _cancelled(action: Action) -> ActionResult:
    return ActionResult(action, Outcome.CANCELLED, because="a stop was asked for")


def _ended(result: ActionResult) -> Ended:
    building = result.action.kind in COMPILES
    details = [f"{t.name}: {t.detail}" for t in result.targets if t.detail]
    return Ended(
        result.action,
        ok=result.ok,
        seconds=result.seconds,
        outcome=result.outcome.value,
        via=result.via,
        detail=result.because or "; ".join(details),
        built=len(result.done) if building else 0,
        changed=result.changed,
        error=result.error,
        broken=result.broken if result.partly else (),
    )
