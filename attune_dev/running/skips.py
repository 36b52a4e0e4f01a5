"""The rules by which an action, or one of its targets, has nothing to do (pure).

The executor applies no others. A target may be left out only where the plan lists it for the sake
of a need alone (it is not among ``action.always``), and the rules compare states, never events:
what an earlier, failed run has left undone is not taken for done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.model.plan import ActionKind
from attune_dev.running.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attune_dev.docker.containers import ContainerState, ImageState
    from attune_dev.model.plan import Action
    from attune_dev.running.outcome import ActionResult


_FILLS = (ActionKind.SYNC_PACKS, ActionKind.RERUN)


def blocked(action: Action, results: Mapping[int, ActionResult]) -> str:
    """Why an action cannot run: a need has not succeeded. Empty where it can."""
    for need in action.needs:
        result = results.get(need)
        if result is None:
            return f"action {need} is not in the plan"
        if not result.ok and not _enough(action, result):
            how = result.outcome.value
            how = how if result.outcome is Outcome.FAILED else f"was {how}"
            return f"{result.action.kind.value} (action {need}) {how}"
    return ""


def _enough(action: Action, result: ActionResult) -> bool:
    """Whether a need that failed in part is no reason to wait.

    What was done has to be noticed by those who read it, and what could not be done is there as
    it was: it keeps nobody from starting.
    """
    return result.partly and (action.kind is not ActionKind.RESTART or bool(result.changed))


def followers(action: Action) -> frozenset[str]:
    """The targets that are listed for what the action needs, and for nothing else."""
    return frozenset(action.targets) - frozenset(action.always) if action.needs else frozenset()


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
    action: Action,
    service: str,
    containers: Sequence[ContainerState],
    images: Mapping[str, ImageState],
    results: Mapping[int, ActionResult],
) -> float:
    """When a one-shot ended that needs no new run, in seconds since the epoch; 0 if it does.

    It needs none if it was to follow builds alone, and ended well on the image that is there now.
    """
    needed = [results[need].action.kind for need in action.needs if need in results]
    if service not in followers(action) or any(kind is not ActionKind.BUILD for kind in needed):
        return 0.0
    own = [container for container in containers if container.service == service]
    image = images.get(service)
    if not own or image is None:
        return 0.0
    if all(container.completed and container.image_id == image.id for container in own):
        return max(container.ended for container in own)
    return 0.0


def has_content(
    action: Action,
    service: str,
    containers: Sequence[ContainerState],
    results: Mapping[int, ActionResult],
) -> bool:
    """Whether a service that stands for a restart in a recreate has what it should read.

    Images do not count here: those that are others have led to a new container.
    """
    filled = [results[need] for need in action.needs if results[need].action.kind in _FILLS]
    since = [result.current_since for result in filled]
    own = [container for container in containers if container.service == service]
    if service not in followers(action) or not own or not since or min(since) <= 0:
        return False
    return all(container.running and container.started > max(since) for container in own)


def started_later(
    action: Action,
    service: str,
    containers: Sequence[ContainerState],
    results: Mapping[int, ActionResult],
) -> bool:
    """Whether a service that is to follow runs since after all it follows last changed."""
    since = [results[need].current_since for need in action.needs if need in results]
    own = [container for container in containers if container.service == service]
    if service not in followers(action) or not own or not since or min(since) <= 0:
        return False
    return all(container.running and container.started > max(since) for container in own)
