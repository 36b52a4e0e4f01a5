"""Whether a volume has the packs as they are on disk, without changing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from attune_dev.errors import AttuneDevError
from attune_dev.model.packs import PacksFolder
from attune_dev.packs.cache import load_digests, save_digests
from attune_dev.packs.helper import HelperSession, check_in_reader, volume_exists
from attune_dev.packs.manifest import Entry, PackTree
from attune_dev.packs.scan import pack_names, scan_pack
from attune_dev.packs.volume import VolumePack, VolumeState, frames_of, read_state

UNKNOWN = "unknown"


class PackState(StrEnum):
    """How a pack on disk and in the volume compare."""

    IN_SYNC = "in sync"
    DIFFERS = "differs"
    MISSING = "missing"
    OBSOLETE = "obsolete"
    FOREIGN = "foreign"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PackStatus:
    """One pack. Paths are relative to it.

    Attributes:
        name: its folder.
        state: ``missing`` is not in the volume yet, ``obsolete`` no longer on disk, ``foreign``
            was never here, ``refused`` cannot be synced.
        delta: path to ``added``, ``changed``, ``deleted`` or ``mode``: what is another one on disk
            than what was written into the volume; empty where nobody asked for it.
        drifted: path to ``missing``, ``altered`` or ``mode``: changed in the volume by others.
        foreign: files of others in this pack.
        refused: ``(path, reason)`` why it cannot be synced.
        writer: who brought it there.
        sources: path to the digests of a compiled program in the volume and of its sources.
    """

    name: str
    state: PackState
    delta: tuple[tuple[str, str], ...] = ()
    drifted: tuple[tuple[str, str], ...] = ()
    foreign: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    writer: str = ""
    sources: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def in_sync(self) -> bool:
        """Whether a sync would leave it as it is."""
        return self.state in {PackState.IN_SYNC, PackState.FOREIGN}

    def to_dict(self) -> dict[str, Any]:
        """The pack as ``--json`` shows it."""
        return {
            "name": self.name,
            "state": self.state.value,
            "delta": dict(self.delta),
            "drifted": dict(self.drifted),
            "foreign": list(self.foreign),
            "refused": [{"path": path, "reason": reason} for path, reason in self.refused],
            "writer": self.writer,
        }


def packs_status(
    root: Path,
    folder: PacksFolder,
    volume: str,
    *,
    image: str = "",
    session: HelperSession | None = None,
    deep: bool = False,
    files: bool = False,
) -> tuple[PackStatus, ...] | None:
    """Compares the packs on disk with the volume.

    Args:
        root: repository root.
        folder: the folder of packs.
        volume: name of the volume in Docker.
        image: image for a helper where no running service can tell; without it, none is started.
        session: a helper that is kept.
        deep: whether every file in the volume is read again.
        files: whether the files that differ are told.

    Returns:
        One per pack, on disk or in the volume, sorted by name; ``None`` where nobody can tell.

    Raises:
        EnvironmentLacksError: engine or image is missing.
        ActionError: the helper died.
    """
    options = [word for word, asked in (("deep", deep), ("entries", files)) if asked]
    state = _volume_state(root, volume, image, session, options)
    if state is None:
        return None
    cache = load_digests(root)
    source = root / folder.root
    trees = {name: scan_pack(source / name, cache) for name in pack_names(source)}
    save_digests(root, cache)
    names = sorted({*trees, *state.packs})
    return tuple(_status(name, trees.get(name), state, files=files) for name in names)


def volume_status(root: Path, folder: PacksFolder, volume: str) -> str:
    """In a few words, for a list of services: ``in sync``, ``core differs``, ``unknown``.

    It asks a running service that mounts the volume and starts nothing.
    """
    try:
        statuses = packs_status(root, folder, volume)
    except AttuneDevError:
        return UNKNOWN
    if statuses is None:
        return UNKNOWN
    told = [f"{status.name} {status.state.value}" for status in statuses if not status.in_sync]
    return ", ".join(told) or PackState.IN_SYNC.value


def delta(tree: Sequence[Entry], there: Sequence[Entry]) -> tuple[tuple[str, str], ...]:
    """What a sync would do, as ``(path, what)`` sorted by path.

    Args:
        tree: as it is on disk.
        there: as it was written into the volume.
    """
    before = {entry.path: entry for entry in there}
    now = {entry.path: entry for entry in tree}
    found = {path: "deleted" for path in before if path not in now}
    for path, entry in now.items():
        old = before.get(path)
        if old is None:
            found[path] = "added"
        elif replace(old, mode=entry.mode) != entry:
            found[path] = "changed"
        elif old.mode != entry.mode:
            found[path] = "mode"
    return tuple(sorted(found.items()))


def _volume_state(
    root: Path, volume: str, image: str, session: HelperSession | None, options: Sequence[str]
) -> VolumeState | None:
    request = tuple(option.encode() for option in options)
    if session is not None:
        return read_state(session.talk().ask("status", *request))
    answer = check_in_reader(volume, root=root, options=options)
    if answer is not None:
        return read_state(frames_of(answer))
    if not image:
        return None
    if not volume_exists(volume):
        return VolumeState({})
    with HelperSession(volume, image=image) as helper:
        return read_state(helper.talk().ask("status", *request))


def _status(name: str, tree: PackTree | None, state: VolumeState, *, files: bool) -> PackStatus:
    there = state.packs.get(name)
    entries = tree.entries if tree else ()
    if there is None:
        refused = tree.refused if tree else ()
        found = PackState.REFUSED if refused else PackState.MISSING
        new = delta(entries, ()) if files and not refused else ()
        return PackStatus(name, found, new, refused=refused)
    compared = _compare(tree, there, state)
    differs = files and compared in {PackState.DIFFERS, PackState.OBSOLETE}
    return PackStatus(
        name,
        compared,
        delta(entries, there.entries) if differs else (),
        tuple(sorted(there.drifted.items())),
        there.foreign,
        tree.refused if tree else (),
        there.writer,
        there.sources,
    )


def _compare(tree: PackTree | None, there: VolumePack, state: VolumeState) -> PackState:
    if tree is None:
        return PackState.FOREIGN if there.state == "foreign" else PackState.OBSOLETE
    if tree.refused:
        return PackState.REFUSED
    same = there.state == "clean" and there.wanted == tree.digest and not state.unfinished
    return PackState.IN_SYNC if same else PackState.DIFFERS
