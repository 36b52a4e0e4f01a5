"""The live board on a terminal, through rich; nothing else imports it.

What it shows is decided in ``view``, ``fold`` and ``layout``; here it gets colours and columns.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from attune_dev.reporting.fold import fold
from attune_dev.reporting.keys import BACK, FOOTER, Mode, Screen, press
from attune_dev.reporting.layout import cells, columns, fault_block, rows_shown, share, work_lines
from attune_dev.reporting.text import clean_line, counted, for_encoding, show_path
from attune_dev.reporting.view import Phase, State, View
from attune_dev.reporting.words import clock_of, plan_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TextIO

    from rich.console import RenderableType

    from attune_dev.model.event import Event

    Follow = Callable[[str, Callable[[str], None]], Callable[[], None]]

MOST_LOG = 500
WORKING_SECONDS = 0.5
SIZE_SECONDS = 1.0
LEAST_PAUSE = 0.05
SHORT_FOOTER, TINY_FOOTER = 52, 40  # columns
_STATES = {
    State.LIVE: "green",
    State.DONE: "dim",
    State.SWAPPED: "cyan",
    State.FAILED: "bold red",
    State.STOPPED: "red",
    State.ABSENT: "red",
    State.UNKNOWN: "dim",
}
_PHASES = {
    Phase.LIVE: "bold green",
    Phase.FAILED: "bold red",
    Phase.AWAY: "bold red",
    Phase.PAUSED: "bold yellow",
    Phase.STOPPED: "bold",
}


class Painter:
    """Draws boards for one terminal.

    Args:
        name: the project, for the headline.
        encoding: of the terminal; what it lacks is spelt.
        clock: seconds since the epoch as a time of day.
    """

    def __init__(
        self, name: str, encoding: str = "utf-8", clock: Callable[[float], str] = clock_of
    ) -> None:
        self._name = name
        self._encoding = encoding
        self._clock = clock
        self._cut = "ellipsis" if for_encoding("…", encoding) == "…" else "crop"

    def draw(
        self,
        view: View,
        screen: Screen,
        size: tuple[int, int],
        now: float,
        log: Sequence[str] = (),
    ) -> RenderableType:
        """The whole page.

        Args:
            view: what to show.
            screen: which page of it.
            size: columns and lines.
            now: seconds since the epoch.
            log: lines of the selected service.
        """
        width, height = size
        parts: list[RenderableType] = [self._headline(view)]
        if screen.mode is Mode.LOGS:
            parts += self._page(f"logs of {screen.selected}", log[-(height - 3) :], height)
        elif screen.mode is Mode.WHY:
            parts += self._page(f"why: {screen.selected}", self._why(view, screen), height)
        else:
            parts += self._board(view, screen, width, height, now)
        footer = FOOTER if screen.mode is Mode.BOARD else BACK
        return Group(*parts, self._footer(footer, width))

    def _headline(self, view: View) -> Text:
        text = self._text(f"{show_path(self._name)}  ", "bold")
        text.append(view.phase.value, _PHASES.get(view.phase, "bold cyan"))
        if view.since:
            text.append(f" since {self._clock(view.since)}", "dim")
        if view.pending:
            text.append(f"  {counted(len(view.pending), 'change')} pending", "yellow")
        return text

    def _board(
        self, view: View, screen: Screen, width: int, height: int, now: float
    ) -> list[RenderableType]:
        room = share(
            height,
            faults=sum(len(fault.lines) for fault in view.faults),
            working=len(view.work),
            rows=len(view.rows),
            done=len(view.done),
        )
        parts: list[list[RenderableType]] = []
        if room.faults:
            block = fault_block(view, room.faults)
            parts.append([self._text(line, "bold red" if head else "") for line, head in block])
        if view.work and room.work:
            told = work_lines(view.work, now, width, room.work)
            parts.append([self._text(text, "cyan" if head else "dim") for text, head in told])
        if room.rows:
            parts.append([self._table(view, screen, width, room.rows, head=room.head)])
        if room.done:
            parts.append([self._done(item.at, item.text, item.ok) for item in view.done])
            parts[-1] = parts[-1][: room.done]
        gap: list[RenderableType] = [Text("")] if room.gap else []
        lines: list[RenderableType] = list(gap)
        for at, part in enumerate(parts):
            lines += [*(gap if at else []), *part]
        used = sum(self._height(part) for part in lines)
        return [*lines, *[Text("")] * max(0, height - 2 - used)]

    def _table(
        self, view: View, screen: Screen, width: int, room: int, *, head: bool
    ) -> RenderableType:
        names = columns(width)
        table = Table(box=None, pad_edge=False, show_header=head, header_style="dim", expand=True)
        for name in names:
            fixed = name in ("service", "state", "health")
            table.add_column(
                name.upper(),
                no_wrap=True,
                overflow="ellipsis" if self._cut == "ellipsis" else "crop",
                ratio=None if fixed else 1 if name != "note" else 2,
                min_width=len(name) if fixed else None,
            )
        rows, hidden = rows_shown(view.rows, room, screen.selected)
        for row in rows:
            words = cells(row, names, self._clock)
            styled = [self._text(word) for word in words]
            styled[1].stylize(_STATES.get(row.state, "cyan"))
            if row.failed or row.health in ("unhealthy", "dead"):
                styled[-1].stylize("red")
            chosen = "reverse" if row.name == screen.selected else ""
            table.add_row(*styled, style=chosen)
        if not hidden:
            return table
        return Group(table, self._text(f"and {hidden} more", "dim"))

    def _done(self, at: float, text: str, ok: bool | None) -> Text:
        line = self._text(f"{self._clock(at)}  ", "dim")
        line.append(self._fit(text), {True: "green", False: "red", None: ""}[ok])
        return line

    def _why(self, view: View, screen: Screen) -> list[str]:
        row = view.row(screen.selected)
        told = [f"{row.name}: {row.state.value}"]
        if row.action:
            why = f": {row.why}" if row.why else ""
            told.append(f"{row.action} at {self._clock(row.action_at)}{why}")
        if row.edits:
            told.append(f"live since {self._clock(row.edits_at)}:")
            told += [f"  {show_path(path)}" for path in row.edits]
        if row.pending:
            told.append("not live yet:")
            told += [f"  {show_path(path)}" for path in sorted(row.pending)]
        if view.plan is not None:
            told += ["", "the last plan:", *(f"  {line}" for line in plan_lines(view.plan))]
        return told

    def _page(self, title: str, lines: Sequence[str], height: int) -> list[RenderableType]:
        room = max(0, height - 3)
        shown = [self._text(clean_line(line)) for line in lines][:room]
        return [self._text(title, "bold"), *shown, *[Text("")] * (room - len(shown))]

    def _footer(self, keys: Iterable[tuple[str, str, str]], width: int) -> Text:
        short, tiny = width < SHORT_FOOTER, width < TINY_FOOTER
        text = Text(no_wrap=True, overflow="crop", end="")
        for at, (key, what, brief) in enumerate(keys):
            text.append((" " if short else "  ") if at else "")
            text.append(key, "reverse")
            text.append("" if tiny else f" {brief if short else what}")
        return text

    def _text(self, text: str, style: str = "") -> Text:
        cut = "ellipsis" if self._cut == "ellipsis" else "crop"
        return Text(self._fit(text), style=style, no_wrap=True, overflow=cut)  # type: ignore[arg-type]

    def _fit(self, text: str) -> str:
        return for_encoding(text, self._encoding)

    @staticmethod
    def _height(part: RenderableType) -> int:
        if isinstance(part, Table):
            return part.row_count + part.show_header
        if isinstance(part, Group):
            return sum(Painter._height(inner) for inner in part.renderables)
        return 1


class Board:
    """A reporter that keeps a board on the terminal.

    Args:
        stream: the terminal.
        name: the project.
        ask: told what a key asks of the loop.
        follow: follows the log of a service: name, where lines go; returns what ends it.
        colours: whether to colour.
    """

    def __init__(
        self,
        stream: TextIO,
        name: str,
        ask: Callable[[str], None],
        follow: Follow,
        *,
        colours: bool = True,
    ) -> None:
        self.console = Console(file=stream, no_color=not colours, highlight=False)
        self._painter = Painter(name, self.console.encoding)
        self._ask = ask
        self._follow = follow
        self._view = View(since=time.time())
        self._screen = Screen()
        self._log: deque[str] = deque(maxlen=MOST_LOG)
        self._unfollow: Callable[[], None] | None = None
        self._wake = threading.Event()
        self._lock = threading.RLock()
        self._live: Live | None = None
        self._ending = False
        self._thread = threading.Thread(target=self._keep_drawing, name="board", daemon=True)

    @property
    def view(self) -> View:
        """What it shows now."""
        return self._view

    def __call__(self, event: Event) -> None:
        """Takes one event into account."""
        with self._lock:
            self._view = fold(self._view, event, time.time())
        self._wake.set()

    def start(self) -> None:
        """Takes the terminal over."""
        self.resume()
        self._thread.start()

    def stop(self) -> None:
        """Gives the terminal back."""
        self._ending = True
        self._wake.set()
        self._end_log()
        if self._thread.is_alive():
            self._thread.join(1.0)
        self.suspend()

    def suspend(self) -> None:
        """Gives the terminal back for a while."""
        with self._lock:
            live, self._live = self._live, None
            if live is not None:
                with suppress(OSError):  # the terminal is gone
                    live.stop()

    def resume(self) -> None:
        """Takes it over (again)."""
        with self._lock:
            if self._live is None and not self._ending:
                self._live = Live(
                    console=self.console,
                    screen=True,
                    auto_refresh=False,
                    redirect_stdout=False,
                    redirect_stderr=False,
                )
                self._live.start()
        self._wake.set()

    def farewell(self) -> list[str]:
        """How things stand, for the scrollback: what is wrong, and the last thing that happened."""
        view = self._view
        lines = [line for fault in reversed(view.faults) for line in fault.lines]
        lines += [f"{clock_of(item.at)}  {item.text}" for item in reversed(view.done[:3])]
        lines.append(f"{clock_of(view.since)}  {view.phase.value}")
        return [for_encoding(line, self.console.encoding) for line in lines]

    def press(self, key: str) -> None:
        """Takes a key."""
        with self._lock:
            before = self._screen
            names = [row.name for row in self._view.rows]
            self._screen, request = press(before, key, names)
            after = self._screen
        if request:
            self._ask(request)
        if after != before and Mode.LOGS in (before.mode, after.mode):
            self._end_log()
            if after.mode is Mode.LOGS and after.selected:
                self._unfollow = self._follow(after.selected, self._hear)
        self._wake.set()

    def _end_log(self) -> None:
        unfollow, self._unfollow = self._unfollow, None
        if unfollow is not None:
            unfollow()
        self._log.clear()

    def _hear(self, line: str) -> None:
        self._log.append(line)
        self._wake.set()

    def _keep_drawing(self) -> None:
        size = self.console.size
        while not self._ending:
            working = bool(self._view.work)
            woken = self._wake.wait(WORKING_SECONDS if working else SIZE_SECONDS)
            self._wake.clear()
            if not woken and not working and self.console.size == size:
                continue
            size = self.console.size
            try:
                self._draw()
            except OSError:  # the terminal is gone; its signal ends the loop
                return
            time.sleep(LEAST_PAUSE)  # a flood of output is drawn as often as eyes can follow

    def _draw(self) -> None:
        with self._lock:
            if self._live is None:
                return
            width, height = self.console.size
            page = self._painter.draw(
                self._view, self._screen, (width, height), time.time(), tuple(self._log)
            )
            self._live.update(page, refresh=True)
