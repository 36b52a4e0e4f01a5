from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from attune_dev.watching.git_quiet import GitQuiet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    return tmp_path


def test_a_folder_without_git_is_always_quiet(tmp_path: Path) -> None:
    assert GitQuiet(tmp_path / "plain").hold(1.0) is None


def test_a_quiet_repository_holds_nothing(repository: Path) -> None:
    assert GitQuiet(repository).hold(1.0) is None


def test_the_lock_of_the_index_holds_until_it_is_gone(repository: Path) -> None:
    git = GitQuiet(repository)
    (repository / ".git/index.lock").touch()
    hold = git.hold(10.0)
    assert hold is not None
    assert hold.until == pytest.approx(10.1)
    (repository / ".git/index.lock").unlink()
    assert git.hold(10.1) is None


def test_a_forgotten_lock_holds_for_no_longer_than_thirty_seconds(repository: Path) -> None:
    git = GitQuiet(repository)
    (repository / ".git/index.lock").touch()
    assert git.hold(10.0) is not None
    assert git.hold(39.9) is not None
    assert git.hold(40.0) is None
    assert git.gave_up
    assert git.hold(41.0) is None


def test_after_a_quiet_moment_the_thirty_seconds_begin_anew(repository: Path) -> None:
    git = GitQuiet(repository)
    (repository / ".git/index.lock").touch()
    git.hold(10.0)
    assert git.hold(40.0) is None
    (repository / ".git/index.lock").unlink()
    assert git.hold(41.0) is None
    (repository / ".git/index.lock").touch()
    assert git.hold(42.0) is not None


def test_a_head_that_has_moved_holds_for_half_a_second(repository: Path) -> None:
    git = GitQuiet(repository)
    (repository / ".git/HEAD").write_text("ref: refs/heads/other\n")
    assert git.hold(10.0) is not None
    assert git.hold(10.49) is not None
    assert git.hold(10.5) is None


def test_a_stopped_rebase_holds_nothing(repository: Path) -> None:
    git = GitQuiet(repository)
    (repository / ".git/rebase-merge").mkdir()
    (repository / ".git/MERGE_HEAD").write_text("abc\n")
    assert git.hold(10.0) is None


def test_a_linked_working_tree_is_watched_at_its_own_place(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, *words], cwd=tmp_path / "main", check=True)

    (tmp_path / "main").mkdir()
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    git("worktree", "add", "-q", "../linked")
    quiet = GitQuiet(tmp_path / "linked")
    assert quiet.hold(1.0) is None
    (tmp_path / "main/.git/worktrees/linked/index.lock").touch()
    assert quiet.hold(2.0) is not None
    assert GitQuiet(tmp_path / "main").hold(2.0) is None


def test_a_folder_inside_a_repository_belongs_to_it(repository: Path) -> None:
    (repository / "sub").mkdir()
    (repository / ".git/index.lock").touch()
    assert GitQuiet(repository / "sub").hold(1.0) is not None
