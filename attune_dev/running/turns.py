"""One action at a time for each output, whichever plan it belongs to."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from attune_dev.docker.cancel import Cancel


class Turns:
    """Outputs that are worked on.

    All that an action works on is taken at once: nobody waits for somebody who waits for him.
    """

    def __init__(self) -> None:
        """All are free."""
        self._taken: set[str] = set()
        self._freed = threading.Condition()

    @contextmanager
    def take(self, outputs: AbstractSet[str], cancel: Cancel) -> Iterator[None]:
        """Has outputs for the length of a block; waits until all of them are free.

        Raises:
            Interrupted: a stop was asked for while it waited.
        """
        with cancel.ending(self._wake), self._freed:
            self._freed.wait_for(lambda: cancel.requested or not self._taken & outputs)
            cancel.check()
            self._taken |= outputs
        try:
            yield
        finally:
            with self._freed:
                self._taken -= outputs
                self._freed.notify_all()

    def _wake(self) -> None:
        with self._freed:
            self._freed.notify_all()
