"""Work that writes what it is caused by: it would go on for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.model.plan import Plan

NAMED_IN_A_ROW = 5
MOST_IN_A_ROW = 25
"""Someone who saves every two seconds while builds take ten hits a gap between them before."""

TICK_SECONDS = 0.02  # the times of files lag behind the clock by up to a tick of the kernel


@dataclass(frozen=True, slots=True)
class Echo:
    """What work seems to be caused by itself.

    Attributes:
        causes: paths that the same work wrote again and again; empty where none is suspected.
        stop: whether the work must not start again by itself.
    """

    causes: frozenset[str] = frozenset()
    stop: bool = False


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

    def starts(self, plan: Plan, written: Callable[[str], float]) -> Echo:
        """Work is about to start.

        Args:
            plan: what is to be done.
            written: path to when it was written last, seconds since the epoch, 0 if unknown.

        Returns:
            What is to be told, once in a row, and whether the row is so long that it must end.
        """
        causes = frozenset(path for action in plan.actions for path in action.paths)
        first = self._began - TICK_SECONDS
        inside = all(first <= written(path) <= self._ended for path in causes)
        again = bool(causes) and inside
        self._row = (self._row + 1 if causes == self._causes else 1) if again else 0
        self._causes, self._began = causes, self._wall()
        if self._row == NAMED_IN_A_ROW:
            return Echo(causes)
        if self._row < MOST_IN_A_ROW:
            return Echo()
        self._row = 0
        return Echo(causes, stop=True)


def suspicion(causes: frozenset[str]) -> str:
    """The line that names what may write its own cause."""
    return f"{', '.join(sorted(causes))} changed again while the work that it causes ran"


def echo(causes: frozenset[str]) -> ActionError:
    """The error that names what writes its own cause."""
    return ActionError(
        f"{', '.join(sorted(causes))} changes each time because of the work that it causes",
        why="what a build or a service writes must lie where no output reads",
        hint="have it written elsewhere, or ignore it in .dockerignore; `r` tries again",
    )
