"""The tools that are compared: each is told of a save by the file system and tells what it does."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from attune_dev.bench.sample.stack import Stack
from attune_dev.docker.process import Running
from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.bench.watch.trees import Project

READY_SECONDS = 300.0
ANSWER_SECONDS = 60.0
PAUSE_SECONDS = 0.3
REST_SECONDS = 2.0


class Tool(ABC):
    """A tool that watches a project.

    Attributes:
        project: which.
        answers: how many it gave to the last burst.
    """

    argv: tuple[str, ...]

    def __init__(self, project: Project) -> None:
        """Starts it."""
        self.project = project
        self.answers = 0
        self._number = 0
        self._heard: list[tuple[float, str]] = []
        self._running = Running(self.argv, self._hear, cwd=project.root, env=project.environ)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._running.pid

    def save(self) -> float:
        """Saves one file; returns seconds until the tool tells what it is going to do."""
        self._number += 1
        file = self.project.file(self._number % self.project.files)
        mark = self.mark()
        file.write_bytes(b"saved %d\n" % self._number)
        began = time.time()
        answer = float(self._await(lambda: self.answered(mark), "no answer")[0])
        self.rest(mark)
        return answer - began

    def burst(self, files: int) -> float:
        """Saves many files; returns seconds from the last save to the last answer."""
        self._number += 1
        mark = self.mark()
        for number in range(files):
            self.project.file(number).write_bytes(b"burst %d %d\n" % (self._number, number))
        began = time.time()
        self._await(lambda: self.answered(mark), "no answer")
        answers: list[float] = []
        while len(answers) < len(self.answered(mark)):  # more may come while the first is acted on
            answers = self.answered(mark)
            self.rest(mark)
            time.sleep(REST_SECONDS)
        self.answers = len(answers)
        return max(0.0, answers[-1] - began)

    def stop(self) -> None:
        """Ends it."""
        self._running.cancel()
        self._running.wait(check=False)

    @abstractmethod
    def wait_ready(self) -> None:
        """Waits until it watches."""

    def mark(self) -> int:
        """A place in what it has told."""
        return len(self._heard)

    @abstractmethod
    def answered(self, mark: int) -> list[float]:
        """When it told what it does, since a mark; seconds since the epoch."""

    def rest(self, mark: int) -> None:  # noqa: ARG002 - for those that tell when they are done
        """Waits until it is done."""
        time.sleep(PAUSE_SECONDS)

    def _hear(self, line: str) -> None:
        self._heard.append((time.time(), line))

    def _await(
        self, probe: Callable[[], list[Any]], what: str, seconds: float = ANSWER_SECONDS
    ) -> list[Any]:
        end = time.monotonic() + seconds
        while not (found := probe()):
            if time.monotonic() > end or not self._running.alive:
                said = "\n".join(line for _, line in self._heard[-20:])
                raise ActionError(f"{self.argv[0]}: {what}", why=said)
            time.sleep(0.005)
        return found

    def _lines(self, mark: int, words: str) -> list[float]:
        return [at for at, line in self._heard[mark:] if words in line]


class InvDev(Tool):
    """This project's loop, by its events."""

    def __init__(self, project: Project) -> None:
        """Starts it."""
        self._file = project.root / "events.jsonl"
        self.argv = tuple(Stack.task("dev", "--events", self._file))
        super().__init__(project)

    def wait_ready(self) -> None:
        """See :class:`Tool`."""
        self._await(lambda: self._of("idle", 0), "not ready", READY_SECONDS)

    def mark(self) -> int:
        """See :class:`Tool`."""
        return len(self._events())

    def answered(self, mark: int) -> list[float]:
        """See :class:`Tool`."""
        return self._of("plan", mark)

    def rest(self, mark: int) -> None:
        """See :class:`Tool`."""
        self._await(lambda: self._of("idle", mark), "not idle")

    def _of(self, name: str, mark: int) -> list[float]:
        return [float(e["t"]) for e in self._events()[mark:] if e["event"] == name]

    def _events(self) -> list[dict[str, Any]]:
        if not self._file.exists():
            return []
        lines = self._file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]


class ComposeWatch(Tool):
    """``docker compose watch``, by its lines."""

    argv = ("docker", "compose", "--ansi", "never", "watch")

    def wait_ready(self) -> None:
        """See :class:`Tool`."""
        self._await(lambda: self._lines(0, "Watch enabled"), "not ready", READY_SECONDS)

    def answered(self, mark: int) -> list[float]:
        """See :class:`Tool`."""
        return self._lines(mark, "Syncing")


class Watchexec(Tool):
    """``watchexec`` that runs a command at each batch."""

    argv = ("watchexec", "--no-vcs-ignore", "--watch", "data", "--", "echo", "acted")

    def wait_ready(self) -> None:
        """See :class:`Tool`."""
        self._await(lambda: self._lines(0, "acted"), "not ready", READY_SECONDS)

    def answered(self, mark: int) -> list[float]:
        """See :class:`Tool`."""
        return self._lines(mark, "acted")
