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

MOST_ROWS = 20

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


@dataclass(slots=True)
class _Row:
    """Work with the same causes, again and again.

    Attributes:
        began: when the last of it began, seconds since the epoch.
        ended: when it ended.
        length: how often its causes were written while the work before ran.
    """

    began: float
    ended: float = 0.0
    length: int = 0


class Echoes:
    """Counts work with the same causes as work before it, all of them written while that ran.

    Someone who saves again and again saves between two pieces of work, too: that ends the row.
    Other work that is done beside or in between does not.

    Args:
        wall: seconds since the epoch.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._rows: dict[frozenset[str], _Row] = {}

    def ended(self, plan: Plan) -> None:
        """Work has ended."""
        if row := self._rows.get(_causes(plan)):
            row.ended = self._wall()

    def starts(self, plan: Plan, written: Callable[[str], float]) -> Echo:
        """Work is about to start.

        Args:
            plan: what is to be done.
            written: path to when it was written last, seconds since the epoch, 0 if unknown.

        Returns:
            What is to be told, once in a row, and whether the row is so long that it must end.
        """
        causes = _causes(plan)
        row = _Row(self._wall())
        if (before := self._rows.pop(causes, None)) and causes:
            first = before.began - TICK_SECONDS
            again = all(first <= written(path) <= before.ended for path in causes)
            row.length = before.length + 1 if again else 0
        self._rows[causes] = row
        while len(self._rows) > MOST_ROWS:
            del self._rows[next(iter(self._rows))]  # the oldest
        if row.length == NAMED_IN_A_ROW:
            return Echo(causes)
        if row.length < MOST_IN_A_ROW:
            return Echo()
        row.length = 0
        return Echo(causes, stop=True)


def _causes(plan: Plan) -> frozenset[str]:
    return frozenset(path for action in plan.actions for path in action.paths)


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
