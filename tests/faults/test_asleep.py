"""The machine sleeps while the loop watches: all of its processes stand still, clocks go on.

The processes are suspended, as they are in a sleep. The clock of the machine stays as it is, for
others go by it: that it has jumped when they go on is what Python is told in them.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from attune_dev.watching.watcher import ANSWER_SECONDS, HEARTBEAT_SECONDS
from tests.contract.rigs import base_image
from tests.faults.with_pack import WithPack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

CLOCK = """\
import os, time

def ahead():
    try:
        with open(os.environ["AHEAD"]) as file:
            return int(file.read() or 0)
    except OSError:
        return 0

seconds, nanoseconds = time.time, time.time_ns
time.time = lambda: seconds() + ahead()
time.time_ns = lambda: nanoseconds() + ahead() * 10**9
"""
HOUR = 3600
GONE = "packs/core/gone.md"


class Sleeper(WithPack):
    """A loop whose machine can be put to sleep."""

    @property
    def clock(self) -> Path:
        return self.root.parent / "ahead"

    def prepare(self) -> None:
        """Makes its clock one that can be set."""
        place = self.root.parent / "clock"
        place.mkdir()
        (place / "sitecustomize.py").write_text(CLOCK)
        self.environ |= {"PYTHONPATH": str(place), "AHEAD": str(self.clock)}

    def suspend(self) -> list[int]:
        """Stops the loop and all that it has started; which processes these are."""
        assert self.child is not None
        stopped: list[int] = []
        while new := [pid for pid in descendants(self.child.pid) if pid not in stopped]:
            for pid in new:
                os.kill(pid, signal.SIGSTOP)
            stopped += new
        return stopped

    def wake(self, stopped: list[int], ahead: int) -> None:
        """Lets them go on, at another time."""
        self.clock.write_text(str(ahead))
        for pid in reversed(stopped):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def descendants(root: int) -> list[int]:
    """A process and all that come from it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdecimal():
                fields = (folder / "stat").read_text().rpartition(") ")[2].split()
                children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Sleeper]:
    if base_image() is None:
        pytest.skip("no base image")
    made = Sleeper(tmp_path / "small")
    made.prepare()
    made.write_pack()
    (made.root / GONE).write_text("for a while\n")
    made.start()
    try:
        yield made
    finally:
        made.close()


def test_what_was_saved_while_the_machine_slept_is_live_after_it_woke_up(
    sleeper: Sleeper,
) -> None:
    stopped = sleeper.suspend()
    assert len(stopped) > 2, "its helpers go on"
    began = time.monotonic()
    sleeper.save("asleep")
    sleeper.label("Asleep")
    (sleeper.root / GONE).unlink()
    while time.monotonic() - began < HEARTBEAT_SECONDS + ANSWER_SECONDS + 1:
        time.sleep(0.5)  # the time that it sleeps
    assert sleeper.code() == "one"
    sleeper.wake(stopped, 8 * HOUR)
    sleeper.says("the machine slept; looking at everything again")
    assert sleeper.run("dev.wait", "--timeout", "60").stdout == "live\n"
    assert (sleeper.code(), sleeper.read()) == ("asleep", "Asleep")
    assert sleeper.in_volume(GONE.removeprefix("packs/")) == ""

    # the clock is set right again, back, while it works
    sleeper.save("again")
    sleeper.next("start")
    stopped = sleeper.suspend()
    sleeper.label("Again")
    sleeper.wake(stopped, -HOUR)
    sleeper.save("at last")
    assert sleeper.run("dev.wait", "--timeout", "60").stdout == "live\n"
    assert (sleeper.code(), sleeper.read()) == ("at", "Again")
    sleeper.save("heard")
    sleeper.until(lambda: sleeper.code() == "heard", "deaf")
    assert "again and again" not in sleeper.text()
    assert "Traceback" not in sleeper.text()
