"""Who is told what happens: people on the terminal, and a file of events."""

from __future__ import annotations

import io
import os
import sys
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.model.event import Idle, Notice
from attune_dev.reporting.jsonl import JsonLines
from attune_dev.reporting.plain import following
from attune_dev.reporting.text import wants_colour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from attune_dev.model.event import Event
    from attune_dev.reporting.board import Board, Follow

BELL = "\a"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What a board needs beside events.

    Attributes:
        name: the project.
        ask: told what a key asks of the loop.
        follow: follows the log of a service.
    """

    name: str
    ask: Callable[[str], None]
    follow: Follow


@contextmanager
def watching_reporter(
    events: Path | None = None, dialogue: Dialogue | None = None, *, bell: bool = False
) -> Iterator[Callable[[Event], None]]:
    """What a loop tells: a board or lines on standard output and, if wanted, a file of events.

    Args:
        events: file to append JSON lines to.
        dialogue: what a board needs; lines where it is ``None`` or there is no terminal for one.
        bell: whether failures and recoveries ring.

    Raises:
        EnvironmentLacksError: the file cannot be opened.
    """
    with ExitStack() as stack:
        people = _people(dialogue, stack)
        tell = with_bell(people, _ring) if bell and sys.stdout.isatty() else people
        if events is None:
            yield tell
            return
        lines = JsonLines(events, lambda text: people(Notice(text)))
        stack.callback(lines.close)

        def both(event: Event) -> None:
            lines(event)  # first: a closed terminal must not take the event along
            tell(event)

        yield both


def with_bell(tell: Callable[[Event], None], ring: Callable[[], None]) -> Callable[[Event], None]:
    """A reporter that rings when what was live is not any more, and when it is again."""
    well = True

    def told(event: Event) -> None:
        nonlocal well
        tell(event)
        if isinstance(event, Idle) and event.ok != well:
            well = event.ok
            ring()

    return told


class Lines(io.TextIOBase):
    """A stream that tells lines: what others print would draw over a board.

    Args:
        tell: told each line, without its end.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._rest = ""

    def write(self, text: str) -> int:
        """Tells the lines that are whole now."""
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            if line.strip():
                self._tell(line)
        return len(text)


def _ring() -> None:
    sys.stdout.write(BELL)
    sys.stdout.flush()


def _people(dialogue: Dialogue | None, stack: ExitStack) -> Callable[[Event], None]:
    from attune_dev.reporting.terminal import usable

    if dialogue is None or not usable():
        return following()
    return stack.enter_context(_board(dialogue))


@contextmanager
def _board(dialogue: Dialogue) -> Iterator[Board]:
    """A board on the terminal; what it leaves behind is how things stood at the end."""
    from attune_dev.reporting.board import Board
    from attune_dev.reporting.terminal import keys, suspendable

    colours = wants_colour(os.environ, terminal=True)
    board = Board(sys.stdout, dialogue.name, dialogue.ask, dialogue.follow, colours=colours)
    try:
        with keys(board.press) as keyboard:

            def give_back() -> None:
                board.suspend()
                keyboard.give_back()

            def take() -> None:
                keyboard.take()
                board.resume()

            with suspendable(give_back, take):
                board.start()
                try:
                    with redirect_stderr(Lines(lambda line: board(Notice(line)))):
                        yield board
                finally:
                    board.stop()
    finally:
        try:
            sys.stdout.write("".join(f"{line}\n" for line in board.farewell()))
            sys.stdout.flush()
        except OSError:  # the terminal is gone: nothing more can be told
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no file but a device
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
