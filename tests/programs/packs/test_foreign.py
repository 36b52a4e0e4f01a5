"""What someone else wrote into the volume stays, and is told."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from attune_dev.packs.report import PackOutcome
from tests.programs.packs.world import World, tree, until, wanted


def test_a_foreign_file_in_a_pack_stays_through_every_switch_and_is_told(world: World) -> None:
    world.write("core/a")
    world.sync()
    world.foreign("core/sub/theirs", "1")
    pack = world.pack()
    assert (pack.foreign, pack.outcome) == (("sub/theirs",), PackOutcome.UNCHANGED)
    world.write("core/a", "new")
    assert world.pack().foreign == ("sub/theirs",)
    assert (world.volume / "core/sub/theirs").read_text() == "1"
    assert (world.volume / "core/a").read_text() == "new"


def test_a_foreign_pack_is_told_and_left_alone(world: World) -> None:
    world.write("core/a")
    world.foreign("installed/pack.yaml")
    world.foreign("README")
    report = world.sync()
    assert (report.foreign_packs, report.loose) == (("installed",), ("README",))
    assert (world.volume / "installed/pack.yaml").exists()
    assert world.sync().foreign_packs == ("installed",)


def test_a_foreign_file_in_the_place_of_one_of_ours_is_not_overwritten(world: World) -> None:
    world.write("core/a", "ours")
    world.write("core/b", "ours")
    world.foreign("core/a", "theirs")
    for _ in range(2):
        report = world.sync()
        pack = report.packs[0]
        assert (pack.outcome, pack.blocked) == (PackOutcome.BLOCKED, ("a",))
        failure = report.failure()
        assert failure is not None
        assert "core/a" in failure.why
    assert (world.volume / "core/a").read_text() == "theirs"
    assert (world.volume / "core/b").read_text() == "ours"
    (world.volume / "core/a").unlink()
    assert world.sync().ok
    assert tree(world.volume) == wanted(world.packs)


def test_the_same_content_written_by_another_way_is_taken_over(world: World) -> None:
    world.write("core/a", "same")
    world.write("core/dir/b", "same", 0o755)
    shutil.copytree(world.packs / "core", world.volume / "core")
    report = world.sync()
    assert (report.ok, report.changed, report.packs[0].foreign) == (True, False, ())
    (world.packs / "core/a").unlink()
    world.sync()
    assert tree(world.volume) == wanted(world.packs)


@pytest.mark.parametrize("wanted_kind", ["file", "folder"])
def test_a_foreign_thing_of_another_kind_blocks_what_is_below(
    world: World, wanted_kind: str
) -> None:
    world.write("core/other")
    if wanted_kind == "file":
        world.write("core/x")
        world.foreign("core/x/theirs")
    else:
        world.write("core/x/y/z")
        world.foreign("core/x")
    before = tree(world.volume)
    pack = world.pack()
    assert pack.blocked == ("x",)
    found = tree(world.volume)
    assert {path: found[path] for path in before} == before
    assert b"core/other" in found


def test_our_folder_with_a_foreign_file_stays_when_we_delete_it(world: World) -> None:
    world.write("core/dir/ours")
    world.write("core/a")
    world.sync()
    world.foreign("core/dir/theirs")
    shutil.rmtree(world.packs / "core/dir")
    pack = world.pack()
    assert (pack.deleted, pack.foreign) == (("dir/ours",), ("dir/theirs",))
    assert sorted(tree(world.volume)) == [b"core", b"core/a", b"core/dir", b"core/dir/theirs"]
    assert world.sync().ok


def test_a_removed_pack_leaves_what_was_foreign_in_it(world: World) -> None:
    world.write("core/a")
    world.sync()
    world.foreign("core/theirs")
    shutil.rmtree(world.packs / "core")
    assert world.pack().outcome is PackOutcome.REMOVED
    assert sorted(tree(world.volume)) == [b"core", b"core/theirs"]
    assert world.sync().foreign_packs == ("core",)


def test_what_was_altered_in_the_volume_is_restored_and_told(world: World) -> None:
    world.write("core/a", "ours")
    world.write("core/b", "ours")
    world.write("core/c", "ours")
    world.sync()
    (world.volume / "core/a").write_text("hurt")
    (world.volume / "core/b").unlink()
    (world.volume / "core/c").chmod(0o777)
    report = world.sync()
    (pack,) = report.packs
    assert report.notes == (
        "core/a: changed in the volume by someone else, as on disk again",
        "core/b: deleted in the volume by someone else, as on disk again",
        "core/c: given another mode in the volume by someone else, as on disk again",
    )
    assert dict(pack.drifted) == {"a": "altered", "b": "missing", "c": "mode"}
    assert (pack.added, pack.changed, pack.modes) == (("b",), ("a",), ("c",))
    assert tree(world.volume) == wanted(world.packs)


def test_an_alteration_that_keeps_size_and_mtime_is_found(world: World) -> None:
    world.write("core/a", "ours")
    world.sync()
    file = world.volume / "core/a"
    status = file.stat()
    file.write_text("hurt")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert dict(world.pack().drifted) == {"a": "altered"}


@pytest.mark.parametrize("step", ["planned", "sent", "built", "ready", "switched"])
def test_a_foreign_file_that_appears_while_we_sync_stays(world: World, step: str) -> None:
    world.write("core/a", "old")
    world.sync()
    world.write("core/a", "new")

    written: list[Path] = []

    def install(name: str) -> None:
        if name == step and not written:
            written.append(world.foreign("core/theirs/deep"))
            world.foreign("core/theirs2", "2")

    report = world.sync(on_step=install)
    assert (world.volume / "core/theirs/deep").exists()
    assert (world.volume / "core/theirs2").read_text() == "2"
    assert (world.volume / "core/a").read_text() == "new"
    told = {*report.packs[0].foreign, *world.pack().foreign}
    assert told >= {"theirs/deep", "theirs2"}


@pytest.mark.parametrize("step", ["planned", "built", "ready"])
def test_a_foreign_file_that_appears_in_our_new_place_stays(world: World, step: str) -> None:
    world.write("core/a", "old")
    world.sync()
    world.write("core/new", "ours")
    written: list[Path] = []

    def install(name: str) -> None:
        if name == step and not written:
            written.append(world.foreign("core/new", "theirs"))

    report = world.sync(on_step=install)
    assert report.packs[0].blocked == ("new",)
    assert (world.volume / "core/new").read_text() == "theirs"
    assert world.pack().blocked == ("new",)


def test_a_foreign_file_that_appears_where_files_are_renamed_stays(plain_world: World) -> None:
    plain_world.write("core/a", "old")
    plain_world.sync()
    plain_world.write("core/new", "ours")

    def install(name: str) -> None:
        if name == "ready":
            plain_world.foreign("core/new", "theirs")

    report = plain_world.sync(on_step=install)
    assert report.packs[0].blocked == ("new",)
    assert (plain_world.volume / "core/new").read_text() == "theirs"


def test_a_writer_that_still_holds_the_replaced_folder_loses_nothing(world: World) -> None:
    world.write("core/a", "old")
    world.sync()
    world.write("core/a", "new")
    held = os.open(world.volume / "core", os.O_RDONLY)
    try:

        def install(name: str) -> None:
            if name == "recorded":
                made = os.open("late", os.O_WRONLY | os.O_CREAT, dir_fd=held)
                os.write(made, b"theirs")
                os.close(made)

        world.sync(on_step=install)
    finally:
        os.close(held)
    until((world.volume / "core/late").exists)
    assert (world.volume / "core/late").read_text() == "theirs"
    assert world.pack().foreign == ("late",)


def test_a_folder_of_state_that_is_a_link_is_refused(world: World, base: Path) -> None:
    world.write("core/a")
    (world.volume / ".attune-dev").symlink_to(base)
    with pytest.raises(Exception, match="could not be written"):
        world.sync()
    assert list(base.iterdir()) == []
