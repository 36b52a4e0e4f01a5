"""The one queue into the loop: hints, urgent requests and news of the work."""

from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attune_dev.model.event import Event, Services
    from attune_dev.watching.worker import Job, JobResult

MOST_HINTS = 50_000


@dataclass(frozen=True, slots=True)
class Touched:
    """Paths that something happened to, relative to the root; what happened, the disk tells."""

    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rescan:
    """Events may be missing: look at everything. ``reason`` is told unless it is empty."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """Something to report from another thread."""

    event: Event


@dataclass(frozen=True, slots=True)
class Finished:
    """The work that was started has ended."""

    job: Job
    result: JobResult


@dataclass(frozen=True, slots=True)
class Running:
    """What runs now.

    Attributes:
        containers: ids by service, of the services that are acted upon.
        states: the same for people.
        at: when the engine was asked, on the loop's clock.
        made: when the newest container of a service was made, on the same clock.
    """

    containers: Mapping[str, frozenset[str]]
    states: Services
    at: float
    made: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineGone:
    """The engine does not answer any more."""

    why: str


@dataclass(frozen=True, slots=True)
class EngineFound:
    """It answers again."""


@dataclass(frozen=True, slots=True)
class Question:
    """Another process wants to know when all that is saved by now is live.

    Attributes:
        id: names the question.
    """

    id: str


class Request(StrEnum):
    """What a user asks of a running loop."""

    RETRY = "retry"
    BUILD_ALL = "build-all"
    PAUSE = "pause"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class Asked:
    """A key was pressed, or another process asked."""

    request: Request


@dataclass(frozen=True, slots=True)
class StopNow:
    """A signal asked to end; ``code`` is the exit status."""

    code: int


Message = (
    Touched
    | Rescan
    | Told
    | Finished
    | Running
    | EngineGone
    | EngineFound
    | Question
    | Asked
    | StopNow
)
Urgent = Asked | StopNow


class _Wake:
    """Marks in the queue that hints or an urgent message wait elsewhere."""


class Inbox:
    """Many writers, one reader.

    Hints are a set, so that a storm of events takes no more room than the paths it is about.
    Urgent messages overtake everything; they may come from a signal handler, so no lock is taken
    for them (``SimpleQueue.put`` and ``deque.append`` may be interrupted by themselves).
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Message | _Wake] = queue.SimpleQueue()
        self._urgent: deque[Urgent] = deque()
        self._overtaken: deque[Message | _Wake] = deque()
        self._hints: set[str] = set()
        self._overfull = False
        self._lock = threading.Lock()

    def touch(self, *paths: str) -> None:
        """Takes hints; from any thread but a signal handler."""
        with self._lock:
            empty = not self._hints and not self._overfull
            if len(self._hints) < MOST_HINTS:
                self._hints.update(paths)
            else:
                self._overfull = True
        if empty and paths:
            self._queue.put(_Wake())

    def put(self, message: Message) -> None:
        """Takes a message behind those that wait."""
        self._queue.put(message)

    def put_urgent(self, message: Urgent) -> None:
        """Takes a message before all others; also from a signal handler."""
        self._urgent.append(message)
        self._queue.put(_Wake())

    def get(self, timeout: float | None) -> Message | None:
        """The next message, ``None`` after ``timeout`` seconds or where there was nothing to it."""
        if self._urgent:
            return self._urgent.popleft()
        if self._overtaken:
            message = self._overtaken.popleft()
        else:
            try:
                message = self._queue.get(timeout=timeout)
            except queue.Empty:
                return None
            if self._urgent:  # it came while we waited, maybe behind this one
                self._overtaken.append(message)
                return self._urgent.popleft()
        return self._drain() if isinstance(message, _Wake) else message

    def _drain(self) -> Message | None:
        with self._lock:
            paths, overfull = frozenset(self._hints), self._overfull
            self._hints.clear()
            self._overfull = False
        if overfull:
            return Rescan(f"more than {MOST_HINTS:,} files were touched at once")
        return Touched(paths) if paths else None
