"""Actions after a build that failed for some services: done for the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from attune_dev.model.plan import ActionKind
from attune_dev.running.outcome import ActionResult, Outcome, TargetResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from attune_dev.model.compose import ComposeProject
    from attune_dev.model.plan import Action

STARTS = (ActionKind.RECREATE, ActionKind.RERUN)


def held_back(
    action: Action,
    results: Mapping[int, ActionResult],
    project: ComposeProject,
    running: Callable[[], Collection[str]],
) -> dict[str, str]:
    """The targets that are not to be started, with the reason (pure but for ``running``).

    These are the services whose own build failed, which stay as they are, and those that wait for
    one of them that does not run.

    Args:
        action: what is to be done.
        results: of the actions before.
        project: tells who waits for whom.
        running: the services that run now; asked only where a build failed in part.
    """
    if action.kind not in STARTS:
        return {}
    failed = {
        name
        for result in results.values()
        if result.partly and result.action.kind is ActionKind.BUILD
        for name in result.broken
    }
    if not failed:
        return {}
    absent = failed - set(running())
    held: dict[str, str] = {}
    for name in action.targets:
        if name in failed:
            held[name] = f"the build of {name} failed"
        elif waits := sorted(_needs(project, name) & absent):
            held[name] = f"{name} waits for {waits[0]}, whose build failed"
    return held


def run_rest(
    action: Action, held: Mapping[str, str], run: Callable[[Action], ActionResult]
) -> ActionResult:
    """Runs an action for the targets that are not held back; it counts as not done."""
    rest = tuple(name for name in action.targets if name not in held)
    because = "; ".join(sorted(set(held.values())))
    left = [TargetResult(n, "failed", changed=False, detail=why) for n, why in held.items()]
    if not rest:
        return ActionResult(action, Outcome.SKIPPED, targets=tuple(left), because=because)
    result = run(
        replace(
            action,
            targets=rest,
            always=tuple(name for name in action.always if name in rest),
            anew=tuple(name for name in action.anew if name in rest),
            restarts=tuple(name for name in action.restarts if name in rest),
        )
    )
    targets = sorted((*result.targets, *left), key=lambda target: target.name)
    return replace(
        result,
        action=action,
        outcome=Outcome.SKIPPED,
        targets=tuple(targets),
        because=because,
        partly=True,
    )


def _needs(project: ComposeProject, service: str) -> set[str]:
    """All that a service waits for, near and far."""
    found: set[str] = set()
    todo = [service]
    while todo:
        for dependency in project.services[todo.pop()].depends_on:
            if dependency.service in project.services and dependency.service not in found:
                found.add(dependency.service)
                todo.append(dependency.service)
    return found
