"""Checks, what they find, and how that is told."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from attune_dev.errors import AttuneDevError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Level(StrEnum):
    """How much a finding matters: a fault wants to be mended, a note wants to be known."""

    FAULT = "fault"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, or that is good to know.

    Attributes:
        name: what it is about: a file, a service, a pack, an image.
        what: what is the matter with it, one line that follows the name.
        hint: the one next step, empty where there is none.
        level: whether it is a fault.
        why: more about it, line by line.
    """

    name: str
    what: str
    hint: str = ""
    level: Level = Level.FAULT
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The finding as ``--json`` shows it."""
        return {
            "name": self.name,
            "level": self.level.value,
            "what": self.what,
            "why": self.why,
            "hint": self.hint,
        }


class NotKnown(Exception):  # noqa: N818 - reads as what happened
    """A check cannot tell; its text is the reason."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    Attributes:
        id: its name, for people and scripts.
        look: finds; an error that it raises is a finding, too.
        needs: checks before it that must have found no fault, for it would stumble over that.
    """

    id: str
    look: Callable[[], Iterable[Finding]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a check.

    Attributes:
        id: which.
        findings: what it found, in its order.
        unknown: why it could not look, empty where it did.
        seconds: how long it took.
    """

    id: str
    findings: tuple[Finding, ...] = ()
    unknown: str = ""
    seconds: float = 0.0

    @property
    def faults(self) -> int:
        """How many faults it found."""
        return sum(finding.level is Level.FAULT for finding in self.findings)

    @property
    def outcome(self) -> str:
        """``ok``, ``faults``, ``notes`` or ``unknown``."""
        if self.unknown:
            return "unknown"
        return "faults" if self.faults else "notes" if self.findings else "ok"

    def to_dict(self) -> dict[str, Any]:
        """The check as ``--json`` shows it."""
        return {
            "name": self.id,
            "outcome": self.outcome,
            "seconds": round(self.seconds, 3),
            "why": self.unknown,
            "findings": [finding.to_dict() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All that was looked at, in order.

    Attributes:
        checks: one per check.
        seconds: of all.
    """

    checks: tuple[Checked, ...]
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether there is no fault."""
        return not any(check.faults for check in self.checks)

    def lines(self) -> list[str]:
        """What was found, each with its next step, and a line that sums it up."""
        width = max((len(check.id) for check in self.checks), default=0)
        told = []
        for check in self.checks:
            for finding in check.findings:
                told.append(f"{finding.level.value:5}  {check.id:{width}}  {_said(finding)}")
                indent = " " * (9 + width)
                told += [f"{indent}{line}" for line in finding.why.splitlines()]
                told += [f"{indent}fix: {finding.hint}"] if finding.hint else []
        told += [f"       {c.id:{width}}  not known: {c.unknown}" for c in self.checks if c.unknown]
        faults = sum(check.faults for check in self.checks)
        notes = sum(len(check.findings) for check in self.checks) - faults
        counted = [
            f"{count} {word}{'' if count == 1 else 's'}"
            for count, word in ((faults, "fault"), (notes, "note"))
            if count
        ]
        looked = sum(not check.unknown for check in self.checks)
        return [*told, f"{looked} of {len(self.checks)} checks: {', '.join(counted) or 'all well'}"]

    def to_dict(self) -> dict[str, Any]:
        """The report as ``inv doctor --json`` prints it (version 1)."""
        return {
            "version": 1,
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
            "targets": [check.to_dict() for check in self.checks],
        }


def examine(checks: Sequence[Check]) -> Report:
    """Makes all checks, in order.

    Args:
        checks: one that another needs comes before it.
    """
    begun = time.monotonic()
    done: dict[str, Checked] = {}
    for check in checks:
        started = time.monotonic()
        found = _examined(check, done)
        seconds = time.monotonic() - started
        done[check.id] = Checked(check.id, found.findings, found.unknown, seconds)
    return Report(tuple(done.values()), time.monotonic() - begun)


def _examined(check: Check, done: dict[str, Checked]) -> Checked:
    for need in check.needs:
        if done[need].faults:
            return Checked(check.id, unknown=f"see {need}")
        if done[need].unknown:
            return Checked(check.id, unknown=done[need].unknown)
    try:
        return Checked(check.id, tuple(check.look()))
    except NotKnown as reason:
        return Checked(check.id, unknown=str(reason))
    except AttuneDevError as problem:
        return Checked(check.id, (of_error(problem),))


def of_error(problem: AttuneDevError) -> Finding:
    """The finding that an error tells."""
    return Finding(problem.where, problem.what, problem.hint, why=problem.why)


def _said(finding: Finding) -> str:
    return f"{finding.name}: {finding.what}" if finding.name else finding.what
