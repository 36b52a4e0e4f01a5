"""The engine goes and comes while the loop watches; others take containers away."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.own_engine import OwnEngine
from tests.faults.small import Small, small

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


@pytest.fixture
def project(engine: OwnEngine, tmp_path: Path) -> Iterator[Small]:
    if not engine.running:
        engine.start()
    with small(tmp_path / "small", {"DOCKER_HOST": engine.host}) as made:
        made.start()
        yield made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_loop_resumes_by_itself_when_the_engine_is_back(
    engine: OwnEngine, project: Small, number: signal.Signals
) -> None:
    engine.stop(number)
    project.says("the engine does not answer")
    project.save(f"while-away-{number}")
    away = project.idle(ok=False)
    project.until(lambda: project.events()[-1].get("pending") == ["code"], "not pending")
    assert not away["ok"]
    engine.start()
    project.says("the engine is back; checking everything")
    project.idle(ok=True)
    assert project.code() == f"while-away-{number}"
    assert project.text().count("the engine does not answer") == 1
    assert "Traceback" not in project.text()


def test_a_container_that_others_remove_is_brought_back(project: Small) -> None:
    project.docker("rm", "-f", project.container())
    project.says("web was removed by someone else; checking everything")
    project.idle(ok=True)
    assert project.code() == "one"


def test_a_container_that_others_replace_is_checked(project: Small) -> None:
    before = project.container()
    project.docker("compose", "up", "-d", "--force-recreate", "--no-build", "web")
    project.says("web was replaced by someone else; checking everything")
    project.idle(ok=True)
    assert project.container() != before
    assert project.code() == "one"


def test_a_stack_that_others_take_down_stays_down_until_the_next_save(project: Small) -> None:
    project.docker("compose", "down", "-t", "0")
    project.says("the stack was taken down by someone else")
    project.idle(ok=False)
    assert project.container() == ""
    project.save("two")
    project.idle(ok=True)
    assert project.code() == "two"
