"""A progress bar below the lines of a task on a terminal."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, TextIO

from attune_dev.model.event import Ended, Progress
from attune_dev.reporting.text import clean_line, for_encoding, seconds_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.model.event import Event

WIDTH = 24
ERASE_LINE = "\r\x1b[K"


class Bar:
    """Hands events on, and keeps how far a build is on the last line."""

    def __init__(
        self,
        tell: Callable[[Event], None],
        stream: TextIO,
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        """Draws nothing yet.

        Args:
            tell: is told all events.
            stream: the terminal that it writes to.
            columns: width of the terminal.
        """
        self._tell = tell
        self._stream = stream
        self._columns = columns
        self._text = ""
        self._about = 0

    def __call__(self, event: Event) -> None:
        """Tells one event."""
        if self._text:
            self._stream.write(ERASE_LINE)
        match event:
            case Progress():
                self._text, self._about = bar_text(event), event.action.id
            case Ended(action) if action.id == self._about:
                self._text = ""
        self._tell(event)
        if self._text:
            encoding = getattr(self._stream, "encoding", None) or "utf-8"
            shown = for_encoding(self._text, encoding)[: max(0, self._columns() - 1)]
            self._stream.write(shown)
            self._stream.flush()


def bar_text(progress: Progress) -> str:
    """One line: ``[########------] 4 of 7, compiling attune-api, about 3 s left``."""
    told = clean_line(progress.text)
    if not progress.total:
        return f"{progress.done} so far, {told}" if progress.done else told
    done = min(progress.done, progress.total)
    # what cargo has only started with is not done yet
    full = WIDTH * (done - 1) // progress.total if done < progress.total else WIDTH - 1
    bar = "#" * max(0, full) + "-" * (WIDTH - max(0, full))
    left = f", about {seconds_text(progress.left)} left" if progress.left is not None else ""
    return f"[{bar}] {done} of {progress.total}, {told}{left}"
