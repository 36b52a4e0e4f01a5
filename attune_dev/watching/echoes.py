"""Work that writes what it is caused by: it would go on for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.model.plan import Plan

MOST_IN_A_ROW = 5
TICK_SECONDS = 0.02  # the times of files lag behind the clock by up to a tick of the kernel


class Echoes:
    """Counts work with the same causes as the work before it, all of them written while that ran.

    Someone who saves again and again saves between two pieces of work, too: that ends the row.

    Args:
        wall: seconds since the epoch.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._began = self._ended = 0.0
        self._causes: frozenset[str] = frozenset()
        self._row = 0

    def ended(self) -> None:
        """Work has ended."""
        self._ended = self._wall()

    def starts(self, plan: Plan, written: Callable[[str], float]) -> frozenset[str]:
        """Work is about to start.

        Args:
            plan: what is to be done.
            written: path to when it was written last, seconds since the epoch, 0 if unknown.

        Returns:
            What it is caused by, where that was written by the same work again and again; empty
            where it may start.
        """
        causes = frozenset(path for action in plan.actions for path in action.paths)
        first = self._began - TICK_SECONDS
        inside = all(first <= written(path) <= self._ended for path in causes)
        again = bool(causes) and inside
        self._row = (self._row + 1 if causes == self._causes else 1) if again else 0
        self._causes, self._began = causes, self._wall()
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
