"""The sentry with a client that is a script: what it says, and how it ends, is the test's."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attune_dev.docker.containers import ContainerState
from attune_dev.docker.sentry import LONGEST_SETTLE, Sentry
from attune_dev.errors import EnvironmentLacksError

CLIENT = """#!/bin/sh
touch "{folder}/asked"
cat "{folder}/pipe"
echo "Cannot connect to the Docker daemon" >&2
exit 1
"""


class World:
    """An engine that is there or not, and a stream that a test writes to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.there = True
        self.heard: list[str] = []
        os.mkfifo(folder / "pipe")
        client = folder / "docker"
        client.write_text(CLIENT.format(folder=folder))
        client.chmod(0o755)
        environ = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
        self.sentry = Sentry(
            "demo",
            self.containers,
            lambda found, _: self.heard.append(f"{len(found)} containers"),
            lambda why: self.heard.append(f"gone: {why}"),
            lambda: self.heard.append("back"),
            environ,
        )

    def containers(self) -> tuple[ContainerState, ...]:
        if not self.there:
            raise EnvironmentLacksError("the Docker engine does not answer")
        return (ContainerState("api", "a"),)

    def until(self, probe: Callable[[], object], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not probe():
            assert time.monotonic() < end, self.heard
            time.sleep(0.02)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    made = World(tmp_path)
    made.sentry.start()
    yield made
    made.sentry.stop()


def test_each_event_leads_to_one_look_and_silence_to_none(world: World) -> None:
    with (world.folder / "pipe").open("w") as stream:
        world.until(lambda: len(world.heard) >= 2)  # at the start, and when the stream has begun
        before = len(world.heard)
        stream.write("start\nstart\nstart\n")
        stream.flush()
        world.until(lambda: len(world.heard) == before + 1)
        assert set(world.heard) == {"1 containers"}


def test_a_restart_of_many_is_looked_at_when_it_is_over(world: World) -> None:
    with (world.folder / "pipe").open("w") as stream:
        world.until(lambda: len(world.heard) >= 2)
        before = len(world.heard)
        for _ in range(12):
            stream.write("die\n")
            stream.flush()
            time.sleep(0.1)
        assert len(world.heard) <= before + 1  # one, where the machine took a pause
        world.until(lambda: len(world.heard) > before)


def test_events_without_end_are_looked_at_all_the_same(world: World) -> None:
    with (world.folder / "pipe").open("w") as stream:
        world.until(lambda: len(world.heard) >= 2)
        before, end = len(world.heard), time.monotonic() + 4 * LONGEST_SETTLE
        while len(world.heard) == before and time.monotonic() < end:
            stream.write("die\n")
            stream.flush()
            time.sleep(0.05)
        assert len(world.heard) > before


def test_an_engine_that_goes_is_told_once_and_told_when_it_is_back(world: World) -> None:
    with (world.folder / "pipe").open("w"):
        world.until(lambda: world.heard)
        world.there = False
    world.until(lambda: any(word.startswith("gone") for word in world.heard))
    world.there = True
    with (world.folder / "pipe").open("w"):
        world.until(lambda: "back" in world.heard)
    assert [word for word in world.heard if word.startswith("gone")] == [
        "gone: Cannot connect to the Docker daemon"
    ]


def test_it_ends_when_it_is_told_to(world: World) -> None:
    stream = (world.folder / "pipe").open("w")
    world.until(lambda: world.heard)
    world.sentry.stop()
    assert "sentry" not in {thread.name for thread in threading.enumerate()}
    stream.close()
