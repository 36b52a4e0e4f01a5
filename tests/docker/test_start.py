"""A start where something goes wrong while something else is done, and one that is broken off."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune_dev.bench.sample.stack import eventually
from attune_dev.docker.process import Running
from tests.docker.small import Small, new_mark, small_repository

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

BROKEN = "fn main() { nonsense }\n"
PLACE = "packs/core/sensors/timer"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """The small repository with packs and a stack that is up."""
    with small_repository(tmp_path_factory.mktemp("small")) as made:
        made.add_packs()
        made.inv("up")
        yield made


def test_services_that_do_not_compile_keep_no_pack_from_its_volume(small: Small) -> None:
    before, mark = small.answer(), small.timer(new_mark("timer"))
    start_fails(small, "web")
    assert small.sensor_says()[0] == mark
    assert small.answer() == before


def test_a_pack_binary_that_does_not_compile_keeps_no_service_from_its_code(small: Small) -> None:
    mark, said = small.web(new_mark("web")), small.sensor_says()
    start_fails(small, "timer")
    assert small.answer()[0] == mark
    assert small.sensor_says() == said


def test_a_start_that_is_broken_off_leaves_nothing_behind(small: Small) -> None:
    small.timer(new_mark("timer"))
    small.web(new_mark("web"))
    answer, binary = small.answer(), (small.root / PLACE).read_bytes()
    lines: list[str] = []
    running = Running(small.task("up"), lines.append, cwd=small.root, env=small.environ)
    eventually(lambda: any("build-pack-binaries timer ..." in line for line in lines), 120)
    os.kill(running.pid, signal.SIGINT)
    assert running.wait(30, check=False).returncode == 130, lines
    assert (small.answer(), (small.root / PLACE).read_bytes()) == (answer, binary)
    assert not list((small.root / ".attune-dev").glob("pack-binaries-*"))
    assert processes(small.root) == []
    small.inv("up")
    assert small.answer()[0] != answer[0]


def start_fails(small: Small, package: str) -> None:
    """A start with a package that does not compile ends with 1 and shows its error."""
    small.write(f"{package}/src/main.rs", BROKEN)
    failed = small.inv("up", check=False)
    assert failed.returncode == 1, failed.stderr
    assert "nonsense" in failed.stdout


def processes(root: Path) -> list[str]:
    """The command lines that name a folder, a moment after they were told to end."""
    end = time.monotonic() + 5
    while (found := _processes(os.fsencode(root))) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _processes(name: bytes) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes()
        except OSError:
            continue
        if name in line and int(place.parent.name) != os.getpid():
            found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found
