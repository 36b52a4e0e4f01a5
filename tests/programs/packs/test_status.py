"""The state of a volume is told without changing it."""

from __future__ import annotations

import shutil
import subprocess

from attune_dev.packs.built import MadeFrom, remember
from attune_dev.packs.diff import pack_diff
from attune_dev.packs.digest import file_digest
from attune_dev.packs.status import PackState, packs_status
from tests.programs.packs.world import FOLDER, World, tree


def _states(world: World, *, deep: bool = False) -> dict[str, PackState]:
    found = packs_status(world.root, FOLDER, "volume", session=world.session, deep=deep)
    assert found is not None
    return {status.name: status.state for status in found}


def test_each_pack_has_its_state(world: World) -> None:
    for name in ("same", "edited", "hurt", "gone"):
        world.write(f"{name}/a")
    world.sync()
    world.write("edited/a", "new")
    (world.volume / "hurt/a").write_text("hurt")
    shutil.rmtree(world.packs / "gone")
    world.write("fresh/a")
    world.write("bad/a")
    world.foreign("theirs/a")
    before = tree(world.volume)
    assert _states(world) == {
        "bad": PackState.MISSING,
        "edited": PackState.DIFFERS,
        "fresh": PackState.MISSING,
        "gone": PackState.OBSOLETE,
        "hurt": PackState.DIFFERS,
        "same": PackState.IN_SYNC,
        "theirs": PackState.FOREIGN,
    }
    assert tree(world.volume) == before


def test_a_pack_that_cannot_be_synced_says_so(world: World) -> None:
    world.write("core/a")
    world.sync()
    (world.packs / "core/bad").symlink_to("/etc")
    assert _states(world) == {"core": PackState.REFUSED}


def test_a_deep_look_reads_every_file(world: World) -> None:
    world.write("core/a", "same")
    world.sync()
    stats = world.volume / ".attune-dev/stats/core"
    file = world.volume / "core/a"
    file.write_text("hurt")
    # as a clock that repeats would have it: only reading tells
    stamp = subprocess.run(
        ["find", str(file), "-printf", "%i %C@ %s %T@"], capture_output=True, text=True, check=True
    ).stdout
    stats.write_text(f"a\0{stamp}\0")
    assert _states(world) == {"core": PackState.IN_SYNC}
    assert _states(world, deep=True) == {"core": PackState.DIFFERS}


def test_the_files_that_differ_are_told(world: World) -> None:
    for name in ("same", "edited", "gone", "run", "kind"):
        world.write(f"core/{name}")
    world.sync()
    world.write("core/edited", "new\n")
    (world.packs / "core/gone").unlink()
    (world.packs / "core/run").chmod(0o755)
    (world.packs / "core/kind").unlink()
    (world.packs / "core/kind").symlink_to("same")
    world.write("core/fresh/new", "added\n")
    (world.volume / "core/same").write_text("hurt\n")
    found = packs_status(world.root, FOLDER, "volume", session=world.session, files=True)
    assert found is not None
    (status,) = found
    assert dict(status.delta) == {
        "edited": "changed",
        "fresh": "added",
        "fresh/new": "added",
        "gone": "deleted",
        "kind": "changed",
        "run": "mode",
    }
    assert dict(status.drifted) == {"same": "altered"}
    assert list(pack_diff(world.packs, status, world.session)) == [
        *("--- volume/core/edited", "+++ core/edited", "@@ -1 +1 @@", "-text", "+new"),
        "added core/fresh",
        *("--- /dev/null", "+++ core/fresh/new", "@@ -0,0 +1 @@", "+added"),
        *("--- volume/core/gone", "+++ /dev/null", "@@ -1 +0,0 @@", "-text"),
        *("--- volume/core/kind", "+++ core/kind", "@@ -1 +1 @@", "-text", "+-> same"),
        "mode core/run",
        *("--- volume/core/same", "+++ core/same", "@@ -1 +1 @@", "-hurt", "+text"),
    ]


def test_a_pack_that_comes_or_goes_differs_in_all_its_files(world: World) -> None:
    world.write("gone/a", "old\n")
    world.sync()
    shutil.rmtree(world.packs / "gone")
    world.write("fresh/b", "new\n")
    found = packs_status(world.root, FOLDER, "volume", session=world.session, files=True)
    assert found is not None
    fresh, gone = found
    assert (fresh.state, dict(fresh.delta)) == (PackState.MISSING, {"b": "added"})
    assert (gone.state, dict(gone.delta)) == (PackState.OBSOLETE, {"a": "deleted"})
    assert [line for each in found for line in pack_diff(world.packs, each, world.session)] == [
        *("--- /dev/null", "+++ fresh/b", "@@ -0,0 +1 @@", "+new"),
        *("--- volume/gone/a", "+++ /dev/null", "@@ -1 +0,0 @@", "-old"),
    ]


def test_a_diff_never_shows_what_is_no_text(world: World) -> None:
    world.write("core/a", b"\0\1")
    world.sync()
    world.write("core/a", b"\0\2")
    found = packs_status(world.root, FOLDER, "volume", session=world.session, files=True)
    assert found is not None
    told = ["changed core/a: no text, or more than 1 MB"]
    assert list(pack_diff(world.packs, found[0], world.session)) == told


def test_the_volume_remembers_what_programs_were_made_from(world: World) -> None:
    program = world.write("core/sensors/timer", "program", 0o755)
    remember(world.root, {program: MadeFrom("sources", "dev")})
    world.write("core/other")
    world.sync()
    found = packs_status(world.root, FOLDER, "volume", session=world.session, files=True)
    assert found is not None
    assert found[0].sources == {"sensors/timer": (file_digest(program), "sources dev")}
    shutil.rmtree(world.packs / "core")
    world.sync()
    assert not (world.volume / ".attune-dev/sources/core").exists()
