"""Programs exchanged in the containers of a Docker in memory."""

# ruff: noqa: ARG002 - a double takes what the real one takes

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import TYPE_CHECKING

from attune_dev.docker.containers import ContainerState, ImageState
from attune_dev.docker.port import FileFacts, Lodging, SwapPlace
from attune_dev.model.swap import SwapNote
from attune_dev.testing.script import Script

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class FakeSwaps(Script):
    """The part of a Docker in memory that exchanges programs."""

    def __init__(self) -> None:
        """Starts with no image and no container."""
        super().__init__()
        self._images: dict[str, ImageState] = {}
        self._containers: dict[str, ContainerState] = {}
        self._superseded: dict[str, ImageState] = {}
        self._swaps: dict[str, tuple[str, list[SwapNote]]] = {}

    @abstractmethod
    def _run(self, container: ContainerState) -> None: ...

    @abstractmethod
    def _tick(self) -> float: ...

    def swapped(self) -> dict[str, SwapNote]:
        """See :class:`DockerPort`."""
        return {
            name: notes[-1]
            for name, (container, notes) in self._swaps.items()
            if name in self._containers and self._containers[name].id == container
        }

    def swap_places(self, paths: Mapping[str, Sequence[str]]) -> dict[str, SwapPlace]:
        """See :class:`DockerPort`."""
        return {service: self._place(service, wanted) for service, wanted in paths.items()}

    def _place(self, service: str, paths: Sequence[str]) -> SwapPlace:
        if service not in self._containers:
            return SwapPlace(service, why="it has no container")
        files = {path: FileFacts(0, 0, 0o755) for path in paths}
        note = self.swapped().get(service)
        return SwapPlace(service, (Lodging(self._containers[service], files, note),))

    def swap(self, place: SwapPlace, programs: Mapping[str, bytes], note: SwapNote) -> None:
        """See :class:`DockerPort`."""
        self.record("swap", (place.service,))
        container = self._containers[place.service]
        before = self._swaps.get(place.service)
        kept = before[1] if before is not None and before[0] == container.id else []
        self._swaps[place.service] = container.id, [*kept, note]
        self._run(container)

    def swap_back(self, service: str) -> SwapNote | None:
        """See :class:`DockerPort`."""
        note = self.swapped().get(service)
        if note is None:
            return None
        self.record("swap_back", (service,))
        container, notes = self._swaps[service]
        before = notes[-2] if len(notes) > 1 else SwapNote(0.0, "", dict(note.files), "")
        self._swaps[service] = container, [note, before]
        self._run(self._containers[service])
        return before

    def keep_swapped(self, service: str) -> bool:
        """See :class:`DockerPort`."""
        note = self.swapped().get(service)
        if note is None:
            return False
        self.record("keep_swapped", (service,))
        self._images[service] = ImageState(digest(service, note.sources), self._tick(), 1)
        return True

    def previous_image(self, service: str) -> bool:
        """See :class:`DockerPort`."""
        before = self._superseded.get(service)
        if before is None:
            return False
        self.record("previous_image", (service,))
        self._superseded[service], self._images[service] = self._images[service], before
        return True


def digest(*words: str) -> str:
    """An image id made of what the image is made of."""
    return "sha256:" + hashlib.sha256("\0".join(words).encode()).hexdigest()
