"""The rules by which an action has nothing to do (pure). The executor applies no others.

All of them compare states, never events: what an earlier, failed run has left undone is not
taken for done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.running.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attune_dev.docker.containers import ContainerState, ImageState
    from attune_dev.model.plan import Action
    from attune_dev.running.outcome import ActionResult


def blocked(action: Action, results: Mapping[int, ActionResult]) -> str:
    """Why an action cannot run: a need has not succeeded. Empty where it can."""
    for need in action.needs:
        result = results.get(need)
        if result is None or not result.ok:
            what = "did not run" if result is None else f"was {result.outcome.value}"
            if result is not None and result.outcome is Outcome.FAILED:
                what = "failed"
            named = "" if result is None else f" ({result.action.kind.value})"
            return f"action {need}{named} {what}"
    return ""


def only_follows(action: Action, results: Mapping[int, ActionResult]) -> bool:
    """Whether all its causes are causes of what it needs, and all of that was unchanged."""
    needed = [results[need] for need in action.needs if need in results]
    if not needed or any(result.outcome is not Outcome.UNCHANGED for result in needed):
        return False
    return action.paths <= frozenset[str]().union(*(r.action.paths for r in needed))


def follows_build(action: Action, results: Mapping[int, ActionResult]) -> frozenset[str]:
    """Targets of a recreate whose image a needed build left unchanged, if that is all it is for."""
    needed = [results[need] for need in action.needs if need in results]
    known = frozenset[str]().union(*(result.action.paths for result in needed))
    if not needed or not action.paths <= known:
        return frozenset()
    built = {target.name: target.changed for result in needed for target in result.targets}
    return frozenset(name for name in action.targets if built.get(name) is False)


def runs_image(
    service: str, containers: Sequence[ContainerState], images: Mapping[str, ImageState]
) -> bool:
    """Whether all containers of a service run, and on its present image."""
    own = [container for container in containers if container.service == service]
    image = images.get(service)
    return bool(own) and all(
        container.running and image is not None and container.image_id == image.id
        for container in own
    )


def completed_on_image(
    service: str, containers: Sequence[ContainerState], images: Mapping[str, ImageState]
) -> float:
    """When a one-shot ran that ended well on its present image; 0 where it did not."""
    own = [container for container in containers if container.service == service]
    image = images.get(service)
    if not own or image is None:
        return 0.0
    if all(container.completed and container.image_id == image.id for container in own):
        return max(container.ended for container in own)
    return 0.0


def started_later(
    service: str,
    containers: Sequence[ContainerState],
    action: Action,
    results: Mapping[int, ActionResult],
) -> bool:
    """Whether a service runs since after all that the action needs last changed."""
    since = [results[need].current_since for need in action.needs if need in results]
    own = [container for container in containers if container.service == service]
    if not own or not since or min(since) <= 0:
        return False
    return all(container.running and container.started > max(since) for container in own)
