"""Whether services mount the volume that packs are synced into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attune_dev.model.compose import MountKind

if TYPE_CHECKING:
    from attune_dev.docker.containers import ContainerState
    from attune_dev.model.compose import ComposeProject


@dataclass(frozen=True, slots=True)
class Reader:
    """A running container of a service that should mount a volume.

    Attributes:
        service: its service.
        container: its name.
        mounted: what is mounted in the place, empty where nothing is.
        right: whether that is the volume.
    """

    service: str
    container: str
    mounted: str
    right: bool

    def to_dict(self) -> dict[str, Any]:
        """The reader as ``--json`` shows it."""
        return {
            "service": self.service,
            "container": self.container,
            "mounted": self.mounted,
            "right": self.right,
        }


def readers_of(
    compose: ComposeProject, containers: Iterable[ContainerState], key: str
) -> tuple[Reader, ...]:
    """The running containers that read a volume by the Compose file, with what they mount.

    A container that was made before the file said otherwise still mounts what it said then.

    Args:
        compose: the services.
        containers: of the project.
        key: of the volume in the Compose file.
    """
    name = compose.volumes.get(key, key)
    found = []
    for container in containers:
        service = compose.services.get(container.service)
        if service is None or not container.running or compose.one_shot(service.name):
            continue
        for mount in service.mounts:
            if mount.kind is MountKind.VOLUME and mount.source == key:
                made = {there.target: there.source for there in container.mounts}
                mounted = made.get(mount.target, "")
                found.append(Reader(service.name, container.name, mounted, mounted == name))
    return tuple(sorted(found, key=lambda reader: (reader.service, reader.container)))
