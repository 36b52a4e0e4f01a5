"""Events as JSON lines, appended to a file: for scripts, editors and coding agents."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from attune_dev.errors import EnvironmentLacksError
from attune_dev.model.event import Ended
from attune_dev.model.event_json import error_to_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attune_dev.model.event import Event


class JsonLines:
    """Appends one line per event; each is whole, or the next one begins on a line of its own.

    Args:
        path: the file, made where it is not there.
        warn: told once, and again after it had worked, that events cannot be written.
        now: seconds since the epoch.

    Raises:
        EnvironmentLacksError: the file cannot be opened.
    """

    def __init__(
        self, path: Path, warn: Callable[[str], None], now: Callable[[], float] = time.time
    ) -> None:
        self._warn = warn
        self._now = now
        self._failing = False
        self._torn = False
        self._path = path
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._handle = os.open(path, flags, 0o600)
        except OSError as problem:
            raise EnvironmentLacksError(
                f"cannot write events to {path}",
                why=problem.strerror or str(problem),
                hint="name a file in a folder that exists and that you may write to",
            ) from None

    def __call__(self, event: Event) -> None:
        """Writes one event; a full disk stops nobody."""
        for document in _documents(event):
            self._write({"t": round(self._now(), 3)} | document)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._handle)

    def _write(self, document: dict[str, Any]) -> None:
        data = json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"
        if self._torn:
            data = b"\n" + data
        try:
            written = os.write(self._handle, data)
        except OSError as problem:
            if not self._failing:
                self._warn(
                    f"events cannot be written to {self._path} "
                    f"({problem.strerror or problem}); the loop goes on"
                )
            self._failing = True
            return
        self._torn = written < len(data)
        self._failing = self._torn


def _documents(event: Event) -> list[dict[str, Any]]:
    """An event's lines: a failed action is told as its end and as an error."""
    document = to_dict(event)
    if document is None:
        return []
    if isinstance(event, Ended) and event.error is not None and event.outcome != "cancelled":
        return [document, {"event": "error"} | error_to_dict(event.error)]
    return [document]
