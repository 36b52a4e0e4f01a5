"""Watches what runs: the engine's own stream of events, and whether the engine is there at all.

The stream only says that something happened; what is, the engine is asked for then. So nothing is
asked while nothing happens.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from attune_dev.docker.containers import PROJECT_LABEL
from attune_dev.docker.failures import environment_error
from attune_dev.docker.process import Running
from attune_dev.errors import AttuneDevError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from attune_dev.docker.containers import ContainerState

SETTLE_SECONDS = 0.3
LONGEST_SETTLE = 2.0
"""While much happens, as in a restart of all services, looking would cost what that needs."""
SECOND_LOOK = 1.0  # the stream takes a moment to begin: what happens in it is seen by a second look
FIRST_RETRY, LONGEST_RETRY = 1.0, 30.0
_EVENTS = (
    *("create", "start", "die", "stop", "kill", "pause", "unpause", "rename", "destroy"),
    *("health_status", "oom"),
)


class Sentry:
    """Tells the containers of one project whenever they may have changed.

    Args:
        project: Compose project name.
        containers: asks the engine for them.
        on_containers: told them, and the moment before they were asked for.
        on_gone: told why, when the engine does not answer any more.
        on_back: told when it answers again.
        environ: environment of the calls.
    """

    def __init__(
        self,
        project: str,
        containers: Callable[[], tuple[ContainerState, ...]],
        on_containers: Callable[[tuple[ContainerState, ...], float], None],
        on_gone: Callable[[str], None],
        on_back: Callable[[], None],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._project = project
        self._containers = containers
        self._on_containers = on_containers
        self._on_gone = on_gone
        self._on_back = on_back
        self._environ = environ
        self._dirty = threading.Event()
        self._stop = threading.Event()
        self._stream: Running | None = None
        self._thread = threading.Thread(target=self._watch, name="sentry", daemon=True)

    def start(self) -> None:
        """Starts watching."""
        self._thread.start()

    def look(self) -> None:
        """Asks for what runs now, soon; from any thread."""
        self._dirty.set()

    def stop(self) -> None:
        """Ends watching."""
        self._stop.set()
        self._dirty.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _watch(self) -> None:
        while not self._stop.is_set():
            why = self._follow()
            if self._stop.is_set():
                return
            if self._answers():  # only the stream had ended, and may do so again
                self._stop.wait(FIRST_RETRY)
                continue
            self._on_gone(why)
            delay = FIRST_RETRY
            while not self._stop.wait(delay) and not self._answers():
                delay = min(delay * 1.5, LONGEST_RETRY)
            if not self._stop.is_set():
                self._on_back()

    def _follow(self) -> str:
        """Follows the stream to its end; returns what it said last."""
        words = ["docker", "events", "--format", "{{.Status}}", "--filter", "type=container"]
        words += ["--filter", f"label={PROJECT_LABEL}={self._project}"]
        for name in _EVENTS:
            words += ["--filter", f"event={name}"]
        try:
            stream = Running(
                words, lambda _: self._dirty.set(), on_error_line=_ignore, env=self._environ
            )
        except AttuneDevError as problem:
            return problem.what
        self._dirty.set()
        again: float | None = SECOND_LOOK
        try:
            while stream.alive and not self._stop.is_set():
                if self._dirty.wait(again if again is not None else SECOND_LOOK):
                    self._settle()
                elif again is None:
                    continue
                else:
                    again = None
                self._dirty.clear()
                if not self._stop.is_set() and not self._answers():
                    break
        finally:
            stream.cancel(grace=0.5)
        ended = stream.wait(check=False)
        lacking = environment_error(ended.stderr, ended.argv)
        return (lacking.why or lacking.what) if lacking else "it closed the connection"

    def _settle(self) -> None:
        """Waits until nothing has happened for a moment, or something has for long."""
        end = time.monotonic() + LONGEST_SETTLE
        while not self._stop.is_set() and (left := end - time.monotonic()) > 0:
            self._dirty.clear()
            if not self._dirty.wait(min(SETTLE_SECONDS, left)):
                return

    def _answers(self) -> bool:
        """Asks what runs and tells it; ``False`` where nobody answers."""
        before = time.monotonic()
        try:
            containers = self._containers()
        except AttuneDevError:
            return False
        self._on_containers(containers, before)
        return True


def _ignore(_: str) -> None:
    return None
