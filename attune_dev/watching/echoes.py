"""Work that writes what it is caused by: it would go on for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attune_dev.model.plan import Plan

MOST_IN_A_ROW = 4
LATE_SECONDS = 0.5  # what is written at the end of work is heard of after it


class Echoes:
    """Counts work that has no other cause than what happened while the work before it ran.

    Someone who saves again and again does it between two pieces of work, too: that ends the row.
    """

    def __init__(self) -> None:
        self._inside: set[str] = set()
        self._row = 0
        self._until = float("-inf")

    def ended(self, now: float) -> None:
        """Work has ended."""
        self._until = now + LATE_SECONDS

    def touched(self, paths: Iterable[str], now: float, *, working: bool) -> None:
        """Something happened to paths."""
        if working or now <= self._until:
            self._inside.update(paths)
        else:
            self._row = 0

    def starts(self, plan: Plan) -> frozenset[str]:
        """Work is about to start.

        Returns:
            What it is caused by, where that was written by the same work again and again; empty
            where it may start.
        """
        causes = frozenset(path for action in plan.actions for path in action.paths)
        self._row = self._row + 1 if causes and causes <= self._inside else 0
        self._inside.clear()
        if self._row < MOST_IN_A_ROW:
            return frozenset()
        self._row = 0
        return causes


def echo(causes: frozenset[str]) -> ActionError:
    """The error that names what writes its own cause."""
    return ActionError(
        f"{', '.join(sorted(causes))} changes each time because of the work that it causes",
        why="what a build or a service writes must lie where no output reads",
        hint="have it written elsewhere, or ignore it in .dockerignore; `r` tries again",
    )
