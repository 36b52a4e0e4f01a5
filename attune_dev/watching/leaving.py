"""When and with which code the loop ends."""

from __future__ import annotations

from attune_dev.errors import ExitCode

_REASONS = {
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "terminated",
    ExitCode.HANGUP: "the terminal was closed",
}


class Leaving:
    """The first request lets running work end, the second does not wait for it.

    Attributes:
        code: the exit code, ``None`` while the loop is to go on.
        until: when running work is waited for no longer, ``None`` where nobody asked to stop.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        self.until: float | None = None
        self._asked = 0

    def ask(self, code: int, *, working: bool, until: float) -> bool:
        """Takes a request to stop.

        Args:
            code: exit code.
            working: whether something runs.
            until: how long that may take to end.

        Returns:
            Whether the work has to be cancelled.
        """
        if not working or self.until is not None:
            self.code = code
            return False
        self._asked, self.until = code, until
        return True

    def ready(self, now: float, *, working: bool) -> bool:
        """Whether a stop was asked for; the code is set once nothing is waited for any more."""
        if self.until is None:
            return False
        if not working or now >= self.until:
            self.code = self._asked
        return True

    @property
    def reason(self) -> str:
        """Why it ended, for people; empty where it ended by itself."""
        return _REASONS.get(ExitCode(self.code), "") if self.code is not None else ""
