"""Grouping of events into batches: a pure state machine, the clock is passed in."""

from __future__ import annotations

from dataclasses import dataclass, field

STORM = 1_000  # paths
STORM_CAPS = 3
STORM_QUIETS = 4  # whoever writes that much is held up by the disk now and then


@dataclass(slots=True)
class Debouncer:
    """Collects paths until they have been quiet, or for no longer than a cap.

    Attributes:
        quiet: seconds without a further path until the batch is due.
        cap: seconds after the first path when the batch is due although paths go on coming;
            without it a program that writes a log would hold everything back for ever.

    A storm of files that are all others, as a branch switch or a generator makes, is one batch for
    three times the cap, and until it was quiet for four times as long.
    """

    quiet: float = 0.15
    cap: float = 2.0
    _paths: set[str] = field(default_factory=set)
    _first: float | None = None
    _last: float = 0.0
    _grown: float = 0.0

    def add(self, path: str, now: float) -> None:
        """Takes one path in.

        Args:
            path: what was touched.
            now: seconds of any clock that never goes back.
        """
        if self._first is None:
            self._first = now
        self._last = max(self._last, now)
        if path not in self._paths:
            self._paths.add(path)
            self._grown = self._last

    def deadline(self) -> float | None:
        """When the batch is due; ``None`` where there is none."""
        if self._first is None:
            return None
        quiet, cap = self.quiet, self._first + self.cap
        if len(self._paths) > STORM:
            quiet *= STORM_QUIETS
            cap = max(cap, min(self._grown + quiet, self._first + STORM_CAPS * self.cap))
        return min(self._last + quiet, cap)

    def take(self, now: float) -> frozenset[str]:
        """The batch where it is due, nothing otherwise."""
        due = self.deadline()
        if due is None or now < due:
            return frozenset()
        return self.flush()

    def flush(self) -> frozenset[str]:
        """The batch, due or not: for what must not wait."""
        batch = frozenset(self._paths)
        self._paths.clear()
        self._first = None
        return batch
