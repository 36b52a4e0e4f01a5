"""Small clocks of the loop, all on a clock that is passed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attune_dev.watching.parts import Clock

SLEPT_SECONDS = 3.0


class Alarm:
    """Due every so often.

    Attributes:
        period: seconds.
        at: when it is due next.
    """

    def __init__(self, period: float) -> None:
        self.period = period
        self.at = 0.0

    def due(self, now: float) -> bool:
        """Whether it is due; it is wound up again then."""
        if now < self.at:
            return False
        self.wind(now)
        return True

    def wind(self, now: float) -> None:
        """Sets it to one period from now."""
        self.at = now + self.period


class Lapse:
    """Notices that time went by without us: the machine slept, or the process was suspended."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._now, self._wall = clock.now(), clock.wall()

    def before_wait(self) -> None:
        """To be called before waiting."""
        self._now, self._wall = self._clock.now(), self._clock.wall()

    def after_wait(self, timeout: float) -> str:
        """Why events may be missing, empty where none are.

        Args:
            timeout: how long the wait was to last at most, in seconds.
        """
        passed = self._clock.now() - self._now
        slept = (self._clock.wall() - self._wall) - passed
        if slept > SLEPT_SECONDS:
            return "the machine slept"
        if passed > timeout + SLEPT_SECONDS:
            return "the loop was suspended"
        return ""
