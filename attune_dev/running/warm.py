"""Compiling beside everything else, so that the first save finds a warm target folder."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from attune_dev.docker.builder_image import BuilderLacksError
from attune_dev.docker.cancel import Cancel
from attune_dev.errors import AttuneDevError
from attune_dev.running.one_call import by_builder
from attune_dev.running.ports import Talk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from attune_dev.running.one_call import OneCall, Wanted

WORTH_TELLING = 3.0
"""Seconds of work beside everything else that are worth a line."""


class WarmUp:
    """One compile of everything, which any other one ends; what it has compiled by then stays.

    Args:
        call: compiles.
    """

    def __init__(self, call: OneCall) -> None:
        self._call = call
        self._cancel = Cancel()
        self._thread: threading.Thread | None = None
        self._done = False

    def start(self, wanted: Iterable[Wanted]) -> None:
        """Starts, or goes on after it was ended; once all is compiled nothing is done any more."""
        if self._done or (self._thread is not None and self._thread.is_alive()):
            return
        self._cancel = Cancel()
        self._thread = threading.Thread(
            target=self._run,
            args=(list(by_builder(wanted).values()), self._cancel),
            name="warm up",
            daemon=True,
        )
        self._thread.start()

    def end(self) -> None:
        """Ends it."""
        if self._thread is not None:
            self._cancel.request()
            self._thread.join()

    def _run(self, wanted: Sequence[Wanted], cancel: Cancel) -> None:
        clock = time.monotonic()
        try:
            for one in wanted:
                self._call.alone(one, Talk(cancel=cancel), bring=False)
        except BuilderLacksError as problem:
            self._call.lack(problem)
            return
        except (AttuneDevError, OSError):
            return  # cancelled, or told by the build that needs it
        self._done = True
        self._call.rest()
        if wanted and (seconds := time.monotonic() - clock) > WORTH_TELLING:
            self._call.say(f"the builder is ready after {seconds:.0f} s: saves are compiled in it")
