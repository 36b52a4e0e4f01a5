from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from attune_dev.errors import ActionError
from attune_dev.model.event import FailedWork, Idle
from attune_dev.state import state_directory
from attune_dev.watching.inbox import Message, Question
from attune_dev.watching.lock import LOOP, Lock
from attune_dev.watching.questions import FOLDER, Answers, Unanswered, ask, asked, loop_runs
from tests.unit.watching.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    state_directory(tmp_path)
    return tmp_path


@pytest.fixture
def looping(root: Path) -> Iterator[Lock]:
    lock = Lock(root, LOOP, "inv dev")
    assert lock.acquire()
    yield lock
    lock.release()


class Sleeps:
    """Time passes by sleeping; at each sleep the other side has its turn."""

    def __init__(self, turn: Callable[[], object] = lambda: None) -> None:
        self.now = 0.0
        self.turn = turn

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.turn()

    def clock(self) -> float:
        return self.now


def asking(root: Path, timeout: float | None, sleeps: Sleeps) -> dict[str, Any]:
    return ask(root, timeout, sleep=sleeps.sleep, clock=sleeps.clock)


def test_without_a_loop_nobody_answers(root: Path) -> None:
    with pytest.raises(Unanswered, match="no loop runs"):
        asking(root, None, Sleeps())
    assert asked(root) == []


def test_a_question_is_answered_and_leaves_nothing(root: Path, looping: Lock) -> None:
    answers = Answers(root)
    error = ActionError("it broke", why="because", file="a.rs", line=3)
    work = FailedWork("build", ("api",), 7.0, ("a.rs",), error)
    idle = Idle(ok=False, failed=("api",), pending=("a.rs",), work=(work,))

    def turn() -> None:
        for id_ in asked(root):
            assert answers.take(id_)
            assert not answers.take(id_)
            answers.give(idle, "paused")

    assert asking(root, 5.0, Sleeps(turn)) == {
        "version": 1,
        "ok": False,
        "held": "paused",
        "failed": ["api"],
        "pending": ["a.rs"],
        "errors": [
            {
                "action": "build",
                "targets": ["api"],
                "at": 7.0,
                "message": "it broke",
                "hint": "",
                "why": "because",
                "file": "a.rs",
                "line": 3,
            }
        ],
    }
    assert list((root / FOLDER).iterdir()) == []


def test_time_may_be_up(root: Path, looping: Lock) -> None:
    with pytest.raises(Unanswered, match="in time"):
        asking(root, 3.0, Sleeps())
    assert asked(root) == []


def test_a_loop_that_ends_meanwhile_is_noticed(root: Path, looping: Lock) -> None:
    with pytest.raises(Unanswered, match="no loop runs"):
        asking(root, None, Sleeps(looping.release))


def test_the_question_of_someone_long_gone_is_dropped(root: Path) -> None:
    folder = root / FOLDER
    folder.mkdir(parents=True)
    old, young = folder / f"ask-{'0' * 32}", folder / f"ask-{'1' * 32}"
    for file in (old, young, folder / "7"):
        file.touch()
    os.utime(old, (0, time.time() - 7200))
    assert asked(root) == ["1" * 32]
    assert not old.exists()


def test_looking_for_a_loop_leaves_its_lock_alone(root: Path, looping: Lock) -> None:
    assert loop_runs(root)
    looping.release()
    assert not loop_runs(root)
    assert looping.acquire()


def test_the_loop_answers_when_what_was_saved_before_is_live(tmp_path: Path) -> None:
    root, state = tmp_path / "root", tmp_path / "state"
    (root / "services/api").mkdir(parents=True)
    (root / FOLDER).mkdir(parents=True)
    stage = Stage(root, state)
    state.mkdir()
    answer = root / FOLDER / f"answer-{'a' * 32}"
    there: list[bool] = []

    def save_and_ask() -> Message:
        (root / "services/api/main.rs").write_text("two")  # and no event tells of it
        return Question("a" * 32)

    stage.do(110, save_and_ask)
    stage.do(110.5, lambda: there.append(answer.exists()))
    stage.run()
    assert there == [False]
    assert answer.exists()
    assert [plan.changes[0].path for plan in stage.worker.plans[1:]] == ["services/api/main.rs"]
