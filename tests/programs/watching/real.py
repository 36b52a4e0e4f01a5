"""The loop on a real tree: real events, real git, real content; only the engine is not there.

The worker succeeds at once and remembers what it was given and what the files were like then, so
that a test can tell whether what "runs" is what is on disk.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attune_dev.docker.cancel import Cancel
from attune_dev.model.event import Changed, Event, Idle, Notice, Planned, Problem
from attune_dev.model.plan import Plan
from attune_dev.running.outcome import ActionResult, Outcome, RunResult
from attune_dev.state import state_directory
from attune_dev.watching.git_quiet import GitQuiet
from attune_dev.watching.inbox import Asked, Inbox, Request
from attune_dev.watching.loop import Loop
from attune_dev.watching.parts import Options, Parts, SystemClock
from attune_dev.watching.questions import Answers, ask
from attune_dev.watching.record import Record
from attune_dev.watching.scope import everything
from attune_dev.watching.snapshot import Snapshotter
from attune_dev.watching.watcher import Watcher
from attune_dev.watching.worker import ThreadWorker
from tests.unit.watching.stage import FakePlanning

GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "gc.auto=0")


class Real:
    """A running loop.

    Attributes:
        root: the tree.
        live: path to content, as the last successful work had it.
        fails: told a path, whether work on it fails.
        planning: what reads what.
    """

    def __init__(self, root: Path, *, poll: bool = False) -> None:
        self.root = root
        self.inbox = Inbox()
        self.events: list[Event] = []
        self.live: dict[str, bytes | None] = {}
        self.fails: Callable[[str], bool] = lambda _: False
        self.during: Callable[[], None] = lambda: None
        self.planning = FakePlanning(root)
        self.watcher = Watcher(root, everything(), self.inbox, poll=poll)
        self.keeper = Record(state_directory(root))
        parts = Parts(
            messages=self.inbox,
            source=self.watcher,
            looker=Snapshotter(root, everything()),
            planning=self.planning,
            worker=ThreadWorker(self.inbox, self._execute),
            tell=self.events.append,
            keeper=self.keeper,
            git=GitQuiet(root),
            clock=SystemClock(),
            answers=Answers(root),
        )
        self.loop = Loop(parts, Options())
        self.code: int | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.code = self.loop.run()

    def _execute(self, plan: Plan, on_event: Callable[[Event], None], cancel: Cancel) -> RunResult:
        self.during()
        results = []
        for action in plan.actions:
            ok = not any(self.fails(path) for path in action.paths)
            outcome = Outcome.SUCCEEDED if ok else Outcome.FAILED
            results.append(ActionResult(action, outcome))
            for path in action.paths if ok else ():
                self.live[path] = self.content(path)
        return RunResult(plan, tuple(results))

    def content(self, path: str) -> bytes | None:
        """A file as it is now."""
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None

    def start(self) -> None:
        """Starts it, past its first idle."""
        self._thread.start()
        self.until(lambda: self.of(Idle), "never idle")
        for file in self.root.rglob("*"):
            if file.is_file():
                path = file.relative_to(self.root).as_posix()
                self.live[path] = self.content(path)  # a start makes all current

    def settle(self) -> dict[str, Any]:
        """Waits until all that is saved by now is live (or cannot be)."""
        return ask(self.root, 60)

    def request(self, request: Request) -> None:
        """Presses a key."""
        self.inbox.put_urgent(Asked(request))

    def of(self, kind: type[Any]) -> list[Any]:
        """Events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def notices(self) -> list[str]:
        """What people were told."""
        return [event.text for event in self.of(Notice)]

    @property
    def problems(self) -> list[str]:
        """What went wrong."""
        return [event.error.what for event in self.of(Problem)]

    def plans(self, since: int = 0) -> list[Plan]:
        """Plans after the opening."""
        return [event.plan for event in self.events[since:] if isinstance(event, Planned)]

    def changed(self, since: int = 0) -> list[tuple[str, str]]:
        """What was told to have changed."""
        told = [event for event in self.events[since:] if isinstance(event, Changed)]
        return [(c.kind.value, c.path) for event in told for c in event.changes]

    def differing(self, folder: str) -> list[str]:
        """Paths below a folder that are not live as they are."""
        here = {
            file.relative_to(self.root).as_posix(): file.read_bytes()
            for file in (self.root / folder).rglob("*")
            if file.is_file()
        }
        there = {p: c for p, c in self.live.items() if c is not None and p.startswith(folder)}
        return sorted(p for p in here.keys() | there.keys() if here.get(p) != there.get(p))

    def git(self, *words: str) -> None:
        """Runs git in the tree."""
        subprocess.run([*GIT, *words], cwd=self.root, check=True, capture_output=True)

    def until(self, probe: Callable[[], Any], what: str, timeout: float = 30) -> None:
        """Waits until something is so."""
        end = time.monotonic() + timeout
        while not probe():
            assert time.monotonic() < end, f"{what}: {self.events}"
            time.sleep(0.02)

    def stop(self) -> int | None:
        """Ends it."""
        self.request(Request.QUIT)
        self._thread.join(10)
        return self.code


@contextmanager
def looping(root: Path, *, poll: bool = False) -> Iterator[Real]:
    """A loop on a tree, past its first idle."""
    from attune_dev.watching.lock import only_loop

    real = Real(root, poll=poll)
    with only_loop(root):
        real.start()
        try:
            yield real
        finally:
            real.stop()
