"""The state of a volume is told without changing it."""

from __future__ import annotations

import shutil
import subprocess

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
