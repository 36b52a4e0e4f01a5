"""After a sync the volume holds exactly what the packs hold."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.programs.packs.world import World, tree, wanted

NAMES = st.sampled_from(
    ["a", "b", "dir", "x.sh", b"\xff\xfe".decode("utf-8", "surrogateescape"), "new\nline", "-dash"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), PATHS, st.binary(max_size=8), st.booleans()),
        st.tuples(st.just("delete"), PATHS, st.just(b""), st.just(value=False)),
        st.tuples(st.just("folder"), PATHS, st.just(b""), st.just(value=False)),
        st.tuples(
            st.just("link"), PATHS, st.sampled_from([b"a", b"dir/b", b"x.sh"]), st.booleans()
        ),
        st.tuples(st.just("mode"), PATHS, st.just(b""), st.booleans()),
        st.tuples(st.just("move"), PATHS, st.just(b"moved"), st.booleans()),
        st.tuples(st.just("sync"), PATHS, st.just(b""), st.just(value=False)),
    ),
    max_size=14,
)


def _perform(world: World, operation: tuple[str, str, bytes, bool]) -> None:
    """One operation on the packs; those that make no sense there do nothing."""
    kind, below, data, flag = operation
    path = world.packs / "core" / below
    try:
        if kind == "write":
            world.write(f"core/{below}", data, 0o755 if flag else 0o600)
        elif kind == "delete":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        elif kind == "folder":
            path.mkdir(parents=True)
        elif kind == "link":
            path.symlink_to(os.fsdecode(data))
        elif kind == "mode" and not path.is_symlink() and path.is_file():
            path.chmod(0o755 if flag else 0o644)
        elif kind == "move":
            path.rename(world.packs / ("core" if flag else "other") / os.fsdecode(data))
        elif kind == "sync":
            world.sync()
    except OSError:
        pass


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(operations=OPERATIONS)
def test_any_sequence_of_file_operations_ends_in_equal_trees(
    world: World, operations: list[tuple[str, str, bytes, bool]]
) -> None:
    world.reset()
    world.write("core/pack.yaml")
    for operation in operations:
        _perform(world, operation)
    refused = {os.fsencode(pack.name) for pack in world.sync().packs if pack.refused}
    synced = {p: e for p, e in wanted(world.packs).items() if p.split(b"/")[0] not in refused}
    found = {p: e for p, e in tree(world.volume).items() if p.split(b"/")[0] not in refused}
    assert found == synced
    assert not world.sync().changed


def _folder_to_file(world: World) -> None:
    shutil.rmtree(world.packs / "core/dir")
    world.write("core/dir")


def _file_to_folder(world: World) -> None:
    (world.packs / "core/a.yaml").unlink()
    world.write("core/a.yaml/inner")


def _relink(world: World) -> None:
    (world.packs / "core/old-link").unlink()
    (world.packs / "core/old-link").symlink_to("dir")


def _delete(path: str) -> Callable[[World], None]:
    def delete(world: World) -> None:
        place = world.packs / path
        shutil.rmtree(place) if place.is_dir() else place.unlink()

    return delete


def _link(target: str) -> Callable[[World], None]:
    def link(world: World) -> None:
        (world.packs / "core/link").symlink_to(target)

    return link


CHANGES: dict[str, Callable[[World], object]] = {
    "a changed file": lambda w: w.write("core/a.yaml", "other"),
    "an added file": lambda w: w.write("core/deep/er/new.yaml"),
    "a deleted file": _delete("core/a.yaml"),
    "a renamed file": lambda w: (w.packs / "core/a.yaml").rename(w.packs / "core/b.yaml"),
    "a run bit": lambda w: w.write("core/a.yaml", mode=0o755),
    "a run bit gone": lambda w: w.write("core/run.sh", mode=0o644),
    "an empty folder": lambda w: w.write("core/empty/x").unlink(),
    "a folder deleted": _delete("core/dir"),
    "a folder that became a file": _folder_to_file,
    "a file that became a folder": _file_to_folder,
    "a link": _link("dir/../a.yaml"),
    "a link to nothing": _link("later"),
    "a link of another target": _relink,
    "a new pack": lambda w: w.write("second/pack.yaml"),
    "an empty pack": lambda w: w.write("empty/x").unlink(),
    "a pack gone": _delete("gone"),
    "a file of 3 MB": lambda w: w.write("core/large", os.urandom(3_000_000)),
    "nothing but times": lambda w: os.utime(w.packs / "core/a.yaml", (1, 1)),
}


def _follow(world: World, change: Callable[[World], object]) -> None:
    world.write("core/a.yaml")
    world.write("core/run.sh", mode=0o755)
    world.write("core/dir/b.yaml")
    (world.packs / "core/old-link").symlink_to("a.yaml")
    world.write("gone/pack.yaml")
    world.sync()
    assert tree(world.volume) == wanted(world.packs)
    change(world)
    world.sync()
    assert tree(world.volume) == wanted(world.packs)
    assert not world.sync().changed


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_volume_follows(world: World, change: Callable[[World], object]) -> None:
    _follow(world, change)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_volume_without_exchange_follows(
    plain_world: World, change: Callable[[World], object]
) -> None:
    _follow(plain_world, change)


def test_a_switch_file_by_file_is_said(plain_world: World) -> None:
    plain_world.write("core/a")
    assert not plain_world.pack().file_by_file  # a new pack comes by one rename anywhere
    plain_world.write("core/a", "new")
    told: list[str] = []
    report = plain_world.sync(on_note=told.append)
    assert report.packs[0].file_by_file
    (note,) = told
    assert note.startswith("core: switched file by file, for this file system cannot exchange")
    assert report.notes == (note,)


def test_modes_are_those_of_git_whatever_the_umask(world: World) -> None:
    world.write("core/secret.yaml", mode=0o600)
    world.write("core/run.sh", mode=0o700)
    (world.packs / "core").chmod(0o700)
    before = os.umask(0o077)
    try:
        world.sync()
    finally:
        os.umask(before)
    assert tree(world.volume) == {
        b"core": ("folder", 0o755, b""),
        b"core/secret.yaml": ("file", 0o644, b"text\n"),
        b"core/run.sh": ("file", 0o755, b"text\n"),
    }


def test_a_renamed_file_does_not_travel(world: World) -> None:
    world.write("core/large", os.urandom(100_000))
    world.sync()
    (world.packs / "core/large").rename(world.packs / "core/renamed")
    pack = world.pack()
    assert (pack.bytes, pack.added, pack.deleted) == (0, ("renamed",), ("large",))
    assert tree(world.volume) == wanted(world.packs)


def test_only_what_differs_travels(world: World) -> None:
    world.write("core/large", os.urandom(100_000))
    world.write("core/small", "1")
    world.sync()
    world.write("core/small", "22")
    assert world.pack().bytes == 2


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../../other/x", "deep/../../../other", "loop/../..", "up/../.."]
)
def test_a_link_that_leaves_its_pack_is_refused_by_name(world: World, target: str) -> None:
    world.write("core/dir/deep/x")
    world.write("other/x")
    world.sync()
    (world.packs / "core/dir/up").symlink_to("deep")
    (world.packs / "core/dir/loop").symlink_to("../dir")
    (world.packs / "core/dir/bad").symlink_to(target)
    world.write("other/x", "new")
    before = tree(world.volume / "core")
    report = world.sync()
    by_name = {pack.name: pack for pack in report.packs}
    if target == "up/../..":  # deep is in dir, so this is the pack itself
        assert by_name["core"].ok
        return
    assert [path for path, _ in by_name["core"].refused] == ["dir/bad"]
    assert not report.ok
    failure = report.failure()
    assert failure is not None
    assert "core/dir/bad" in failure.why
    assert tree(world.volume / "core") == before
    assert by_name["other"].changed == ("x",)


def test_what_is_neither_file_folder_nor_link_is_skipped_with_a_note(world: World) -> None:
    world.write("core/pack.yaml")
    os.mkfifo(world.packs / "core/fifo")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(world.packs / "core")
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
        report = world.sync()
    assert [path for path, _ in report.packs[0].skipped] == ["fifo", "socket"]
    assert report.notes == (
        "core/fifo: left out, neither file, folder nor link",
        "core/socket: left out, neither file, folder nor link",
    )
    assert sorted(tree(world.volume)) == [b"core", b"core/pack.yaml"]


def test_editors_temporaries_stay_out_and_ignored_binaries_go_in(world: World) -> None:
    world.write(".gitignore", "core/sensors/*\n")
    world.write("core/sensors/binary", b"\x7fELF", 0o755)
    for name in ("4913", "a.yaml~", ".a.yaml.swp", "a___jb_tmp___", ".#a", ".git/HEAD"):
        world.write(f"core/{name}")
    world.sync()
    assert sorted(tree(world.volume)) == [b"core", b"core/sensors", b"core/sensors/binary"]


def test_a_pack_that_is_a_link_is_refused_and_stays(world: World) -> None:
    world.write("core/pack.yaml")
    world.sync()
    (world.packs / "core").rename(world.root / "elsewhere")
    (world.packs / "core").symlink_to("../elsewhere")
    assert world.pack().refused == (("", "a pack cannot be a link"),)
    assert sorted(tree(world.volume)) == [b"core", b"core/pack.yaml"]


def test_only_the_packs_named_are_touched(world: World) -> None:
    world.write("core/a")
    world.write("other/a")
    world.write("gone/a")
    world.sync()
    world.write("core/a", "new")
    world.write("other/a", "new")
    shutil.rmtree(world.packs / "gone")
    report = world.sync("core")
    assert [pack.name for pack in report.packs] == ["core"]
    assert (world.volume / "other/a").read_text() == "text\n"
    assert (world.volume / "gone/a").exists()
    assert [p.outcome.value for p in world.sync("gone").packs] == ["removed"]
    assert not (world.volume / "gone").exists()


def test_a_volume_that_was_emptied_is_filled_again(world: World) -> None:
    world.write("core/pack.yaml")
    world.sync()
    shutil.rmtree(world.volume)
    world.volume.mkdir()
    world.sync()
    assert tree(world.volume) == wanted(world.packs)


@pytest.mark.usefixtures("modes_bind")
def test_an_unreadable_file_is_named_and_its_pack_left_alone(world: World) -> None:
    world.write("core/a", "old")
    world.sync()
    world.write("core/a", "new", mode=0)
    assert world.pack().refused[0][0] == "a"
    assert (world.volume / "core/a").read_text() == "old"
