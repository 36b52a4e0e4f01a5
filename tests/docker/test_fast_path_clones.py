"""Code into running containers: two checkouts at once, and a loop that is killed as it compiles."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from attune_dev.bench.sample.loop import Dev, developing
from attune_dev.bench.sample.stack import eventually
from tests.docker.small import Small, new_mark, small_repository

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Small]]:
    """Two checkouts of one repository, removed afterwards with all that was made of them."""
    with ExitStack() as after:
        folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
        yield [after.enter_context(small_repository(folder)) for folder in folders]


def test_two_checkouts_in_turn_each_run_their_own(clones: list[Small]) -> None:
    with ExitStack() as running:
        loops = [running.enter_context(developing(clone)) for clone in clones]
        first, second, third = (new_mark("common") for _ in range(3))
        # the same file, of the same length, in both; in the end each has what the other one had
        for marks in ((first, second), (third, first), (first, third)):
            for clone, mark in zip(clones, marks, strict=True):
                clone.common(mark)
            for clone, loop, mark in zip(clones, loops, marks, strict=True):
                assert loop.wait_idle(300)[-1]["ok"], loop.text()
                assert clone.answer()[1] == mark


def test_what_a_killed_loop_was_compiling_runs_after_the_next_start(clones: list[Small]) -> None:
    clone: Small = clones[0]
    for when in ("start", "plan"):
        loop = Dev(clone)
        assert loop.wait_idle(600)[-1]["ok"], loop.text()
        mark = clone.common(new_mark("common"))
        seen = loop.seen
        eventually(lambda: when in {event["event"] for event in loop.events()[seen:]})  # noqa: B023
        loop.stop(signal.SIGKILL)
        other = clone.web(new_mark("web"))
        with developing(clone):
            assert clone.answer()[:2] == [other, mark]
    assert not (Path(clone.root) / "target").exists()
