"""What rustc and cargo say of sources, as data (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD = re.compile(r"^(?P<level>error|warning)(?:\[(?P<code>\w+)\])?: (?P<message>.+)$")
_PLACE = re.compile(r"^\s*--> (?P<file>[^:\s][^:]*):(?P<line>\d+):(?P<column>\d+)$")
# Cargo's closing words, which name no place.
_SUMMARY = re.compile(r"^(could not compile|aborting due to|build failed|`.+` \(.+\) generated)")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One complaint.

    Attributes:
        level: ``error`` or ``warning``.
        message: its first line.
        code: such as ``E0308``, empty where there is none.
        file: relative to the folder that cargo ran in, empty where it names none.
        line: one-based, 0 where it names none.
        column: one-based, 0 where it names none.
    """

    level: str
    message: str
    code: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """As compilers tell it: ``crates/api/src/main.rs:12:5: error[E0308]: mismatched types``."""
        place = f"{self.file}:{self.line}:{self.column}: " if self.file else ""
        code = f"[{self.code}]" if self.code else ""
        return f"{place}{self.level}{code}: {self.message}"

    def to_dict(self) -> dict[str, Any]:
        """The complaint as ``--json`` shows it."""
        told: dict[str, Any] = {"level": self.level, "message": self.message}
        if self.code:
            told["code"] = self.code
        if self.file:
            told |= {"file": self.file, "line": self.line, "column": self.column}
        return told


def diagnostics(lines: Iterable[str]) -> tuple[Diagnostic, ...]:
    """The complaints in a compiler's output, in order, each one once."""
    found: dict[Diagnostic, None] = {}
    head: re.Match[str] | None = None

    def close(place: re.Match[str] | None) -> None:
        if head is None:
            return
        where = (place["file"], int(place["line"]), int(place["column"])) if place else ("", 0, 0)
        found[Diagnostic(head["level"], head["message"], head["code"] or "", *where)] = None

    for line in lines:
        if (begun := _HEAD.match(line)) is not None:
            close(None)
            head = None if _SUMMARY.match(begun["message"]) else begun
        elif head is not None and (place := _PLACE.match(line)) is not None:
            close(place)
            head = None
    close(None)
    return tuple(found)
