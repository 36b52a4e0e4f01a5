"""The plain Compose way: the same agent, from a folder beside it, leaves the same volume."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from attune_dev.packs.conversation import AGENT
from attune_dev.packs.scan import LEFT_OUT_FOLDERS, OWN_TEMPORARY
from attune_dev.planning.unread import EDITOR_TEMPORARIES
from tests.programs.packs.world import World, tree, wanted


def _apply(world: World, *, stop_at: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["perl", str(AGENT), "apply", "--source", str(world.packs), "--volume", str(world.volume)],
        env=os.environ | {"ATTUNE_AGENT_STOP_AT": stop_at},
        capture_output=True,
        text=True,
        timeout=60,
    )


def _fill(world: World) -> None:
    world.write("core/pack.yaml", mode=0o600)
    world.write("core/actions/run.sh", "#!/bin/sh\n", 0o700)
    world.write("core/actions/.run.sh.swp")
    world.write("core/actions/4913")
    world.write("core/.idea/x")
    (world.packs / "core/link").symlink_to("actions/run.sh")
    (world.packs / "core/empty").mkdir()
    (world.packs / "core").joinpath(os.fsdecode(b"\xff\xfe")).write_text("x")
    world.write("second/a\nb")
    world.write("README.md")


def test_both_ways_leave_the_same_volume(world: World) -> None:
    _fill(world)
    told = _apply(world)
    assert (told.returncode, told.stderr) == (0, "")
    assert "core: 6 added" in told.stdout
    assert tree(world.volume) == {k: v for k, v in wanted(world.packs).items() if k != b"README.md"}
    assert not world.sync().changed
    world.write("core/pack.yaml", "new")
    world.sync()
    assert _apply(world).stdout == "core: nothing to do\nsecond: nothing to do\n"


def test_it_deletes_what_is_gone_and_keeps_what_is_foreign(world: World) -> None:
    _fill(world)
    _apply(world)
    (world.packs / "core/pack.yaml").unlink()
    shutil.rmtree(world.packs / "second")
    world.foreign("core/theirs")
    world.foreign("installed/pack.yaml")
    told = _apply(world)
    assert told.returncode == 0
    lines = told.stdout.splitlines()
    assert "core: 1 deleted" in lines
    assert "core/theirs: foreign, left as it is" in lines
    assert "installed: foreign, left as it is" in lines
    assert not (world.volume / "second").exists()
    assert (world.volume / "core/theirs").exists()


@pytest.mark.parametrize("trouble", ["leaving link", "foreign in the way", "no source"])
def test_it_fails_loudly_and_syncs_the_others(world: World, trouble: str) -> None:
    _fill(world)
    if trouble == "leaving link":
        (world.packs / "core/bad").symlink_to("/etc/passwd")
    elif trouble == "foreign in the way":
        world.foreign("core/pack.yaml", "theirs")
    else:
        shutil.rmtree(world.packs)
    told = _apply(world)
    assert told.returncode == 1
    expected = {
        "leaving link": "core/bad: the link leaves the pack (/etc/passwd)",
        "foreign in the way": "core/pack.yaml: in the way, and not written here: left as it is",
        "no source": f"{world.packs}: No such file or directory",
    }
    assert told.stderr.strip() == expected[trouble]
    assert (world.volume / "second").exists() == (trouble != "no source")


@pytest.mark.parametrize("step", ["locked", "staging", "verified", "built", "ready", "switched"])
def test_killed_it_is_completed_by_the_next_run(world: World, step: str) -> None:
    world.write("core/a", "old")
    _apply(world)
    world.write("core/a", "new")
    assert _apply(world, stop_at=step).returncode == 137
    assert (world.volume / "core/a").read_text() == ("new" if step == "switched" else "old")
    assert _apply(world).returncode == 0
    assert tree(world.volume) == wanted(world.packs)
    assert world.leftovers() == []


def test_both_leave_out_the_same_names() -> None:
    source = AGENT.read_text()
    lists = {
        name: re.search(rf"my @{name} = split ' ', '([^']*)'", source)
        for name in ("TEMPORARY_FILES", "LEFT_OUT_FOLDERS")
    }
    found = {name: match.group(1).split() for name, match in lists.items() if match}
    assert found == {
        "TEMPORARY_FILES": [*EDITOR_TEMPORARIES, OWN_TEMPORARY],
        "LEFT_OUT_FOLDERS": list(LEFT_OUT_FOLDERS),
    }


def test_it_needs_perl_base_alone() -> None:
    modules = set(re.findall(r"^use ([\w:]+)", AGENT.read_text(), re.MULTILINE))
    assert modules <= {"strict", "warnings", "constant", "Errno", "Fcntl", "IPC::Open2", "POSIX"}
    assert Path(AGENT).stat().st_size < 60_000
