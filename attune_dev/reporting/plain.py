"""Plain lines: for logs, CI, pipes, and everyone who likes to scroll.

One block per batch: what changed, what is done about it and why, what is left alone, how each
action ended, and at the end what is live and how long it took.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from attune_dev.model.event import (
    Changed,
    Ended,
    EngineAway,
    EngineBack,
    Idle,
    Notice,
    Output,
    Paused,
    Planned,
    Problem,
    Progress,
    Ready,
    Services,
    Started,
    Stopped,
    Unchanged,
)
from attune_dev.model.plan import ActionKind
from attune_dev.reporting.bar import Bar
from attune_dev.reporting.text import (
    clean_line,
    colour,
    for_encoding,
    listed,
    seconds_text,
    show_path,
    wants_colour,
)
from attune_dev.reporting.words import changes_text, clock_of, named, plan_lines, waiting_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.errors import AttuneDevError
    from attune_dev.model.event import Event

PROGRESS_SECONDS = 10.0
_BUILDS = (ActionKind.BUILD, ActionKind.BUILD_PACK_BINARIES)
_VERBS = {
    ActionKind.SYNC_PACKS: "synced",
    ActionKind.RERUN: "run again",
    ActionKind.RECREATE: "restarted",
    ActionKind.RESTART: "restarted",
}
_ORDER = ("built", "changed", "synced", "run again", "restarted", "failed", "skipped", "cancelled")


@dataclass(slots=True)
class _Since:
    """When an action started, and when something of it was shown last."""

    started: float
    shown: float


class PlainReporter:
    """Tells events as lines.

    Args:
        stream: where to.
        follow: whether all output of actions is shown; else a sign of life now and then.
        watching: whether it is a loop that tells, which has batches and times of day.
        colours: whether to colour.
        clock: seconds that never go back.
        time_of_day: ``HH:MM:SS``.
        clock_of: the same for seconds since the epoch.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        follow: bool = False,
        watching: bool = True,
        colours: bool = False,
        clock: Callable[[], float] = time.monotonic,
        time_of_day: Callable[[], str] = lambda: time.strftime("%H:%M:%S"),
        clock_of: Callable[[float], str] = clock_of,
    ) -> None:
        self._stream = stream
        self._follow = follow
        self._watching = watching
        self._colours = colours
        self._clock = clock
        self._time_of_day = time_of_day
        self._clock_of = clock_of
        self._counts: Counter[str] = Counter()
        self._running: dict[int, _Since] = {}
        self._worked = False

    def __call__(self, event: Event) -> None:
        """Tells one event.

        Raises:
            OSError: the stream is closed or full.
        """
        match event:
            case Changed() | Unchanged() | Planned():
                self._before(event)
            case Started() | Output() | Progress() | Ended():
                self._during(event)
            case Services():
                return
            case Paused() | EngineAway() | EngineBack():
                self._around(event)
            case Ready() | Idle() | Problem() | Notice() | Stopped():
                self._about(event)
        self._stream.flush()

    def _before(self, event: Changed | Unchanged | Planned) -> None:
        match event:
            case Changed(changes, note):
                self._head(changes_text(changes, note))
            case Unchanged(paths):
                self._head(f"saved, no change: {listed([show_path(p) for p in paths])}")
            case Planned(plan):
                if not self._running:
                    self._counts.clear()
                    self._worked = False
                self._worked = self._worked or bool(plan)
                for line in plan_lines(plan):
                    self._line(f"  {line}")

    def _during(self, event: Started | Output | Progress | Ended) -> None:
        now = self._clock()
        match event:
            case Started(action):
                self._running[action.id] = _Since(now, now)
                if self._follow and not self._watching:
                    self._line(f"{named(action)} ...")
            case Output(_, line) if self._follow:
                self._line(f"  {line}")
            case Output(action, line) if action is not None and line.strip():
                since = self._running.get(action.id)
                if since is not None and now - since.shown >= PROGRESS_SECONDS:
                    since.shown = now
                    passed = seconds_text(now - since.started)
                    self._line(f"  ... {action.kind.value}, {passed}: {line.strip()}")
            case Ended():
                self._running.pop(event.action.id, None)
                self._ended(event)

    def _ended(self, event: Ended) -> None:
        self._count(event)
        words = {"succeeded": "ok", "unchanged": "same", "failed": "FAILED"}
        word = words.get(event.outcome, event.outcome or ("ok" if event.ok else "FAILED"))
        if event.broken and event.error is None:
            word = "partly"
        shade = "green" if event.ok else "yellow" if event.error is None else "red"
        told = colour(f"{word:6}", shade, on=self._colours)
        detail = f" ({event.detail})" if event.detail else ""
        took = f", {seconds_text(event.seconds)}" if event.seconds >= 0.05 else ""
        self._line(f"  {told} {named(event.action)}{took}{detail}")
        if event.error is not None and event.outcome != "cancelled":
            self._error(event.error, "    ")

    def _count(self, event: Ended) -> None:
        if not event.ok:
            self._counts[event.outcome] += max(1, len(event.broken or event.action.targets))
            if not event.broken:
                return
        if event.action.kind in _BUILDS:
            self._counts["built"] += event.built
            self._counts["changed"] += len(event.changed)
        elif verb := _VERBS.get(event.action.kind):
            self._counts[verb] += len(event.changed)

    def _about(self, event: Ready | Idle | Problem | Notice | Stopped) -> None:
        match event:
            case Ready(seconds, urls):
                self._head(f"ready after {seconds_text(seconds)}")
                for service, url in urls:
                    self._line(f"  {service:16} {url}")
            case Idle():
                self._idle(event)
            case Problem(error):
                self._error(error, "")
            case Notice(text):
                self._head(text)
            case Stopped(_, reason):
                self._head(f"stopped ({reason})" if reason else "stopped")

    def _around(self, event: Paused | EngineAway | EngineBack) -> None:
        match event:
            case Paused(on):
                self._head("paused" if on else "going on")
            case EngineAway(why):
                self._head(f"the engine does not answer ({why}); waiting for it")
            case EngineBack():
                self._head("the engine is back; checking everything")

    def _idle(self, event: Idle) -> None:
        counts = [f"{self._counts[word]} {word}" for word in _ORDER if self._counts[word]]
        done = ", ".join(counts) or "nothing to do"
        took = f" in {seconds_text(event.seconds)}" if self._worked else ""
        if event.ok:
            self._head(colour("live", "green", on=self._colours) + f": {done}{took}")
        else:
            for told in waiting_lines(event, self._clock_of):
                self._head(colour(told, "red", on=self._colours) + (f", {done}" if counts else ""))
                counts = []
        self._counts.clear()
        self._worked = False

    def _head(self, text: str) -> None:
        """A line that begins something, with the time of day where it tells something."""
        when = colour(self._time_of_day(), "dim", on=self._colours) + "  "
        self._line((when if self._watching else "") + text)

    def _error(self, error: AttuneDevError, indent: str) -> None:
        first, *rest = error.lines()
        self._line(indent + colour(first, "red", on=self._colours))
        for line in rest:
            self._line(indent + line)

    def _line(self, text: str) -> None:
        """The one way to the stream: nothing gets there that draws."""
        shown = clean_line(text, colours=self._colours)
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(for_encoding(shown, encoding) + "\n")


def one_shot(*, to_stderr: bool = False) -> Callable[[Event], None]:
    """The reporter of tasks that do one thing: everything streams, with a bar on a terminal.

    Args:
        to_stderr: whether standard output is kept for a document.
    """
    stream = sys.stderr if to_stderr else sys.stdout
    plain = PlainReporter(stream, follow=True, watching=False, colours=_coloured(stream))
    draws = stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")
    return Bar(plain, stream) if draws else plain


def following() -> PlainReporter:
    """The reporter of a loop on standard output."""
    return PlainReporter(sys.stdout, colours=_coloured(sys.stdout))


def _coloured(stream: TextIO) -> bool:
    return wants_colour(os.environ, terminal=stream.isatty())
