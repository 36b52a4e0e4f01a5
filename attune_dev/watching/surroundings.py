"""What others do beside the loop: the engine goes and comes, containers are taken away or replaced.

What runs is compared with what ran when our own work had ended. A difference must last for a while
before anything is done about it: who takes a stack down does so one container after the other.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from attune_dev.model.event import EngineAway, EngineBack, Notice
from attune_dev.watching.inbox import EngineFound, EngineGone, Running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from attune_dev.model.event import Event

    Containers = Mapping[str, frozenset[str]]

STEADY_SECONDS = 3.0
MOST_NAMES = 3


class Verdict(Enum):
    """What is to be done about what others did."""

    NOTHING = "nothing"
    CHECK_ALL = "check all"
    TAKEN_DOWN = "taken down"


class Surroundings:
    """Follows what runs.

    Args:
        tell: told what others did.
        put_back: the services that were put back by hand, with the containers that they have now.

    Attributes:
        away: whether the engine is not there.
    """

    def __init__(
        self, tell: Callable[[Event], None], put_back: Callable[[], Containers] = dict
    ) -> None:
        self._tell = tell
        self._put_back = put_back
        self.away = False
        self._back = False
        self._ours: dict[str, frozenset[str]] | None = None  # as they were when our work had ended
        self._now: Containers = {}
        self._changed_at = 0.0
        self._worked_until: float | None = None
        self._all_ran = False

    def take(self, message: Running | EngineGone | EngineFound, now: float) -> bool:
        """Takes news in; returns whether the engine has gone or come."""
        was_away = self.away
        match message:
            case EngineGone(why):
                if not self.away:
                    self._tell(EngineAway(why))
                self.away, self._ours = True, None
            case EngineFound():
                if self.away:
                    self._tell(EngineBack())
                self._back, self.away = self.away, False
            case Running():
                self._tell(message.states)
                self._compare(message, now)
        return self.away != was_away

    def working(self) -> None:
        """Our own work starts: what changes from here on is ours."""
        self._ours, self._worked_until = None, float("inf")

    def worked(self, now: float, *, ok: bool) -> None:
        """It has ended: what runs from here on is how it is to be.

        Args:
            now: when.
            ok: whether all services are to run now.
        """
        self._worked_until, self._all_ran = now, ok

    def deadline(self) -> float:
        """When to ask for a verdict, infinite where nothing is to be expected."""
        return self._changed_at + STEADY_SECONDS if self._differs() else float("inf")

    def verdict(self, now: float) -> Verdict:
        """What is to be done now; said once."""
        if self._back:
            self._back = False
            return Verdict.CHECK_ALL
        if self.away or self._ours is None or now < self.deadline():
            return Verdict.NOTHING
        ours, self._ours = self._ours, dict(self._now)
        put_back = self._put_back()
        known = {name for name, ids in self._now.items() if put_back.get(name) == ids}
        ours |= {name: self._now[name] for name in known}
        if ours == self._now:
            self._tell(Notice(f"{_listed(sorted(known))} put back, until its sources change"))
            return Verdict.NOTHING
        gone = sorted(name for name in ours if name not in self._now)
        others = sorted(name for name in self._now if self._now[name] != ours.get(name))
        if not self._now:
            self._tell(Notice("the stack was taken down by someone else"))
            return Verdict.TAKEN_DOWN
        told = [f"{_listed(gone)} removed"] if gone else []
        told += [f"{_listed(others)} replaced"] if others else []
        self._tell(Notice(f"{' and '.join(told)} by someone else; checking everything"))
        return Verdict.CHECK_ALL

    def _compare(self, message: Running, now: float) -> None:
        if self._worked_until is not None and message.at <= self._worked_until:
            return
        if message.containers != self._now:
            self._now, self._changed_at = message.containers, now
        if self._ours is None:
            states = message.states.states if self._all_ran else ()
            gone = [s.name for s in states if s.state == "absent" and not s.one_shot]
            made = message.made if self._all_ran and self._worked_until is not None else {}
            late = [name for name, at in made.items() if at > (self._worked_until or 0.0)]
            # taken away or replaced before we could look: another ran when our work had ended
            self._ours = {**message.containers, **dict.fromkeys((*gone, *late), frozenset({"?"}))}
            self._changed_at = now

    def _differs(self) -> bool:
        return self._ours is not None and self._ours != self._now


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more} {'was' if len(names) == 1 else 'were'}"
