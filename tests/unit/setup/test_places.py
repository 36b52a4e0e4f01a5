"""Work folders of set-up: gone afterwards, also those of a set-up that was killed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from attune_dev.setup.places import cache_folder, plugin_folder, setup_lock, work_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "attune-dev"


def test_a_work_folder_is_gone_after_an_error(cache: Path) -> None:
    def fail() -> None:
        with work_folder("try") as folder:
            (folder / "deep" / "er").mkdir(parents=True)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list((cache / "work").iterdir()) == []


def test_what_a_killed_setup_left_is_swept_and_a_running_ones_stays(cache: Path) -> None:
    script = (
        "from attune_dev.setup.places import work_folder\n"
        "with work_folder('try') as folder: print(folder, flush=True); input()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    with child:
        assert child.stdout is not None
        theirs = Path(child.stdout.readline().strip())
        with work_folder("try"):
            assert theirs.is_dir()
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    assert theirs.is_dir()
    with work_folder("try"):
        assert not theirs.exists()


def test_the_cache_is_the_users_alone(cache: Path) -> None:
    assert stat.S_IMODE(cache_folder().stat().st_mode) == 0o700


def test_a_second_setup_says_that_it_waits(cache: Path) -> None:
    script = (
        "from attune_dev.setup.places import setup_lock\n"
        "with setup_lock(print): print('held', flush=True); input()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    told: list[str] = []

    def hear(line: str) -> None:
        told.append(line)
        child.kill()  # the kernel frees the lock of whoever is gone

    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with setup_lock(hear):
            assert told == ["another set-up is running for this user; waiting for it"]


def test_plugins_go_where_the_client_is_told_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", "/elsewhere")
    assert plugin_folder() == Path("/elsewhere/cli-plugins")
    monkeypatch.delenv("DOCKER_CONFIG")
    monkeypatch.setenv("HOME", "/home/someone")
    assert plugin_folder() == Path("/home/someone/.docker/cli-plugins")
