"""Changes since a revision, changes that someone names, and earlier trees; with the real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from attune_dev.errors import UsageError
from attune_dev.loading.changes import asked_plan, changes_from_paths
from attune_dev.loading.git import changes_since, export, unquote
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import ActionKind
from attune_dev.settings import Settings
from tests.unit.planning.repository import MULTI_STAGE, Repository


def git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "x")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit."""
    git(tmp_path, "init", "-q", "-b", "main")
    for name in ("a", "b", "long", "sub/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name * 40)
    commit(tmp_path)
    return tmp_path


def test_all_that_is_not_committed_counts(root: Path) -> None:
    (root / "a").write_text("other")
    git(root, "rm", "-q", "b")
    git(root, "mv", "long", "moved")
    (root / "staged").write_text("s")
    git(root, "add", "staged")
    (root / "untracked").write_text("u")
    (root / ".git/info/exclude").write_text("hidden\n")
    (root / "hidden").write_text("h")
    assert changes_since(root) == (
        Change("a", ChangeKind.MODIFIED),
        Change("b", ChangeKind.DELETED),
        Change("moved", ChangeKind.MOVED, "long"),
        Change("staged", ChangeKind.CREATED),
        Change("untracked", ChangeKind.CREATED),
    )


def test_an_earlier_revision_counts_what_was_committed_since(root: Path) -> None:
    (root / "a").write_text("other")
    commit(root)
    assert changes_since(root) == ()
    assert changes_since(root, "HEAD~1") == (Change("a", ChangeKind.MODIFIED),)


def test_below_a_folder_only_what_is_in_it_counts(root: Path) -> None:
    (root / "a").write_text("other")
    (root / "sub/c").write_text("other")
    (root / "sub/d").write_text("new")
    assert [change.path for change in changes_since(root / "sub")] == ["c", "d"]


def test_names_of_any_bytes_come_through(root: Path) -> None:
    name = os.fsdecode(b'odd \xff "\t\\ \xc3\xa9')
    (root / name).write_text("x")
    assert [change.path for change in changes_since(root)] == [name]
    commit(root)
    (root / name).write_text("y")
    assert changes_since(root) == (Change(name, ChangeKind.MODIFIED),)


def test_before_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("a")
    assert changes_since(tmp_path) == (Change("a", ChangeKind.CREATED),)


def test_an_unknown_revision_and_a_folder_without_git_are_told(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no revision `nowhere`"):
        changes_since(root, "nowhere")
    with pytest.raises(UsageError, match="no revision `--output=x`"):
        changes_since(root, "--output=x")
    bare = tmp_path.parent / f"{tmp_path.name}-bare"
    bare.mkdir()
    with pytest.raises(UsageError, match="no git repository"):
        changes_since(bare)


def test_an_earlier_tree_is_written_without_touching_the_index(root: Path, tmp_path: Path) -> None:
    (root / "a").write_text("staged")
    git(root, "add", "a")
    (root / "sub/c").write_text("other")
    target = tmp_path / "out"
    target.mkdir()
    assert export(root, "HEAD", lambda path: path != "b", target) == ("a", "long", "sub/c")
    assert (target / "a").read_text() == "a" * 40
    assert (target / "sub/c").read_text() == "sub/c" * 40
    assert sorted(p.name for p in target.iterdir()) == ["a", "long", "sub"]
    shown = subprocess.run(
        ["git", "diff", "--cached", "--name-only"], cwd=root, capture_output=True, text=True
    )
    assert shown.stdout == "a\n"


def test_an_earlier_tree_of_a_folder_is_relative_to_it(root: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    assert export(root / "sub", "HEAD", lambda _: True, target) == ("c",)
    assert (target / "c").exists()


@pytest.mark.parametrize(
    ("shown", "name"), [("plain", "plain"), (r'"a\tb"', "a\tb"), (r'"\303\251\"\\"', 'é"\\')]
)
def test_quoted_names_are_read_as_git_means_them(shown: str, name: str) -> None:
    assert unquote(shown) == name


def test_named_paths_are_changes_and_missing_ones_deletions(root: Path) -> None:
    assert changes_from_paths(root, ["sub", "nope", "a"], cwd=root) == (
        Change("a"),
        Change("nope", ChangeKind.DELETED),
        Change("sub/c"),
    )
    assert changes_from_paths(root, ["c", "../a"], cwd=root / "sub") == (
        Change("a"),
        Change("sub/c"),
    )


def test_a_folder_that_is_gone_stands_for_what_git_tracks_in_it(root: Path) -> None:
    (root / "sub/c").unlink()
    (root / "sub").rmdir()
    assert changes_from_paths(root, ["sub"], cwd=root) == (Change("sub/c", ChangeKind.DELETED),)


def test_a_path_outside_of_the_repository_is_refused(root: Path) -> None:
    for path in ("../x", "/etc/passwd", "sub/../../x"):
        with pytest.raises(UsageError, match="outside"):
            changes_from_paths(root, [path], cwd=root)


def test_a_link_to_the_repository_is_the_repository(root: Path, tmp_path: Path) -> None:
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(root)
    assert changes_from_paths(root, [str(link / "a")], cwd=root) == (Change("a"),)
    assert changes_from_paths(link, [str(root / "a")], cwd=root) == (Change("a"),)


def asked(repo: Repository, *paths: str, since: str = "") -> dict[str, tuple[str, ...]]:
    made = asked_plan(repo.root, Settings(), repo.load(), paths, since, repo.root)
    return {action.kind.value: action.targets for action in made.actions}


def rust(tmp_path: Path) -> Repository:
    repo = Repository(tmp_path)
    git(tmp_path, "init", "-q", "-b", "main")
    repo.members("crates/*")
    repo.crate("crates/old")
    repo.crate("crates/api", "crates/old", bins=("api",))
    repo.crate("crates/web", bins=("web",))
    for name in ("api", "web"):
        repo.write({f"{name}.Dockerfile": MULTI_STAGE.format(binary=name)})
        repo.service(name, build=f"{name}.Dockerfile")
    commit(tmp_path)
    return repo


def test_without_paths_the_plan_is_for_what_differs_from_the_last_commit(tmp_path: Path) -> None:
    repo = rust(tmp_path)
    assert asked(repo) == {}
    repo.write({"crates/web/src/main.rs": "// new"})
    assert asked(repo) == {"build": ("web",), "recreate": ("web",)}
    commit(tmp_path)
    assert asked(repo) == {}
    assert asked(repo, since="HEAD~1") == {"build": ("web",), "recreate": ("web",)}
    assert asked(repo, "crates/api", since="HEAD~1") == {}


def test_a_deleted_package_is_planned_by_the_tree_that_had_it(tmp_path: Path) -> None:
    repo = rust(tmp_path)
    repo.remove("crates/old/Cargo.toml", "crates/old/src/lib.rs")
    repo.crate("crates/api", bins=("api",))
    assert asked(repo) == {
        ActionKind.RELOAD.value: (),
        ActionKind.BUILD.value: ("api",),
        ActionKind.RECREATE.value: ("api",),
    }


def test_a_manifest_is_compared_with_the_revision(tmp_path: Path) -> None:
    repo = rust(tmp_path)
    text = (repo.root / "crates/api/Cargo.toml").read_text()
    repo.write({"crates/api/Cargo.toml": f"# a note\n{text}"})
    assert asked(repo, "crates/api/Cargo.toml") == {}
    repo.write({"crates/api/Cargo.toml": text.replace("0.1.0", "0.2.0")})
    assert asked(repo, "crates/api/Cargo.toml") == {"build": ("api",), "recreate": ("api",)}
