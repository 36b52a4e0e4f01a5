"""Whether pack binaries are those that their sources would give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from attune_dev.model.workspace import Workspace
from attune_dev.packs.built import MadeFrom, known_builds
from attune_dev.packs.digest import file_digest
from attune_dev.packs.sources import Sources
from attune_dev.planning.graph import build_graph


class BinaryState(StrEnum):
    """How a pack binary and its sources compare."""

    CURRENT = "current"
    STALE = "stale"
    DEVELOPMENT = "development"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BinaryStatus:
    """One pack binary in one pack.

    Attributes:
        name: the Cargo binary.
        pack: folder or reference of the pack that carries it.
        path: where it is, relative to the root.
        state: ``unknown`` was built by something that left no record of its sources,
            ``development`` from its present sources, with another profile than the Dockerfile's.
        place: ``disk``, or ``volume`` where it is missing on disk and the volume has it.
        profile: Cargo profile where it is another one than the Dockerfile's.
    """

    name: str
    pack: str
    path: str
    state: BinaryState
    place: str = "disk"
    profile: str = ""

    @property
    def detail(self) -> str:
        """In words, with what to do."""
        where = " (in the volume; missing on disk)" if self.place == "volume" else ""
        told = {
            BinaryState.CURRENT: "as its sources",
            BinaryState.STALE: "its sources changed since it was built",
            BinaryState.DEVELOPMENT: f"as its sources, but compiled with profile {self.profile}",
            BinaryState.MISSING: "not built yet",
            BinaryState.UNKNOWN: "built by something else, its sources are unknown",
        }[self.state]
        return told + where

    def to_dict(self) -> dict[str, Any]:
        """The binary as ``--json`` shows it."""
        told = {
            "name": self.name,
            "pack": self.pack,
            "path": self.path,
            "outcome": self.state.value,
            "place": self.place,
            "detail": self.detail,
        }
        return told | ({"profile": self.profile} if self.profile else {})


def binary_states(
    root: Path,
    workspace: Workspace,
    names: Iterable[str] = (),
    in_volume: Mapping[str, tuple[str, str]] | None = None,
) -> tuple[BinaryStatus, ...]:
    """Compares pack binaries with their sources; nothing is built and no engine is asked.

    Args:
        root: repository root.
        workspace: tells which there are.
        names: Cargo binaries; all where there is none.
        in_volume: path from the root to the digest of the binary that the volume has, and of the
            sources it was built from, for those that are missing on disk.
    """
    graph = build_graph(workspace)
    sources = Sources(root, graph)
    built = known_builds(root)
    chosen = set(names) or set(graph.pack_binaries)
    found = []
    for name in sorted(chosen & set(graph.pack_binaries)):
        now = sources.digest(name)
        for placed in graph.pack_binaries[name]:
            digest, place = file_digest(root / placed.path), "disk"
            there = (in_volume or {}).get(placed.path)
            made = built.get(digest)
            if digest == "-" and there is None:
                found.append(BinaryStatus(name, placed.pack, placed.path, BinaryState.MISSING))
                continue
            if there is not None and (digest == "-" or (made is None and there[0] == digest)):
                made = MadeFrom.parse(there[1])
            if digest == "-":
                place = "volume"
            profile = made.profile if made is not None else ""
            state = _state(made, now)
            found.append(BinaryStatus(name, placed.pack, placed.path, state, place, profile))
    return tuple(found)


def _state(made: MadeFrom | None, now: str) -> BinaryState:
    if made is None:
        return BinaryState.UNKNOWN
    if made.sources != now:
        return BinaryState.STALE
    return BinaryState.DEVELOPMENT if made.profile else BinaryState.CURRENT
