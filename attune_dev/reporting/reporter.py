"""Who is told what happens: people on the terminal, and a file of events."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from attune_dev.model.event import Notice
from attune_dev.reporting.jsonl import JsonLines
from attune_dev.reporting.plain import following

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from attune_dev.model.event import Event


@contextmanager
def watching_reporter(events: Path | None = None) -> Iterator[Callable[[Event], None]]:
    """What a loop tells: lines on standard output and, where asked for, a file of events.

    Args:
        events: file to append JSON lines to.

    Raises:
        EnvironmentLacksError: the file cannot be opened.
    """
    people = following()
    if events is None:
        yield people
        return
    lines = JsonLines(events, lambda text: people(Notice(text)))

    def tell(event: Event) -> None:
        lines(event)  # first: a closed terminal must not take the event along
        people(event)

    try:
        yield tell
    finally:
        lines.close()
