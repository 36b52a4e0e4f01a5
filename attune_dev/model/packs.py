"""Packs: folders of content that services read from a volume or from a bind mount."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PackBinary:
    """A binary that a pack's sensor names as its entry point.

    Attributes:
        name: file name below ``sensors/`` and name of the Cargo binary.
        pack: reference of the pack.
        path: where it is placed, relative to the root.
        package: folder of the Cargo package that has it, ``None`` where there is none.
    """

    name: str
    pack: str
    path: str
    package: str | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack.

    Attributes:
        ref: its reference, the folder's name where ``pack.yaml`` gives none.
        root: its folder, relative to the root.
        binaries: pack binaries that its sensors name.
    """

    ref: str
    root: str
    binaries: tuple[PackBinary, ...] = ()


@dataclass(frozen=True, slots=True)
class PacksFolder:
    """A folder of packs that fills a volume.

    Attributes:
        root: folder relative to the root (``packs``).
        volume: key of the volume in the Compose file.
        filler: the one-shot service that fills it in the plain Compose way.
        packs: by folder name, sorted.
    """

    root: str
    volume: str
    filler: str
    packs: Mapping[str, Pack] = field(default_factory=dict)
