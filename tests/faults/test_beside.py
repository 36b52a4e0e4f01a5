"""A long build keeps nobody waiting who has nothing to do with it, on an engine."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.small import DOCKERFILE
from tests.faults.with_pack import WithPack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

BUILD_SECONDS = 20
SLOW = f"RUN if grep -q ^slow /code; then sleep {BUILD_SECONDS}; fi"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[WithPack]:
    made = WithPack(tmp_path / "small")
    made.write_pack()
    slow = DOCKERFILE.replace("COPY code /code", f"COPY code /code\n{SLOW}")
    (made.root / "Dockerfile").write_text(slow)
    made.start()
    try:
        yield made
    finally:
        made.close()


def building(project: WithPack) -> float:
    """Waits until a build has started; when that was."""
    while (event := project.next("start"))["action"] != "build":
        continue
    return float(event["t"])


def test_a_pack_file_is_live_before_the_build_ends(project: WithPack) -> None:
    project.save("slow-two")
    began = building(project)
    project.label("Second")
    project.until(lambda: project.read() == "Second", "the reader never read it")
    took = time.time() - began
    assert project.code() == "one", "the build still runs"
    assert project.idle()["ok"]
    assert project.code() == "slow-two"
    told = [e for e in project.events() if e["event"] in ("start", "end") and e["t"] >= began]
    assert [(e["event"], e["action"]) for e in told] == [
        ("start", "build"),
        ("start", "sync-packs"),
        ("end", "sync-packs"),
        ("start", "restart"),
        ("end", "restart"),
        ("end", "build"),
        ("start", "recreate"),
        ("end", "recreate"),
    ]
    for event in told:  # each end is of the start with its id, whatever runs beside it
        same = [e["action"] for e in told if e["id"] == event["id"]]
        assert len(same) == 2
    assert took < BUILD_SECONDS


def test_a_build_that_is_broken_off_leaves_what_runs_beside_it_alone(project: WithPack) -> None:
    project.save("slow-two")
    building(project)
    project.label("Second")
    project.save("slow-three")
    assert project.idle()["ok"]
    assert (project.code(), project.read()) == ("slow-three", "Second")
    ends = [(e["action"], e["outcome"]) for e in project.events() if e["event"] == "end"]
    assert ("build", "cancelled") in ends
    assert ("restart", "cancelled") not in ends


def test_what_was_another_for_a_moment_while_it_was_built_is_built_again(
    project: WithPack,
) -> None:
    """The build may have read what was there for a moment only: who can tell."""
    project.save("slow-two")
    building(project)
    other = project.root / "packs/core/actions/a.sh"
    good = other.read_bytes()
    other.write_bytes(good + b"echo\n")
    time.sleep(1.0)
    other.write_bytes(good)
    project.save("slow-three")
    time.sleep(1.0)
    project.save("slow-two")
    assert project.idle()["ok"]
    assert project.code() == "slow-two"
    assert project.in_volume("core/actions/a.sh").encode() == good.strip()


def test_ctrl_c_ends_all_that_runs_and_the_next_start_finds_it(project: WithPack) -> None:
    project.save("slow-two")
    building(project)
    project.label("Second")
    assert project.next("start")["action"] == "sync-packs"
    began = time.monotonic()
    assert project.stop(signal.SIGINT) == 130
    assert time.monotonic() - began < 4
    project.start()
    assert (project.code(), project.read()) == ("slow-two", "Second")
