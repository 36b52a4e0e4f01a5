"""Whether services run what they should, by what the engine tells of them (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.docker.containers import Health, State
from attune_dev.doctor.report import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from attune_dev.docker.containers import ContainerState, ImageState
    from attune_dev.model.compose import ComposeProject
    from attune_dev.model.swap import SwapNote
    from attune_dev.packs.mounts import Reader


def of_services(
    project: ComposeProject,
    active: Iterable[str],
    containers: Sequence[ContainerState],
    images: Mapping[str, ImageState],
    current: Collection[str],
) -> Iterator[Finding]:
    """Finds services that do not run, or not what image and definition say.

    Args:
        project: the services.
        active: those that are on.
        containers: of the project.
        images: the present image of each service.
        current: services whose container is of the present image and definition, and runs or
            ended well.
    """
    if not containers:
        yield Finding("", "the stack is not up", "./inv up", Level.NOTE)
        return
    for name in active:
        own = [container for container in containers if container.service == name]
        one_shot = project.one_shot(name)
        if not own:
            yield Finding(name, "is not up", f"./inv up {name}", Level.NOTE)
        for container in own:
            said = _state(container, one_shot=one_shot)
            if said is None and name not in current:
                said = _made_of(container, images.get(name)), f"./inv up {name}"
            if said is not None:
                yield Finding(name, *said)


def _state(container: ContainerState, *, one_shot: bool) -> tuple[str, str] | None:
    """What is wrong with the state of a container, and the next step."""
    name = container.service
    logs = f"./inv logs {name}"
    if container.state is State.RESTARTING:
        return f"ends again and again, with status {container.exit_code} the last time", logs
    if container.state is State.PAUSED:
        return "is paused", f"docker unpause {container.name}"
    if container.running:
        return ("is not healthy", logs) if container.health is Health.UNHEALTHY else None
    if one_shot and container.completed:
        return None
    if container.exit_code and one_shot:
        return f"ended with status {container.exit_code}", logs
    ended = f" (it ended with status {container.exit_code})" if container.ended else ""
    return f"does not run{ended}", f"./inv up {name}"


def _made_of(container: ContainerState, image: ImageState | None) -> str:
    if image is not None and image.id != container.image_id:
        return "its container is older than its image"
    return "its definition is another one than its container was made from"


def of_swaps(notes: Mapping[str, SwapNote], *, watched: bool) -> Iterator[Finding]:
    """Finds services that run other programs than their images hold.

    Args:
        notes: what was exchanged, by service.
        watched: whether an ``inv dev`` is there that did it and will do so again.
    """
    for name, note in sorted(notes.items()):
        if note.since and not watched:
            what = "runs a program that was exchanged in its container and is newer than its image"
            yield Finding(name, what, f"./inv up {name}", Level.NOTE)
        elif not note.since:
            what = "was rolled back: it runs what it ran before"
            yield Finding(name, what, f"./inv up {name}", Level.NOTE)


def of_readers(readers: Iterable[Reader]) -> Iterator[Finding]:
    """Finds containers that do not mount the volume that packs are synced into."""
    for reader in readers:
        if not reader.right:
            mounts = f"mounts {reader.mounted}" if reader.mounted else "mounts nothing there"
            yield Finding(reader.container, mounts, f"./inv up {reader.service}")
