"""What a sync did, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from attune_dev.errors import ActionError

SHOWN = 5
_DRIFTS = {"missing": "deleted", "altered": "changed", "mode": "given another mode"}
_PLACE = re.compile(r"(.+?):(\d+)(?::(\d+))?", re.DOTALL)


class PackOutcome(StrEnum):
    """What became of a pack."""

    UNCHANGED = "unchanged"
    SYNCED = "synced"
    REMOVED = "removed"
    REFUSED = "refused"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class PackSync:
    """What a sync did to one pack. Paths are relative to the pack.

    Attributes:
        name: the pack's folder.
        outcome: ``refused`` left it as it was, ``blocked`` synced all but some paths.
        added: files, folders and links that are new in the volume.
        changed: those whose content is another one than before.
        deleted: those that are gone.
        modes: those of which only the run bit or permissions changed.
        foreign: what someone else wrote into the volume, left as it is.
        blocked: paths that were not written because a foreign one is in their place.
        refused: ``(path, reason)`` why the pack was not synced.
        skipped: ``(path, reason)`` of what is never synced.
        drifted: path to ``missing``, ``altered`` or ``mode``: what someone changed in the volume
            since the last sync, now as in the pack again.
        file_by_file: whether the volume's file system cannot exchange folders, so that the
            files were renamed one by one.
        seconds: how long it took.
        bytes: content that travelled.
        since: engine's time, seconds since the epoch, after which readers find this content;
            0 if unknown.
    """

    name: str
    outcome: PackOutcome = PackOutcome.UNCHANGED
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    drifted: Mapping[str, str] = field(default_factory=dict)
    file_by_file: bool = False
    seconds: float = 0.0
    bytes: int = 0
    since: float = 0.0

    @property
    def touched(self) -> bool:
        """Whether readers find something else than before."""
        return self.outcome in {PackOutcome.SYNCED, PackOutcome.REMOVED} or bool(
            self.added or self.changed or self.deleted or self.modes
        )

    @property
    def ok(self) -> bool:
        """Whether the volume has the pack as it is on disk."""
        return self.outcome not in {PackOutcome.REFUSED, PackOutcome.BLOCKED}

    @property
    def detail(self) -> str:
        """One line: ``2 added, 1 changed``."""
        if self.outcome is PackOutcome.REFUSED:
            path, reason = self.refused[0]
            return f"{path}: {reason}" if path else reason
        counts = (
            (len(self.added), "added"),
            (len(self.changed), "changed"),
            (len(self.deleted), "deleted"),
            (len(self.modes), "of another mode"),
            (len(self.blocked), "in the way"),
            (len(self.foreign), "foreign"),
        )
        told = ", ".join(f"{count} {what}" for count, what in counts if count)
        if self.outcome is PackOutcome.REMOVED:
            return f"removed, {told}" if told else "removed"
        empty = "an empty pack" if self.outcome is PackOutcome.SYNCED else "nothing to do"
        return told or empty

    def remarks(self) -> list[str]:
        """What else a person should know, one line each."""
        restored = [
            f"{self.name}/{path}: {_DRIFTS[what]} in the volume by someone else, as on disk again"
            for path, what in sorted(self.drifted.items())
            if path not in self.blocked
        ]
        left_out = [f"{self.name}/{path}: left out, {reason}" for path, reason in self.skipped]
        told = [*_first(restored), *_first(left_out)]
        if self.file_by_file:
            told.append(
                f"{self.name}: switched file by file, for this file system cannot exchange "
                "folders: for a moment readers could see files of both versions"
            )
        return told

    def to_dict(self) -> dict[str, Any]:
        """The pack as ``--json`` shows it."""
        return {
            "name": self.name,
            "outcome": self.outcome.value,
            "seconds": round(self.seconds, 3),
            "bytes": self.bytes,
            "added": list(self.added),
            "changed": list(self.changed),
            "deleted": list(self.deleted),
            "modes": list(self.modes),
            "foreign": list(self.foreign),
            "blocked": list(self.blocked),
            "drifted": dict(self.drifted),
            "refused": [{"path": path, "reason": reason} for path, reason in self.refused],
            "skipped": [{"path": path, "reason": reason} for path, reason in self.skipped],
            "file_by_file": self.file_by_file,
        }


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did.

    Attributes:
        volume: name of the volume in Docker.
        folder: the folder of packs, relative to the root.
        packs: one per pack that was looked at, sorted by name.
        foreign_packs: packs in the volume that nobody wrote from here.
        loose: foreign files beside the packs.
        notes: what else is worth a line: a repair, a wait.
        seconds: how long it took.
    """

    volume: str
    folder: str = ""
    packs: tuple[PackSync, ...] = ()
    foreign_packs: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def changed(self) -> bool:
        """Whether any reader finds something else than before."""
        return any(pack.touched for pack in self.packs)

    @property
    def ok(self) -> bool:
        """Whether every pack that was looked at is as on disk."""
        return all(pack.ok for pack in self.packs)

    @property
    def bytes(self) -> int:
        """Content that travelled."""
        return sum(pack.bytes for pack in self.packs)

    def failure(self) -> ActionError | None:
        """The error to show for packs that are not as on disk; ``None`` where all are."""
        start = f"{self.folder}/" if self.folder else ""
        reasons = [
            f"{start}{pack.name}/{path}: {reason}" if path else f"{start}{pack.name}: {reason}"
            for pack in self.packs
            for path, reason in pack.refused
        ]
        reasons += [
            f"{start}{pack.name}/{path}: a file that was not synced is in its place in the volume"
            for pack in self.packs
            for path in pack.blocked
        ]
        if not reasons:
            return None
        names = ", ".join(pack.name for pack in self.packs if not pack.ok)
        file, line, column = _placed(reasons[0].partition(": ")[0])
        refused = any(pack.refused for pack in self.packs)
        return ActionError(
            f"not synced: {names}" if refused else f"not wholly synced: {names}",
            why="\n".join(_first(reasons)),
            hint="mend these files and sync again" if refused else "remove one of the two",
            file=file if line else None,
            line=line,
            column=column,
        )

    def to_dict(self) -> dict[str, Any]:
        """The report as ``inv packs.sync --json`` prints it (version 1)."""
        return {
            "version": 1,
            "ok": self.ok,
            "changed": self.changed,
            "seconds": round(self.seconds, 3),
            "volume": self.volume,
            "bytes": self.bytes,
            "targets": [pack.to_dict() for pack in self.packs],
            "foreign_packs": list(self.foreign_packs),
            "loose": list(self.loose),
            "notes": list(self.notes),
        }


def _first(lines: Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return [*lines[:SHOWN], *more]


def _placed(place: str) -> tuple[str, int | None, int | None]:
    """``file:line:column`` in its parts."""
    found = _PLACE.fullmatch(place)
    if found is None:
        return place, None, None
    return found[1], int(found[2]), int(found[3]) if found[3] else None
