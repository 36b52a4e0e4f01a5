"""A change of one file, as the user would tell it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """How a file changed."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One changed file.

    Attributes:
        path: relative to the root, with ``/``; names that are not UTF-8 carry surrogates.
        kind: how it changed.
        moved_from: the earlier path, only for ``MOVED``.
    """

    path: str
    kind: ChangeKind = ChangeKind.MODIFIED
    moved_from: str | None = None

    def to_dict(self) -> dict[str, str]:
        """The change as ``inv plan --json`` shows it."""
        told = {"path": self.path, "kind": self.kind.value}
        if self.moved_from is not None:
            told["from"] = self.moved_from
        return told

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths whose readers are concerned: both ends of a move."""
        return (self.path,) if self.moved_from is None else (self.path, self.moved_from)
