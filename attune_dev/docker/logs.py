"""The log of one service, followed across restarts, new containers and an absent engine."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from attune_dev.docker.containers import PROJECT_LABEL, SERVICE_LABEL
from attune_dev.docker.process import Running, run
from attune_dev.docker.text import sanitise
from attune_dev.errors import AttuneDevError

if TYPE_CHECKING:
    from collections.abc import Callable

TAIL = 200
LOOK_SECONDS = 0.5
QUERY_SECONDS = 20.0


class LogFollower:
    """Follows in a thread of its own.

    Args:
        project: Compose project name.
        service: which.
        on_line: told each line, without control sequences.
    """

    def __init__(self, project: str, service: str, on_line: Callable[[str], None]) -> None:
        self._filters = (
            *("--filter", f"label={PROJECT_LABEL}={project}"),
            *("--filter", f"label={SERVICE_LABEL}={service}"),
        )
        self._on_line = on_line
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="log", daemon=True)

    def start(self) -> Callable[[], None]:
        """Starts; returns what ends it."""
        self._thread.start()
        return self._stop.set

    def _follow(self) -> None:
        since = ""
        followed = ""
        while not self._stop.is_set():
            if container := self._newest():
                where = ["--since", since] if since and container == followed else []
                followed = container
                self._read(["docker", "logs", "--follow", "--tail", str(TAIL), *where, container])
                since = f"{time.time():.3f}"
            self._stop.wait(LOOK_SECONDS)

    def _newest(self) -> str:
        argv = ["docker", "container", "ls", "--quiet", "--latest", *self._filters]
        try:
            return run(argv, timeout=QUERY_SECONDS, check=False).stdout.strip()
        except AttuneDevError:
            return ""

    def _read(self, argv: list[str]) -> None:
        try:
            running = Running(argv, lambda line: self._on_line(sanitise(line)))
        except AttuneDevError:
            return
        while running.alive and not self._stop.wait(LOOK_SECONDS):
            pass
        running.cancel(grace=0.5)
