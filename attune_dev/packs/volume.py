"""The state of a volume as the agent tells it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from attune_dev.packs.conversation import Frame
from attune_dev.packs.manifest import Entry, decode


@dataclass(frozen=True, slots=True)
class VolumePack:
    """One pack in the volume.

    Attributes:
        name: its folder.
        state: ``clean`` (as the manifest says), ``differs`` (someone changed what we wrote),
            ``blocked`` (a foreign file is where one of ours should be) or ``foreign``.
        wanted: digest of the pack that it was brought to; ``-`` where it is unknown.
        count: entries that were written here.
        writer: who wrote it last.
        since: engine's time after which readers find this content, 0 if unknown.
        drifted: path to ``missing``, ``altered`` or ``mode``, for what differs.
        foreign: paths that someone else wrote.
        entries: what was written here, where it was asked for.
        sources: path to the digests of a compiled program and of the sources it was made from,
            with the entries.
    """

    name: str
    state: str
    wanted: str
    count: int
    writer: str
    since: float = 0.0
    drifted: dict[str, str] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    sources: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VolumeState:
    """All that is in a volume.

    Attributes:
        packs: by folder name, sorted.
        loose: foreign files beside the packs.
        unfinished: preparations of an interrupted sync, or of one that is going on.
        replaced: former versions that wait for their readers to be done, or were left behind.
    """

    packs: dict[str, VolumePack]
    loose: tuple[str, ...] = ()
    unfinished: int = 0
    replaced: int = 0


def read_state(frames: Iterable[Frame]) -> VolumeState:
    """Reads the answer to ``status``, up to its end.

    Raises:
        ValueError: it has no end, or is no such answer.
    """
    packs: dict[str, VolumePack] = {}
    loose: tuple[str, ...] = ()
    for verb, fields in frames:
        if verb == "end":
            return VolumeState(packs, loose, int(fields[0]), int(fields[1]))
        texts = [os.fsdecode(item) for item in fields]
        if verb == "entries":
            packs[texts[0]] = replace(packs[texts[0]], entries=decode(b"\0".join(fields[1:])))
        elif verb == "sources":
            name, *told = texts
            rows = zip(told[0::3], told[1::3], told[2::3], strict=False)
            packs[name] = replace(packs[name], sources={p: (b, s) for p, b, s in rows})
        elif verb == "loose":
            loose = tuple(texts)
        elif verb == "pack":
            name, state, wanted, count, writer, since, drifts, *paths = texts
            pairs = 2 * int(drifts)
            drifted = dict(zip(paths[1:pairs:2], paths[0:pairs:2], strict=True))
            packs[name] = VolumePack(
                name,
                state,
                wanted,
                int(count),
                writer,
                float(since),
                drifted,
                tuple(paths[pairs:]),
            )
    raise ValueError("the state of the volume has no end")


def frames_of(data: bytes) -> Iterable[Frame]:
    """The frames of an answer that was read as a whole."""
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        verb, _, length = data[at:end].partition(b" ")
        at = end + 1 + int(length)
        payload = data[end + 1 : at]
        yield verb.decode("ascii"), tuple(payload.split(b"\0")) if payload else ()
