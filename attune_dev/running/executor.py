"""Runs a plan. It decides nothing: what may be left out is stated in ``skips``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from attune_dev.docker.cancel import Cancel
from attune_dev.docker.progress import is_last_part
from attune_dev.errors import ActionError, AttuneDevError, Interrupted
from attune_dev.model.event import Ended, NearlyDone, Output, Progress, Started
from attune_dev.model.plan import Action, ActionKind, Plan
from attune_dev.running import skips
from attune_dev.running.meter import EarlierBuild, Meter
from attune_dev.running.outcome import ActionResult, Outcome, RunResult, TargetResult
from attune_dev.running.ports import PartlyDone, Talk
from attune_dev.running.probation import rollback_hint
from attune_dev.running.update import ImageUpdate, Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from attune_dev.docker.port import DockerPort
    from attune_dev.docker.progress import BuildEvent
    from attune_dev.model.event import Event
    from attune_dev.running.ports import ContentResult, PacksPort

HEALTH_SECONDS = 90.0

OnEvent = Callable[["Event"], None]
OnBuild = Callable[["Action", "BuildEvent"], None]


def _nothing(*_: object) -> None:
    return None


def _no_builds(_: ActionKind) -> tuple[EarlierBuild, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Tools:
    """What actions are done with.

    Attributes:
        port: the engine.
        packs: packs and their binaries; ``None`` where there are none.
        update: the way from sources to running code; by image where it is ``None``.
        reload: reads the repository's files again, for plans that ask for it.
        health_timeout: seconds that services get to become healthy.
        earlier: builds of a kind of action that ended well, newest first.
        profile: Cargo profile that builds are asked for, empty where the Dockerfiles decide.
        record: is given what became of each plan.
    """

    port: DockerPort
    packs: PacksPort | None = None
    update: Update | None = None
    reload: Callable[[], None] = _nothing
    health_timeout: float = HEALTH_SECONDS
    earlier: Callable[[ActionKind], Sequence[EarlierBuild]] = _no_builds
    profile: str = ""
    record: Callable[[RunResult], object] = _nothing


def execute(
    plan: Plan,
    tools: Tools,
    on_event: OnEvent = _nothing,
    *,
    on_build: OnBuild = _nothing,
    cancel: Cancel | None = None,
) -> RunResult:
    """Runs the actions of a plan in order.

    An action whose need has not succeeded is skipped; an error is kept in the results, so that
    what does not depend on it still runs.

    Args:
        plan: what to do.
        tools: what to do it with.
        on_event: is told ``Started``, ``Output`` and ``Ended`` of each action that runs, and
            ``Ended`` alone of one that does not; one call at a time, from any thread.
        on_build: is told the progress of builds as data, in the same way.
        cancel: ends what runs and skips what is left.

    Returns:
        One result per action.
    """
    return _Run(tools, on_event, on_build, cancel or Cancel()).run(plan)


class _Run:
    def __init__(self, tools: Tools, on_event: OnEvent, on_build: OnBuild, cancel: Cancel) -> None:
        self._tools = tools
        self._port = tools.port
        self._update = tools.update or ImageUpdate(tools.port)
        self._cancel = cancel
        self._on_event = on_event
        self._on_build = on_build
        self._telling = threading.Lock()
        self._results: dict[int, ActionResult] = {}
        self._meter = Meter()
        self._nearly_done: set[int] = set()

    def run(self, plan: Plan) -> RunResult:
        started, clock = time.time(), time.monotonic()
        for action in plan.actions:
            result = self._result(action)
            self._results[action.id] = result
            self._tell(_ended(result))
        seconds = round(time.monotonic() - clock, 3)
        made = RunResult(plan, tuple(self._results.values()), started, seconds)
        self._tools.record(made)
        return made

    def _result(self, action: Action) -> ActionResult:
        if self._cancel.requested:
            return ActionResult(action, Outcome.CANCELLED, because="a stop was asked for")
        if why := skips.blocked(action, self._results):
            return ActionResult(action, Outcome.SKIPPED, because=why)
        via = self._update.via(action) if action.kind is ActionKind.BUILD else ""
        self._tell(Started(action, via))
        clock = time.monotonic()
        self._meter = self._meter_for(action, via)
        try:
            result = self._run(action)
        except Interrupted as stop:
            result = ActionResult(action, Outcome.CANCELLED, error=stop, because=stop.what)
        except PartlyDone as error:
            done = _content(action, error.results, "synced")
            result = replace(done, outcome=Outcome.FAILED, error=error, partly=True)
        except AttuneDevError as error:
            result = ActionResult(action, Outcome.FAILED, error=error)
        if via:
            via = self._update.via(action)  # it may have turned out impossible
        seconds = round(time.monotonic() - clock, 3)
        return replace(result, via=via, seconds=seconds, figures=self._meter.figures)

    def _meter_for(self, action: Action, via: str) -> Meter:
        building = action.kind in (ActionKind.BUILD, ActionKind.BUILD_PACK_BINARIES)
        earlier = self._tools.earlier(action.kind) if building else ()
        return Meter(earlier, profile=self._tools.profile, via=via)

    def _run(self, action: Action) -> ActionResult:
        talk = Talk(
            on_line=lambda line: self._tell(Output(action, line)),
            on_build=lambda event: self._tell_build(action, event),
            cancel=self._cancel,
        )
        match action.kind:
            case ActionKind.RELOAD:
                self._tools.reload()
                return ActionResult(action, Outcome.SUCCEEDED)
            case ActionKind.BUILD_PACK_BINARIES:
                return _content(action, self._packs().build_binaries(action.targets, talk), "built")
            case ActionKind.SYNC_PACKS:
                return _content(action, self._packs().sync(action.targets, talk), "synced")
            case ActionKind.BUILD:
                return _made(action, self._update.build(action, talk))
            case ActionKind.RERUN:
                return self._rerun(action, talk)
            case ActionKind.RECREATE:
                return self._recreate(action, talk)
            case ActionKind.RESTART:
                return self._restart(action, talk)

    def _rerun(self, action: Action, talk: Talk) -> ActionResult:
        ended: dict[str, float] = {}
        if skips.followers(action):
            containers, images = self._port.containers(), self._port.images(action.targets)
            for name in action.targets:
                ended[name] = skips.completed_on_image(
                    action, name, containers, images, self._results
                )
        todo = [name for name in action.targets if not ended.get(name)]
        for service in todo:
            self._port.rerun(service, talk.on_line, cancel=talk.cancel)
        result = _made(action, _each(action, "run again", todo))
        if todo:
            return result
        since = max(ended.values())
        return replace(result, because="it ran on what is there now", current_since=since)

    def _recreate(self, action: Action, talk: Talk) -> ActionResult:
        following = sorted(skips.followers(action))
        same = self._update.current(following) if following else frozenset()
        todo = [name for name in action.targets if name not in same]
        changed = set(self._update.apply(todo, action.always, talk)) if todo else set()
        changed |= self._restart_kept(action, changed, talk)
        try:
            self._wait(action.targets, talk)
        except ActionError as problem:
            raise _with_way_back(problem, changed) from None
        result = _made(action, _each(action, "recreated", sorted(changed)))
        return result if changed else replace(result, because="image and definition are the same")

    def _restart_kept(self, action: Action, changed: set[str], talk: Talk) -> set[str]:
        """Restarts those that were to restart and whose container has stayed."""
        kept = [name for name in action.restarts if name not in changed]
        containers = self._port.containers() if kept else ()
        todo = [n for n in kept if not skips.has_content(action, n, containers, self._results)]
        if todo:
            self._port.restart(todo, talk.on_line)
        return set(todo)

    def _restart(self, action: Action, talk: Talk) -> ActionResult:
        current: set[str] = set()
        if following := skips.followers(action):
            containers = self._port.containers()
            current = {
                name
                for name in following
                if skips.started_later(action, name, containers, self._results)
            }
        todo = [name for name in action.targets if name not in current]
        if todo:
            self._port.restart(todo, talk.on_line)
        self._wait(action.targets, talk)
        result = _made(action, _each(action, "restarted", todo))
        return result if todo else replace(result, because="it runs on what is there now")

    def _wait(self, services: Sequence[str], talk: Talk) -> None:
        self._port.wait_healthy(services, self._tools.health_timeout, cancel=talk.cancel)

    def _packs(self) -> PacksPort:
        if self._tools.packs is None:
            raise ActionError("there are no packs here", why="no folder of packs fills a volume")
        return self._tools.packs

    def _tell(self, event: Event) -> None:
        with self._telling:
            self._on_event(event)

    def _tell_build(self, action: Action, event: BuildEvent) -> None:
        with self._telling:
            self._on_build(action, event)
            if now := self._meter.add(event):
                self._on_event(Progress(action, now.text, now.done, now.total, now.left))
            if is_last_part(event) and action.id not in self._nearly_done:
                self._nearly_done.add(action.id)
                self._on_event(NearlyDone(action))


def _with_way_back(problem: ActionError, changed: Iterable[str]) -> ActionError:
    """The error of a service that does not run what it was given, with the way back."""
    name = next((name for name in sorted(changed) if problem.what.startswith(f"{name} ")), "")
    if not name:
        return problem
    return ActionError(problem.what, why=problem.why, hint=rollback_hint(name))


def _each(action: Action, verb: str, changed: Sequence[str] = ()) -> tuple[TargetResult, ...]:
    return tuple(
        TargetResult(name, verb if name in changed else "unchanged", changed=name in changed)
        for name in action.targets
    )


def _made(action: Action, targets: tuple[TargetResult, ...]) -> ActionResult:
    changed = any(target.changed for target in targets)
    return ActionResult(
        action, Outcome.SUCCEEDED if changed else Outcome.UNCHANGED, targets=targets
    )


def _content(action: Action, made: Sequence[ContentResult], verb: str) -> ActionResult:
    targets = tuple(
        TargetResult(
            item.name,
            "failed" if item.failed else verb if item.changed else "unchanged",
            changed=item.changed,
            seconds=item.seconds,
            detail=item.detail,
        )
        for item in made
    )
    since = [item.current_since for item in made]
    known = max(since) if since and min(since) > 0 else 0.0
    return replace(_made(action, targets), current_since=known)


def _ended(result: ActionResult) -> Ended:
    building = result.action.kind in (ActionKind.BUILD, ActionKind.BUILD_PACK_BINARIES)
    details = [f"{t.name}: {t.detail}" for t in result.targets if t.detail]
    return Ended(
        result.action,
        ok=result.ok,
        seconds=result.seconds,
        outcome=result.outcome.value,
        via=result.via,
        detail=result.because or "; ".join(details),
        built=len(result.targets) if building else 0,
        changed=result.changed,
        error=result.error,
    )
