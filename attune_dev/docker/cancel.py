"""A request to stop, made in one thread and noticed in another."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attune_dev.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Cancel:
    """Set once; whoever does the work registers how it is to be ended.

    A request that comes before the work has started ends it as it starts, so that none is lost.
    """

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._lock = threading.Lock()
        self._ends: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Whether the work is to stop."""
        return self._requested.is_set()

    def request(self) -> None:
        """Asks for the stop; callable from any thread, more than once."""
        with self._lock:
            self._requested.set()
            ends, self._ends = self._ends, []
        for end in ends:
            end()

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """Has ``end`` called, once, if the request comes or has come while the block runs."""
        with self._lock:
            late = self._requested.is_set()
            if not late:
                self._ends.append(end)
        if late:
            end()
        try:
            yield
        finally:
            with self._lock:
                if end in self._ends:
                    self._ends.remove(end)

    def sleep(self, seconds: float) -> None:
        """Waits, but not past a request.

        Raises:
            Interrupted: it came.
        """
        if self._requested.wait(seconds):
            raise Interrupted(what="cancelled")

    def check(self) -> None:
        """Goes on only where no stop was asked for.

        Raises:
            Interrupted: it was.
        """
        if self._requested.is_set():
            raise Interrupted(what="cancelled")
