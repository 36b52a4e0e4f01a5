"""The launcher's way to a task, with the real script and stand-ins for what it starts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).resolve().parents[3] / "inv"
TASK = '#!/bin/sh\necho "root=$ATTUNE_DEV_ROOT" "cwd=$(pwd)"\nfor a; do echo "<$a>"; done\nexit 7\n'


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment is complete; its task program tells what it gets."""
    root = (tmp_path / "a folder").resolve()
    executable(root / ".venv/bin/attune-dev", TASK)
    (root / ".venv/bin/python").symlink_to(sys.executable)
    made = root / ".venv/.made"
    made.mkdir()
    for name in ("requirements.lock", "pyproject.toml"):
        (root / name).write_text(f"{name}\n")
        (made / name).write_text(f"{name}\n")
    (made / "root").write_text(f"{root}\n")
    shutil.copy(LAUNCHER, root / "inv")
    return root


def launch(
    program: Path | str, *arguments: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", **(env or {})},
        capture_output=True,
        text=True,
        timeout=30,
    )


def installer(root: Path, script: str) -> dict[str, str]:
    """Stands for Python: says what it is asked to do, and does ``script``."""
    text = f'#!/bin/sh\ncase $2 in *version_info*) exit 0;; esac\necho "installs $4"\n{script}\n'
    return {"ATTUNE_DEV_PYTHON": str(executable(root.parent / "python", text))}


def test_a_task_gets_its_arguments_as_typed_and_its_exit_code_is_kept(checkout: Path) -> None:
    done = launch(checkout / "inv", "build", "a b", "", "*", cwd=checkout)
    assert done.stdout.splitlines()[1:] == ["<build>", "<a b>", "<>", "<*>"]
    assert (done.returncode, done.stderr) == (7, "")


def test_paths_keep_their_meaning_from_any_folder(checkout: Path, tmp_path: Path) -> None:
    below = checkout / "crates"
    below.mkdir()
    done = launch("../inv", cwd=below)
    assert done.stdout.splitlines() == [f"root={checkout} cwd={below}"]


@pytest.mark.parametrize("absolute", [True, False])
def test_a_symbolic_link_leads_to_its_own_repository(
    absolute: bool, checkout: Path, tmp_path: Path
) -> None:
    links = tmp_path / "bin"
    links.mkdir()
    target = checkout / "inv" if absolute else Path("..") / checkout.name / "inv"
    (links / "second").symlink_to(target)
    (links / "first").symlink_to("second")
    done = launch(links / "first", cwd=tmp_path)
    assert done.stdout.startswith(f"root={checkout} ")


def test_a_link_found_on_path_leads_there_too(checkout: Path, tmp_path: Path) -> None:
    links = tmp_path / "bin"
    links.mkdir()
    (links / "inv").symlink_to(checkout / "inv")
    done = launch("/bin/sh", "-c", "inv", cwd=tmp_path, env={"PATH": f"{links}:/usr/bin:/bin"})
    assert done.stdout.startswith(f"root={checkout} ")


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_dependency_file_is_installed_first(name: str, checkout: Path) -> None:
    (checkout / name).write_text("other\n")
    done = launch(checkout / "inv", "ps", cwd=checkout, env=installer(checkout, "exit 0"))
    assert done.stdout.splitlines()[0] == f"installs {checkout}"
    assert done.stdout.splitlines()[-1] == "<ps>"


def test_a_new_time_on_the_same_content_installs_nothing(checkout: Path) -> None:
    (checkout / "requirements.lock").touch()
    done = launch(checkout / "inv", cwd=checkout, env=installer(checkout, "exit 0"))
    assert "installs" not in done.stdout


@pytest.mark.parametrize("lost", [".venv/.made/root", ".venv/bin/python"])
def test_an_environment_that_is_not_whole_is_made_again(lost: str, checkout: Path) -> None:
    (checkout / lost).unlink()
    done = launch(checkout / "inv", cwd=checkout, env=installer(checkout, "exit 0"))
    assert f"installs {checkout}" in done.stdout


def test_a_copied_checkout_does_not_run_the_code_of_the_first(
    checkout: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(checkout, copy, symlinks=True)
    done = launch(copy / "inv", cwd=copy, env=installer(copy, "exit 0"))
    assert f"installs {copy}" in done.stdout


def test_a_failed_installation_ends_with_its_exit_code(checkout: Path) -> None:
    (checkout / ".venv/.made/root").unlink()
    done = launch(checkout / "inv", cwd=checkout, env=installer(checkout, "exit 3"))
    assert done.returncode == 3
    assert "root=" not in done.stdout


def test_without_a_python_the_message_says_what_to_install(checkout: Path) -> None:
    (checkout / ".venv/.made/root").unlink()
    old = executable(checkout.parent / "old/python3", "#!/bin/sh\nexit 1\n").parent
    done = launch(checkout / "inv", cwd=checkout, env={"PATH": str(old)})
    assert done.returncode == 3
    assert "no Python 3.11 or newer" in done.stderr
    assert "apt-get install python3" in done.stderr
    assert done.stdout == ""
