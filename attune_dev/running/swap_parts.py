"""What the fast path has at hand while it works, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attune_dev.docker.builder_run import Program
    from attune_dev.docker.port import SwapPlace
    from attune_dev.model.swap import CompileStage, SwapNote, Swappable


@dataclass(slots=True)
class Made:
    """What was compiled for a service and has not been put in place.

    Attributes:
        place: its containers.
        programs: path in the container to what is to be there.
        note: what the containers are to tell of it.
    """

    place: SwapPlace
    programs: Mapping[str, Program]
    note: SwapNote

    @property
    def files(self) -> dict[str, str]:
        """Path in the container to SHA-256."""
        return {path: program.digest for path, program in self.programs.items()}

    @property
    def runs(self) -> bool:
        """Whether all containers run it."""
        return all(
            lodging.container.running and lodging.note and dict(lodging.note.files) == self.files
            for lodging in self.place.lodgings
        )


@dataclass(slots=True)
class Group:
    """Services whose programs one call of cargo compiles.

    Attributes:
        stage: compiles them.
        services: by name, with where their programs go.
    """

    stage: CompileStage
    services: dict[str, Swappable] = field(default_factory=dict)

    @property
    def programs(self) -> frozenset[str]:
        """Cargo's names of all that they run."""
        return frozenset(p.binary for one in self.services.values() for p in one.placements)

    def without(self, programs: frozenset[str]) -> Group:
        """The services that run none of these programs."""
        left = {
            name: how
            for name, how in self.services.items()
            if not any(p.binary in programs for p in how.placements)
        }
        return Group(self.stage, left)
