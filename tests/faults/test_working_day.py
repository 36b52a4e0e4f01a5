"""What happens to a loop in a day: each is caused for real and seen as the user does.

The tests share one project and follow one another as a day does.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from attune_dev.watching.lock import LOOP, Lock
from tests.contract.rigs import base_image
from tests.faults.small import RUNNER, Small, small

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    if base_image() is None:
        pytest.skip("no base image")
    with small(tmp_path_factory.mktemp("day") / "small") as made:
        made.start()
        yield made


@pytest.fixture(autouse=True)
def _running(project: Small) -> None:
    """Each test finds a loop that is live."""
    if project.child is None or project.child.poll() is not None:
        project.start()


def wait(project: Small) -> subprocess.CompletedProcess[str]:
    return project.run("dev.wait", "--timeout", "60")


def test_a_save_is_live_and_who_waits_is_told(project: Small) -> None:
    project.save("two")
    done = wait(project)
    assert (done.returncode, done.stdout) == (0, "live\n")
    assert project.code() == "two"


def test_a_failed_build_keeps_the_old_container_and_going_back_mends_it(project: Small) -> None:
    before, good = project.container(), (project.root / "Dockerfile").read_text()
    (project.root / "Dockerfile").write_text("FROM scratch\nCOPY missing /\n")
    done = wait(project)
    assert done.returncode == 1
    assert re.search(r"^web: build failed \d\d:\d\d$", done.stdout, re.MULTILINE), done.stdout
    assert "not live: Dockerfile" in done.stdout
    assert re.search(
        r"web: build failed \d\d:\d\d, 1 change pending \(Dockerfile\)", project.text()
    )
    assert project.container() == before
    (project.root / "Dockerfile").write_text(good)
    assert wait(project).returncode == 0
    assert project.code() == "two"


def test_a_broken_compose_file_is_told_and_stops_nobody(project: Small) -> None:
    good = (project.root / "compose.yaml").read_text()
    (project.root / "compose.yaml").write_text("services: [unclosed\n")
    done = wait(project)
    assert done.returncode == 1
    assert "compose.yaml:" in done.stdout
    project.save("three")
    assert wait(project).returncode == 1
    assert project.code() == "three"  # by the definitions as they were
    (project.root / "compose.yaml").write_text(good)
    assert wait(project).returncode == 0
    assert project.code() == "three"
    project.says("the definitions are in order again")


def test_a_broken_env_file_is_told_and_the_last_good_definitions_stay_in_force(
    project: Small,
) -> None:
    env = project.root / ".env"
    project.write_compose(environment={"DAY": "${DAY:-none}"})
    env.write_text("DAY=first\n")
    assert wait(project).returncode == 0
    env.write_text('DAY="never closed\n')
    done = wait(project)
    assert done.returncode == 1
    assert ".env" in done.stdout
    project.save("by-the-old-env")
    assert wait(project).returncode == 1
    assert project.code() == "by-the-old-env"
    printed = project.docker("exec", project.container(), "printenv", "DAY")
    assert printed == "first"
    env.write_text("DAY=second\n")
    assert wait(project).returncode == 0
    assert project.docker("exec", project.container(), "printenv", "DAY") == "second"


def test_a_file_that_nothing_reads_is_told_and_left_alone(project: Small) -> None:
    before, told = project.container(), len(project.events())
    (project.root / "notes.md").write_text("for people\n")
    assert wait(project).returncode == 0
    assert project.container() == before
    [plan] = [event for event in project.events()[told:] if event["event"] == "plan"]
    assert (plan["actions"], [each["path"] for each in plan["ignored"]]) == ([], ["notes.md"])


def test_a_port_that_is_taken_is_told_and_another_definition_mends_it(project: Small) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        project.write_compose(network_mode="bridge", ports=[f"127.0.0.1:{port}:80"])
        done = wait(project)
        assert done.returncode == 1
        assert str(port) in done.stdout
    project.write_compose()
    assert wait(project).returncode == 0


def test_a_changed_definition_replaces_its_service(project: Small) -> None:
    before = project.container()
    project.write_compose(environment={"DAY": "long"})
    assert wait(project).returncode == 0
    assert project.container() != before
    assert "long" in project.docker("compose", "exec", "-T", "web", "printenv", "DAY")


def test_a_second_loop_is_refused_and_told_who_holds_the_first(project: Small) -> None:
    assert project.child is not None
    second = project.run("dev", "--until-idle")
    assert second.returncode == 1
    assert f"process {project.child.pid}" in second.stdout + second.stderr


def test_a_killed_loop_leaves_nothing_that_the_next_start_does_not_mend(project: Small) -> None:
    project.save("four")
    project.next("start")
    project.stop(signal.SIGKILL)
    project.save("five")
    project.start()
    assert project.code() == "five"


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.full),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.full),
    ],
)
def test_a_signal_during_a_build_ends_it_and_what_ran_still_runs(
    project: Small, number: signal.Signals, status: int
) -> None:
    before, good = project.container(), (project.root / "Dockerfile").read_text()
    (project.root / "Dockerfile").write_text(f"{good}RUN sleep 600 && echo {number}\n")
    project.next("start")
    assert project.stop(number) == status
    (project.root / "Dockerfile").write_text(good)
    assert project.container() == before
    assert Lock(project.root, LOOP, "").free()


def test_a_pipe_that_is_closed_ends_a_task_quietly(project: Small) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", RUNNER, "ps"],
        cwd=project.root,
        env=project.environ,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert done.stderr == ""


def fill(file: Path) -> None:
    """Writes until the disk is full."""
    with suppress(OSError), file.open("wb", buffering=0) as filler:
        while filler.write(b"x" * 4096):
            pass
    left = os.statvfs(file)
    assert left.f_bavail * left.f_frsize < 4096


@pytest.mark.full
def test_a_full_disk_of_state_is_told_once_and_the_loop_goes_on(project: Small) -> None:
    if os.geteuid() != 0:
        pytest.skip("a disk of its own needs root")
    project.stop()
    state = project.root / ".attune-dev"
    disk = project.root.parent / "disk"
    with disk.open("wb") as file:
        file.truncate(2 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", disk], check=True)
    if subprocess.run(["mount", "-o", "loop", disk, state], capture_output=True).returncode != 0:
        pytest.skip("no loop device here")
    try:
        state.chmod(0o700)
        project.start()
        fill(state / "filler")
        project.save("six")
        project.idle(ok=True)
        assert project.code() == "six"
        for number in range(200):
            (project.root / f"unread-{number}").touch()
        project.says("cannot keep a record of what was done")
        project.save("seven")
        project.idle(ok=True)
        project.until(lambda: project.code() == "seven", "not live")
        assert project.text().count("cannot keep a record of what was done") == 1
        assert "Traceback" not in project.text()
        project.stop()
    finally:
        subprocess.run(["umount", "-l", state], check=True)
        disk.unlink()


class Terminal:
    """``inv dev`` on a pseudo terminal."""

    def __init__(self, project: Small, *, colours: bool) -> None:
        self.master, slave = pty.openpty()
        environ = project.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
        if colours:
            environ.pop("NO_COLOR")
        self.child = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, "-m", RUNNER, "dev"],
            cwd=project.root,
            env=environ,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self.seen = b""

    @property
    def text(self) -> str:
        """What was written, without what styles it or moves the cursor."""
        return re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", self.seen).decode(errors="replace")

    def says(self, words: str, timeout: float = 60) -> None:
        end = time.monotonic() + timeout
        while words not in self.text and words.encode() not in self.seen:
            assert time.monotonic() < end, self.text[-3000:]
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.master, 65536)
                except OSError:
                    break
        assert words in self.text or words.encode() in self.seen, self.text[-3000:]

    def press(self, keys: str) -> None:
        self.seen = b""
        os.write(self.master, keys.encode())

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.terminate()
        self.child.wait(20)
        os.close(self.master)


def test_a_terminal_gets_a_board_that_keys_drive_and_q_gives_it_back(project: Small) -> None:
    project.stop()
    terminal = Terminal(project, colours=True)
    try:
        terminal.says("\x1b[?1049h")
        terminal.says("live since")
        terminal.says("q quit")
        terminal.press("w")
        terminal.says("why: other")
        terminal.press("\x1b")
        terminal.says("STATE")
        terminal.press("p")
        terminal.says("paused")
        terminal.press("p")
        terminal.says("live")
        project.save("board")
        terminal.says("changed code")
        terminal.says("built: web")
        terminal.press("q")
        terminal.says("\x1b[?1049l")
        assert terminal.child.wait(20) == 0
    finally:
        terminal.close()


@pytest.mark.full
def test_no_colour_means_none(project: Small) -> None:
    terminal = Terminal(project, colours=False)
    try:
        terminal.says("project is being watched already")
        assert b"\x1b[3" not in terminal.seen
    finally:
        terminal.close()
    project.stop()
    terminal = Terminal(project, colours=False)
    try:
        terminal.says("live since")
        assert not re.search(rb"\x1b\[(3[0-9]|9[0-9]|38;[0-9;]*)m", terminal.seen)
    finally:
        terminal.close()


def test_a_terminal_that_is_closed_ends_the_loop(project: Small, tmp_path: Path) -> None:
    project.stop()
    terminal = Terminal(project, colours=False)
    terminal.says("live since")
    os.close(terminal.master)
    assert terminal.child.wait(20) == 129
    assert Lock(project.root, LOOP, "").free()
