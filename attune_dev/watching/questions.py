"""Answers to other processes that ask when all that they have saved is live.

A question is a file; so is its answer. Files of both kinds lie in the state directory, in a folder
that is listened to. Whoever asks knows by the lock whether a loop is there to answer.
"""

from __future__ import annotations

import re
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attune_dev.model.event_json import error_to_dict
from attune_dev.state import STATE_DIRECTORY, read_json, state_directory, write_json
from attune_dev.watching.lock import LOOP, Lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attune_dev.model.event import Idle

FOLDER = f"{STATE_DIRECTORY}/watch"
_QUESTION = re.compile(r"ask-([0-9a-f]{32})")
_STEP = 0.05
OLD_SECONDS = 3600.0


def question_of(name: str) -> str:
    """The id in a file name, empty where it is no question."""
    found = _QUESTION.fullmatch(name)
    return found[1] if found else ""


def asked(root: Path) -> list[str]:
    """The ids of the questions that wait; those of askers long gone are dropped."""
    found = []
    try:
        for file in (root / FOLDER).iterdir():
            if id_ := question_of(file.name):
                if time.time() - file.stat().st_mtime > OLD_SECONDS:
                    file.unlink()
                else:
                    found.append(id_)
    except OSError:
        return found
    return found


class Answers:
    """The loop's side: keeps questions until it is idle.

    Args:
        root: repository root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._waiting: set[str] = set()

    def take(self, id_: str) -> bool:
        """Takes a question in; ``False`` where it is known."""
        new = id_ not in self._waiting
        self._waiting.add(id_)
        return new

    def give(self, idle: Idle, held: str = "") -> None:
        """Answers all that were asked; a full disk is the asker's time limit.

        Args:
            idle: what to tell.
            held: why nothing is done at the moment, empty where nothing is to be done.
        """
        waiting, self._waiting = self._waiting, set()
        for id_ in waiting:
            with suppress(OSError):
                write_json(self._root / FOLDER / f"answer-{id_}", _document(idle, held))
                (self._root / FOLDER / f"ask-{id_}").unlink(missing_ok=True)


class Unanswered(Exception):  # noqa: N818 - it is a state, not a fault
    """No answer in time (``running``), or nobody there to give one."""

    def __init__(self, *, running: bool) -> None:
        super().__init__("no answer in time" if running else "no loop runs")
        self.running = running


def ask(
    root: Path,
    timeout: float | None,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Asks the running loop and waits until it is idle with all that was saved before.

    Args:
        root: repository root.
        timeout: seconds to wait, without end where it is ``None``.
        sleep: waits for seconds.
        clock: seconds that never go back.

    Returns:
        ``ok``, ``held`` (why nothing is done), ``failed``, ``pending`` and ``errors`` as JSON
        values.

    Raises:
        Unanswered: no loop runs, it ended meanwhile, or time is up.
    """
    folder = state_directory(root) / "watch"
    folder.mkdir(exist_ok=True)
    id_ = uuid.uuid4().hex
    question, answer = folder / f"ask-{id_}", folder / f"answer-{id_}"
    end = None if timeout is None else clock() + timeout
    if not loop_runs(root):
        raise Unanswered(running=False)
    try:
        question.touch()
        look = clock()
        while True:
            with suppress(FileNotFoundError):
                document: dict[str, Any] = read_json(answer)
                return document
            now = clock()
            if end is not None and now >= end:
                raise Unanswered(running=True)
            if now - look >= 1.0:
                look = now
                if not loop_runs(root) and not answer.exists():
                    raise Unanswered(running=False)
            sleep(_STEP)
    finally:
        question.unlink(missing_ok=True)
        answer.unlink(missing_ok=True)


def loop_runs(root: Path) -> bool:
    """Whether some process holds the lock of the one loop per project."""
    return not Lock(root, LOOP, "").free()


def _document(idle: Idle, held: str) -> dict[str, Any]:
    return {
        "version": 1,
        "ok": idle.ok,
        "held": held,
        "failed": list(idle.failed),
        "pending": list(idle.pending),
        "errors": [
            {"action": work.kind, "targets": list(work.targets), "at": round(work.at, 3)}
            | ({} if work.error is None else error_to_dict(work.error))
            for work in idle.work
        ],
    }
