"""A running ``inv dev``, followed through its events."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from attune_dev.docker import process
from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attune_dev.bench.sample.stack import Stack

TEXT_LINES = 2000


class Dev:
    """A running ``inv dev`` whose events are read from its file."""

    def __init__(self, stack: Stack, *words: str) -> None:
        """Starts it.

        Args:
            stack: in which clone.
            words: further words of its command line.
        """
        self.stack = stack
        self.seen = 0
        self._file = stack.root / ".attune-dev" / "events.jsonl"
        self._file.parent.mkdir(exist_ok=True)
        self._file.unlink(missing_ok=True)
        self._lines: deque[str] = deque(maxlen=TEXT_LINES)
        self._running = process.Running(
            stack.task("dev", "--events", self._file, *words),
            self._lines.append,
            cwd=stack.root,
            env=stack.environ,
        )

    @property
    def pid(self) -> int:
        """Its process, the leader of its group."""
        return self._running.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._running.alive

    def events(self) -> list[dict[str, Any]]:
        """All events so far."""
        if not self._file.exists():
            return []
        lines = self._file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def wait_idle(self, timeout: float = 600) -> list[dict[str, Any]]:
        """Waits for the next ``idle`` and returns the events since the last one, it included.

        Raises:
            ActionError: it ended, or there was none within the time.
        """
        end = time.monotonic() + timeout
        while True:
            fresh = self.events()[self.seen :]
            for position, event in enumerate(fresh):
                if event["event"] == "idle":
                    self.seen += position + 1
                    return fresh[: position + 1]
            if not self._running.alive:
                raise ActionError("inv dev has ended", why=self.text())
            if time.monotonic() > end:
                raise ActionError(f"no idle within {timeout:g} s: {fresh}", why=self.text())
            time.sleep(0.05)

    def text(self) -> str:
        """What it has printed, the last lines of it."""
        return "\n".join(self._lines)

    def ended(self, timeout: float = 60) -> int:
        """Waits until it ends by itself and returns its exit code.

        Raises:
            TimeoutError: it did not within the time.
        """
        return self._running.wait(timeout, check=False).returncode

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ends it and returns its exit code."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
        try:
            return self._running.wait(20, check=False).returncode
        except TimeoutError:
            self._running.cancel(grace=0.5)
            return self._running.wait(check=False).returncode


@contextmanager
def developing(stack: Stack, *words: str, timeout: float = 1500) -> Iterator[Dev]:
    """``inv dev`` for the length of a block, past its first ``idle``.

    Raises:
        ActionError: the stack did not come up.
    """
    dev = Dev(stack, *words)
    try:
        first = dev.wait_idle(timeout)
        if not first[-1]["ok"]:
            raise ActionError(f"the stack did not come up: {first[-1]}", why=dev.text())
        yield dev
    finally:
        dev.stop()
