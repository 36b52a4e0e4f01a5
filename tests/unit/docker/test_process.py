"""Programs as children: output, ends, and interrupts."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from attune_dev.docker import process
from attune_dev.errors import EnvironmentLacksError


def interrupt_once(there: Path) -> None:
    """Interrupts this process as soon as the child has written a file, and tells the child."""

    def watch() -> None:
        while not there.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
        there.with_name("interrupted").touch()

    threading.Thread(target=watch, daemon=True).start()


ENDLESS = "echo started > started; sleep 1000; echo whole > ended"
WHOLE = (
    "echo started > started; while [ ! -e interrupted ]; do sleep 0.01; done; echo whole > ended"
)


def is_dead(pid: str) -> bool:
    """Whether a process is gone, or waits for its parent alone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_an_interrupt_ends_a_program(tmp_path: Path) -> None:
    interrupt_once(tmp_path / "started")
    with pytest.raises(KeyboardInterrupt):
        process.run(["sh", "-c", ENDLESS], cwd=tmp_path)
    assert not (tmp_path / "ended").exists()


def test_an_interrupt_waits_for_a_program_that_must_be_whole(tmp_path: Path) -> None:
    interrupt_once(tmp_path / "started")
    with pytest.raises(KeyboardInterrupt):
        process.run(["sh", "-c", WHOLE], cwd=tmp_path, whole=True)
    assert (tmp_path / "ended").read_text() == "whole\n"


def test_a_failure_tells_its_last_lines() -> None:
    with pytest.raises(process.CommandFailed) as caught:
        process.run(["sh", "-c", "echo reason >&2; exit 3"])
    assert caught.value.completed.returncode == 3
    assert "reason" in caught.value.why


def test_a_missing_program_is_a_lack_of_the_machine() -> None:
    with pytest.raises(EnvironmentLacksError, match="is not installed"):
        process.run(["no-such-program-anywhere"])


def test_output_that_is_not_utf_8_is_kept_readable() -> None:
    assert process.run(["printf", "caf\\351"]).stdout == "caf\N{REPLACEMENT CHARACTER}"


def test_cancelling_ends_the_children_of_a_program_too(tmp_path: Path) -> None:
    lines: list[str] = []
    seen = threading.Event()

    def take(line: str) -> None:
        lines.append(line)
        seen.set()

    running = process.Running(["sh", "-c", "sleep 1000 & echo $!; wait"], take)
    assert seen.wait(10)
    running.cancel(grace=1.0)
    running.wait(10)
    end = time.monotonic() + 10
    while not is_dead(lines[0]):  # the kernel takes a moment to carry the kill out
        assert time.monotonic() < end, "the child lives on"
        time.sleep(0.01)
