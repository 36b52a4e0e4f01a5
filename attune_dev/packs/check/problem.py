"""What a check finds, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much it matters: an error stops the sync of its pack."""

    ERROR = "error"
    WARNING = "warning"


class Repair(StrEnum):
    """What can be put right without a person."""

    NONE = ""
    RUN_BIT = "run bit"
    LINE_ENDS = "line ends"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding.

    Attributes:
        path: the file, relative to the pack; empty for the pack itself.
        line: one-based, 0 where no line is meant.
        column: one-based, 0 where no column is meant.
        message: what is wrong, one line.
        fix: the one thing to do; empty where the message tells it.
        severity: whether it stops the sync.
        repair: how it can be put right, if it can.
    """

    path: str
    line: int
    column: int
    message: str
    fix: str = ""
    severity: Severity = Severity.ERROR
    repair: Repair = Repair.NONE

    @property
    def is_error(self) -> bool:
        """Whether it stops the sync of its pack."""
        return self.severity is Severity.ERROR

    @property
    def place(self) -> str:
        """``path:line:column``, as much of it as is known."""
        known = [str(number) for number in (self.line, self.column) if number]
        return ":".join([self.path, *known])

    def to_dict(self, folder: str) -> dict[str, Any]:
        """The finding as ``--json`` shows it, with the path from the repository's root."""
        return {
            "severity": self.severity.value,
            "file": f"{folder}/{self.path}".rstrip("/"),
            "line": self.line or None,
            "column": self.column or None,
            "message": self.message,
            "fix": self.fix,
            "repairable": self.repair is not Repair.NONE,
        }


def errors_of(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that stop a sync."""
    return tuple(problem for problem in problems if problem.is_error)
