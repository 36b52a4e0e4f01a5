"""The terminal as an input: keys one by one, and giving it back at Ctrl-Z."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from attune_dev.reporting.keys import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ESCAPE_SECONDS = 0.05


def usable() -> bool:
    """Whether both ends are a terminal that can draw, and this process has it to itself."""
    try:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return False
        if os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
            return False
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False


@contextmanager
def keys(on_key: Callable[[str], None]) -> Iterator[Keyboard]:
    """Tells keys as they are pressed while the context lasts; signals keep working."""
    keyboard = Keyboard(sys.stdin.fileno(), on_key)
    keyboard.start()
    try:
        yield keyboard
    finally:
        keyboard.stop()


class Keyboard:
    """Reads a terminal key by key, without echo.

    Args:
        terminal: its file descriptor.
        on_key: told each key, from a thread.
    """

    def __init__(self, terminal: int, on_key: Callable[[str], None]) -> None:
        self._terminal = terminal
        self._on_key = on_key
        self._before: list[Any] | None = None
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._read, name="keys", daemon=True)

    def start(self) -> None:
        """Starts reading."""
        self.take()
        self._thread.start()

    def stop(self) -> None:
        """Ends reading and leaves the terminal as it was."""
        os.close(self._stop_write)
        self._thread.join(1.0)
        self.give_back()

    def take(self) -> None:
        """Switches to key by key."""
        import termios
        import tty

        with suppress(termios.error):
            self._before = termios.tcgetattr(self._terminal)
            tty.setcbreak(self._terminal)

    def give_back(self) -> None:
        """Switches to what was before."""
        import termios

        if self._before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)
            self._before = None

    def _read(self) -> None:
        try:
            while True:
                ready, _, _ = select.select([self._terminal, self._stop_read], [], [])
                if self._stop_read in ready:
                    return
                data = os.read(self._terminal, 64)
                if not data:
                    return
                if data == b"\x1b":  # alone, or the start of a sequence that is on its way
                    ready, _, _ = select.select([self._terminal], [], [], ESCAPE_SECONDS)
                    data += os.read(self._terminal, 64) if ready else b""
                for key in decode(data):
                    self._on_key(key)
        except OSError:  # the terminal is gone; its signal ends the loop
            return
        finally:
            os.close(self._stop_read)


@contextmanager
def suspendable(give_back: Callable[[], None], take: Callable[[], None]) -> Iterator[None]:
    """Lets Ctrl-Z stop the process with the terminal as it should be; only in the main thread.

    Args:
        give_back: called before the process stops.
        take: called when it goes on.
    """

    def stop(_number: int, _frame: Any) -> None:
        give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        take()

    before = signal.signal(signal.SIGTSTP, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)
