"""Signals become urgent messages: the first asks, the second does not."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attune_dev.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.HANGUP,
}


@contextmanager
def handled(
    first: Callable[[int], None], second: Callable[[int], None] | None = None
) -> Iterator[None]:
    """Handles Ctrl-C, SIGTERM and SIGHUP while the context lasts; only in the main thread.

    Args:
        first: told the exit code at the first signal; must not block nor take a lock.
        second: told at every further one; the process ends at once where it is ``None``.
    """
    seen = 0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal seen
        seen += 1
        code = CODES[signal.Signals(number)]
        if seen == 1:
            first(code)
        elif second is not None:
            second(code)
        else:
            os._exit(code)

    before: dict[signal.Signals, Any] = {}
    try:
        for number in CODES:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays in force
                before[number] = signal.signal(number, handle)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
