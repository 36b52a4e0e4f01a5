from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from attune_dev.errors import ActionError
from attune_dev.watching.scope import Scope, everything
from attune_dev.watching.snapshot import Snapshot, Snapshotter, edits_between

if TYPE_CHECKING:
    from attune_dev.planning.ledger import Edit


def kinds(old: Snapshot, new: Snapshot) -> dict[str, str]:
    def kind(edit: Edit) -> str:
        if edit.before is None:
            return "created"
        return "deleted" if edit.after is None else "modified"

    return {edit.path: kind(edit) for edit in edits_between(old, new)}


@pytest.fixture
def looker(tmp_path: Path) -> Snapshotter:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.rs").write_text("fn a() {}")
    (tmp_path / "src/b.rs").write_text("fn b() {}")
    (tmp_path / "Cargo.toml").write_text("[package]")
    return Snapshotter(tmp_path, everything())


def test_a_scan_sees_every_file(looker: Snapshotter) -> None:
    assert set(looker.scan().files) == {"Cargo.toml", "src/a.rs", "src/b.rs"}


def test_created_modified_and_deleted_are_told_apart(looker: Snapshotter) -> None:
    before = looker.scan()
    (looker.root / "src/a.rs").write_text("fn a() { 1 }")
    (looker.root / "src/b.rs").unlink()
    (looker.root / "src/c.rs").write_text("new")
    expected = {"src/a.rs": "modified", "src/b.rs": "deleted", "src/c.rs": "created"}
    assert kinds(before, looker.scan(before)) == expected
    hints = ["src/a.rs", "src/b.rs", "src/c.rs"]
    assert kinds(before, looker.refresh(before, hints)) == expected


def test_a_save_that_changes_no_byte_is_no_change(looker: Snapshotter) -> None:
    before = looker.scan()
    (looker.root / "src/a.rs").write_text("fn a() {}")
    assert edits_between(before, looker.refresh(before, ["src/a.rs"])) == ()


def test_touching_is_no_change(looker: Snapshotter) -> None:
    before = looker.scan()
    os.utime(looker.root / "src/a.rs", (1, 1))
    assert edits_between(before, looker.scan(before)) == ()


def test_a_run_bit_is_a_change_and_other_mode_bits_are_none(looker: Snapshotter) -> None:
    before = looker.scan()
    (looker.root / "src/a.rs").chmod(0o755)
    (looker.root / "src/b.rs").chmod(0o600)
    assert kinds(before, looker.scan(before)) == {"src/a.rs": "modified"}


def test_a_save_by_renaming_is_a_modification(looker: Snapshotter) -> None:
    before = looker.scan()
    (looker.root / "src/sedAbC").write_text("other")
    (looker.root / "src/sedAbC").rename(looker.root / "src/a.rs")
    after = looker.refresh(before, ["src/sedAbC", "src/a.rs"])
    assert kinds(before, after) == {"src/a.rs": "modified"}


def test_a_link_is_its_text(looker: Snapshotter) -> None:
    link = looker.root / "link"
    link.symlink_to("src")
    before = looker.scan()
    assert "link" in before.files
    link.unlink()
    link.symlink_to("elsewhere")
    assert kinds(before, looker.scan(before)) == {"link": "modified"}


def test_a_loop_of_links_ends(looker: Snapshotter) -> None:
    (looker.root / "src/loop").symlink_to(looker.root)
    assert set(looker.scan().files) == {"Cargo.toml", "src/a.rs", "src/b.rs", "src/loop"}


def test_a_file_that_gives_way_to_a_folder_is_deleted_and_its_content_created(
    looker: Snapshotter,
) -> None:
    before = looker.scan()
    (looker.root / "src/a.rs").unlink()
    (looker.root / "src/a.rs").mkdir()
    (looker.root / "src/a.rs/mod.rs").write_text("x")
    after = looker.refresh(before, ["src/a.rs"])
    assert kinds(before, after) == {"src/a.rs": "deleted", "src/a.rs/mod.rs": "created"}


def test_a_folder_that_gives_way_to_a_file_takes_its_content_along(looker: Snapshotter) -> None:
    before = looker.scan()
    (looker.root / "src").rename(looker.root / "lib")
    (looker.root / "src").write_text("now a file")
    after = looker.refresh(before, ["src"])
    assert set(after.files) == {"Cargo.toml", "src"}


def test_a_hint_at_a_vanished_folder_deletes_all_that_was_in_it(looker: Snapshotter) -> None:
    before = looker.scan()
    for path in (looker.root / "src").iterdir():
        path.unlink()
    (looker.root / "src").rmdir()
    assert kinds(before, looker.refresh(before, ["src"])) == {
        "src/a.rs": "deleted",
        "src/b.rs": "deleted",
    }


