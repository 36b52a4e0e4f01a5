"""A build that newer changes make pointless, as the loop sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.model.event import NearlyDone, Notice, Ready, Started
from attune_dev.model.plan import Action, ActionKind
from attune_dev.watching.inbox import Told
from tests.unit.watching.stage import Stage

BUILD = Action(1, ActionKind.BUILD, ("api",))
FILE = "services/api/main.rs"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    root, state = tmp_path / "root", tmp_path / "state"
    for path in (FILE, "services/executor/main.rs", "packs/core/a.yaml"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("at first")
    state.mkdir()
    made = Stage(root, state)
    made.worker.seconds = 3.0
    made.write(FILE, "one", at=110)
    made.worker.at_start = lambda: made.do(made.clock.time + 0.01, lambda: Told(Started(BUILD)))
    return made


def notices(stage: Stage) -> list[str]:
    return [notice.text for notice in stage.of(Notice)]


def test_it_is_broken_off_once_and_the_next_one_runs_to_its_end(stage: Stage) -> None:
    stage.write(FILE, "two", at=112)
    stage.write(FILE, "three", at=114)
    stage.run()
    assert notices(stage) == [
        "newer changes make the build of api pointless: it is started again",
        "the build of api was started again once: it runs to its end",
    ]


def test_while_it_only_links_it_is_let_finish(stage: Stage) -> None:
    stage.do(111.5, lambda: Told(NearlyDone(BUILD)))
    stage.write(FILE, "two", at=112)
    stage.run()
    assert notices(stage) == [
        "the build of api is nearly done and let finish; newer changes come next"
    ]


def test_a_change_that_concerns_something_else_lets_it_run(stage: Stage) -> None:
    stage.write("services/executor/main.rs", "two", at=112)
    stage.write("packs/core/a.yaml", "two", at=113)
    stage.run()
    assert notices(stage) == []


def test_what_brings_the_stack_up_is_broken_off_too_and_begun_again_in_full(stage: Stage) -> None:
    stage.planning.opening_actions = ((ActionKind.BUILD, "api"),)
    stage.write(FILE, "early", at=101)
    stage.write(FILE, "later", at=103)
    stage.run()
    assert notices(stage)[:2] == [
        "newer changes make the build of api pointless: it is started again",
        "the build of api was started again once: it runs to its end",
    ]
    first, second, *rest = stage.worker.plans
    assert [action.kind for action in first.actions] == [a.kind for a in second.actions]
    assert all(plan.changes for plan in rest)
    assert stage.of(Ready)
