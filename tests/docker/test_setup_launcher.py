"""First uses of the launcher: real environments, made from a small project of its own.

They need no engine, but seconds: an environment is made for each.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker

REPOSITORY = Path(__file__).resolve().parents[2]
BACKEND = '''\
"""A build backend that needs nothing: one module and its console script."""
import zipfile

NAME = "small-1.0"


def build_editable(folder, config_settings=None, metadata_directory=None):
    name = f"{NAME}-py3-none-any.whl"
    info = f"{NAME}.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("small.py", "def main():\\n    print('task ran')\\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\\nattune-dev = small:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
'''
PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "small"
version = "1.0"
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A bare checkout of a small project that has the launcher."""
    checkout = (tmp_path / "a checkout").resolve()
    checkout.mkdir()
    shutil.copy(REPOSITORY / "inv", checkout)
    shutil.copytree(
        REPOSITORY / "attune_dev",
        checkout / "attune_dev",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (checkout / "requirements.lock").write_text("# nothing\n")
    (checkout / "pyproject.toml").write_text(PROJECT)
    (checkout / "backend.py").write_text(BACKEND)
    yield checkout
    shutil.rmtree(checkout / ".venv", ignore_errors=True)


def start(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(root / "inv")],
        env={**os.environ, "ATTUNE_DEV_PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def use(root: Path) -> subprocess.CompletedProcess[str]:
    child = start(root)
    out, err = child.communicate(timeout=110)
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def test_the_first_use_tells_what_it_does_and_the_second_is_silent(root: Path) -> None:
    first = use(root)
    assert (first.returncode, first.stdout) == (0, "task ran\n"), first.stderr
    assert "making .venv" in first.stderr
    assert "ready after" in first.stderr
    second = use(root)
    assert (second.stdout, second.stderr) == ("task ran\n", "")


def test_two_first_uses_at_once_make_one_environment(root: Path) -> None:
    children = [start(root), start(root)]
    told = [child.communicate(timeout=110) for child in children]
    assert [out for out, _ in told] == ["task ran\n", "task ran\n"], told
    assert sum("making .venv" in err for _, err in told) == 1
    assert sum("waiting for another" in err for _, err in told) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_first_use_does_not_break_the_second(
    number: signal.Signals, root: Path
) -> None:
    child = start(root)
    deadline = time.monotonic() + 60
    while not (root / ".venv" / "bin" / "python").exists():
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(child.pid, number)
    _, told = child.communicate(timeout=30)
    assert child.returncode == (130 if number == signal.SIGINT else -number), told
    assert not (root / ".venv" / ".made" / "root").exists()
    assert use(root).stdout == "task ran\n"


def test_a_changed_dependency_file_is_installed_once(root: Path) -> None:
    use(root)
    with (root / "pyproject.toml").open("a") as file:
        file.write('description = "changed"\n')
    changed = use(root)
    assert changed.stdout == "task ran\n"
    assert "making .venv" not in changed.stderr
    assert "ready after" in changed.stderr
    assert use(root).stderr == ""


def test_what_cannot_be_installed_is_told_and_the_environment_stays_unready(root: Path) -> None:
    (root / "requirements.lock").write_text("no requirement at all\n")
    failed = use(root)
    assert failed.returncode == 3
    assert "error: could not install the locked packages" in failed.stderr
    assert "Traceback" not in failed.stderr
    (root / "requirements.lock").write_text("# nothing\n")
    assert use(root).stdout == "task ran\n"
