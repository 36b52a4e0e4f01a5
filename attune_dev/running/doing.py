"""How each kind of action is done. What may be left out is stated in ``skips``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from attune_dev.errors import ActionError
from attune_dev.model.plan import ActionKind
from attune_dev.running import skips
from attune_dev.running.outcome import ActionResult, Outcome, TargetResult
from attune_dev.running.partly import held_back, run_rest
from attune_dev.running.probation import rollback_hint
from attune_dev.running.turns import Turns
from attune_dev.running.update import ImageUpdate, PartlyBuilt, Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from attune_dev.docker.port import DockerPort
    from attune_dev.model.plan import Action
    from attune_dev.running.meter import EarlierBuild
    from attune_dev.running.outcome import RunResult
    from attune_dev.running.ports import ContentResult, PacksPort, Talk

HEALTH_SECONDS = 90.0


def _nothing(*_: object) -> None:
    return None


def _no_builds(_: ActionKind) -> tuple[EarlierBuild, ...]:
    return ()


def _all_readable(_: Sequence[str]) -> tuple[str, ...]:
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
        turns: shared by plans that run at the same time.
        unreadable: told services, the files that they are built from and that we may not read.
    """

    port: DockerPort
    packs: PacksPort | None = None
    update: Update | None = None
    reload: Callable[[], None] = _nothing
    health_timeout: float = HEALTH_SECONDS
    earlier: Callable[[ActionKind], Sequence[EarlierBuild]] = _no_builds
    profile: str = ""
    record: Callable[[RunResult], object] = _nothing
    turns: Turns = field(default_factory=Turns)
    unreadable: Callable[[Sequence[str]], Sequence[str]] = _all_readable


class Doing:
    """Does actions with these tools.

    Args:
        tools: what they are done with.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._port = tools.port
        self._update = tools.update or ImageUpdate(tools.port)

    def via(self, action: Action) -> str:
        """How a build is done, ``image`` or ``swap``; empty for everything else."""
        return self._update.via(action) if action.kind is ActionKind.BUILD else ""

    def do(self, action: Action, talk: Talk, results: Mapping[int, ActionResult]) -> ActionResult:
        """Does an action whose needs are met.

        Args:
            action: which.
            talk: where to tell, and what ends it.
            results: at least of what it needs.

        Raises:
            AttuneDevError: it failed or was cancelled.
        """
        held = held_back(action, results, self._port.project, self._running)
        if held:
            return run_rest(action, held, lambda rest: self._do(rest, talk, results))
        return self._do(action, talk, results)

    def _do(self, action: Action, talk: Talk, results: Mapping[int, ActionResult]) -> ActionResult:
        match action.kind:
            case ActionKind.RELOAD:
                self._tools.reload()
                return ActionResult(action, Outcome.SUCCEEDED)
            case ActionKind.BUILD_PACK_BINARIES:
                return content_result(
                    action, self._packs().build_binaries(action.targets, talk), "built"
                )
            case ActionKind.SYNC_PACKS:
                return content_result(action, self._packs().sync(action.targets, talk), "synced")
            case ActionKind.BUILD:
                return self._build(action, talk)
            case ActionKind.RERUN:
                return self._rerun(action, talk, results)
            case ActionKind.RECREATE:
                return self._recreate(action, talk, results)
            case ActionKind.RESTART:
                return self._restart(action, talk, results)

    def _build(self, action: Action, talk: Talk) -> ActionResult:
        if hidden := self._tools.unreadable(action.targets):
            raise ActionError(
                f"cannot read {', '.join(hidden)}",
                why="permission denied; the images would have it empty",
                hint="correct the permissions and save it again",
            )
        try:
            return _made(action, self._update.build(action, talk))
        except PartlyBuilt as error:
            done = _made(action, error.targets)
            return replace(done, outcome=Outcome.FAILED, error=error, partly=True)

    def _running(self) -> frozenset[str]:
        return frozenset(each.service for each in self._port.containers() if each.running)

    def _rerun(
        self, action: Action, talk: Talk, results: Mapping[int, ActionResult]
    ) -> ActionResult:
        ended: dict[str, float] = {}
        if skips.followers(action):
            containers, images = self._port.containers(), self._port.images(action.targets)
            for name in action.targets:
                ended[name] = skips.completed_on_image(action, name, containers, images, results)
        todo = [name for name in action.targets if not ended.get(name)]
        for service in todo:
            self._port.rerun(service, talk.on_line, cancel=talk.cancel)
        result = _made(action, _each(action, "run again", todo))
        if todo:
            return result
        since = max(ended.values())
        return replace(result, because="it ran on what is there now", current_since=since)

    def _recreate(
        self, action: Action, talk: Talk, results: Mapping[int, ActionResult]
    ) -> ActionResult:
        following = sorted(skips.followers(action))
        same = self._update.current(following) if following else frozenset()
        todo = [name for name in action.targets if name not in same]
        changed = set(self._update.apply(todo, action.anew, talk)) if todo else set()
        changed |= self._restart_kept(action, changed, talk, results)
        try:
            self._wait(action.targets, talk)
        except ActionError as problem:
            raise _with_way_back(problem, changed) from None
        result = _made(action, _each(action, "recreated", sorted(changed)))
        return result if changed else replace(result, because="image and definition are the same")

    def _restart_kept(
        self,
        action: Action,
        changed: set[str],
        talk: Talk,
        results: Mapping[int, ActionResult],
    ) -> set[str]:
        """Restarts those that were to restart and whose container has stayed."""
        kept = [name for name in action.restarts if name not in changed]
        containers = self._port.containers() if kept else ()
        todo = [n for n in kept if not skips.has_content(action, n, containers, results)]
        if todo:
            self._port.restart(todo, talk.on_line)
        return set(todo)

    def _restart(
        self, action: Action, talk: Talk, results: Mapping[int, ActionResult]
    ) -> ActionResult:
        current: set[str] = set()
        if following := skips.followers(action):
            containers = self._port.containers()
            current = {
                name for name in following if skips.started_later(action, name, containers, results)
            }
        todo = [name for name in action.targets if name not in current]
        ready = self._port.restart(todo, talk.on_line) if todo else frozenset()
        if late := [name for name in action.targets if name not in ready]:
            self._wait(late, talk)
        result = _made(action, _each(action, "restarted", todo))
        return result if todo else replace(result, because="it runs on what is there now")

    def _wait(self, services: Sequence[str], talk: Talk) -> None:
        self._port.wait_healthy(services, self._tools.health_timeout, cancel=talk.cancel)

    def _packs(self) -> PacksPort:
        if self._tools.packs is None:
            raise ActionError("there are no packs here", why="no folder of packs fills a volume")
        return self._tools.packs


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


def content_result(action: Action, made: Sequence[ContentResult], verb: str) -> ActionResult:
    """What became of an action on packs or pack binaries.

    Args:
        action: which.
        made: one per pack or binary.
        verb: what was done to those that changed.
    """
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