def test_a_hint_at_a_moved_folder_finds_all_files(looker: Snapshotter) -> None:
    before = looker.scan()
    (looker.root / "src").rename(looker.root / "lib")
    after = looker.refresh(before, ["src", "lib"])
    assert set(after.files) == {"Cargo.toml", "lib/a.rs", "lib/b.rs"}


def test_pipes_sockets_and_their_like_are_passed_over(looker: Snapshotter) -> None:
    os.mkfifo(looker.root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(looker.root / "socket"))
        assert set(looker.scan().files) == {"Cargo.toml", "src/a.rs", "src/b.rs"}
        assert edits_between(looker.scan(), looker.refresh(looker.scan(), ["pipe"])) == ()


@pytest.mark.usefixtures("modes_bind")
def test_an_unreadable_file_is_its_own_problem(looker: Snapshotter) -> None:
    before = looker.scan()
    (looker.root / "src/a.rs").chmod(0)
    (looker.root / "src/b.rs").write_text("changed")
    after = looker.scan(before)
    assert kinds(before, after) == {"src/b.rs": "modified"}
    assert "src/a.rs" in after.problems


def test_a_file_that_cannot_be_read_keeps_its_state_and_is_named(
    looker: Snapshotter, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = looker.scan()
    real = os.open

    def refuse(path: str, *rest: int) -> int:
        if path.endswith("a.rs"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest)

    monkeypatch.setattr(os, "open", refuse)
    (looker.root / "src/a.rs").write_text("fn a() { 2 }")
    after = looker.refresh(before, ["src/a.rs"])
    assert edits_between(before, after) == ()
    assert after.problems == {"src/a.rs": "Permission denied"}
    monkeypatch.undo()
    mended = looker.refresh(after, ["src/a.rs"])
    assert kinds(before, mended) == {"src/a.rs": "modified"}
    assert not mended.problems


def test_a_write_within_the_same_tick_of_the_clock_is_found(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    times = file.stat()
    looker = Snapshotter(tmp_path, everything(), now_ns=lambda: times.st_mtime_ns)
    before = looker.scan()
    file.write_text("2")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert kinds(before, looker.scan(before)) == {"a": "modified"}


def test_a_rescan_reads_no_file_whose_times_vouch_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (tmp_path / f"f{number}").write_text(str(number))
    looker = Snapshotter(tmp_path, everything(), now_ns=lambda: time.time_ns() + 10**10)
    before = looker.scan()
    opened: list[str] = []
    real = os.open

    def note(path: str, *rest: int) -> int:
        opened.append(path)
        return real(path, *rest)

    monkeypatch.setattr(os, "open", note)
    (tmp_path / "f3").write_text("other")
    looker.scan(before)
    assert [Path(path).name for path in opened] == ["f3"]


def test_names_that_are_not_utf8_are_kept_byte_for_byte(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\n.yaml")
    (tmp_path / name).write_text("x")
    assert set(Snapshotter(tmp_path, everything()).scan().files) == {name}


def test_what_is_out_of_scope_is_not_looked_at(tmp_path: Path) -> None:
    for name in ("target", "src", "docs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text("x")
    scope = Scope(trees=frozenset({"src", "target"}), pruned=frozenset({"target"}))
    looker = Snapshotter(tmp_path, scope)
    before = looker.scan()
    assert set(before.files) == {"src/f"}
    assert looker.refresh(before, ["target/f", "target", "docs"]).files == before.files


def test_a_vanished_root_is_told_and_is_not_a_deletion_of_everything(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").write_text("x")
    looker = Snapshotter(root, everything())
    before = looker.scan()
    root.rename(tmp_path / "other")
    with pytest.raises(ActionError, match="is gone"):
        looker.scan(before)
    with pytest.raises(ActionError, match="is gone"):
        looker.refresh(before, ["a"])


def test_a_rescan_is_fast_enough_for_fifty_thousand_files_in_two_seconds(tmp_path: Path) -> None:
    for folder in range(50):
        (tmp_path / f"d{folder}").mkdir()
        for number in range(100):
            os.close(os.open(tmp_path / f"d{folder}/f{number}", os.O_CREAT | os.O_WRONLY))
    looker = Snapshotter(tmp_path, everything(), now_ns=lambda: time.time_ns() + 10**10)
    before = looker.scan()
    started = time.process_time()
    looker.scan(before)
    assert time.process_time() - started < 0.2  # a tenth of the files, a tenth of the time
