"""The engine is killed in the middle of a sync of packs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune_dev.errors import ActionError, EnvironmentLacksError
from tests.contract.rigs import base_image
from tests.docker.packs_volume import PLACE, PacksVolume, docker
from tests.faults.own_engine import OwnEngine
from tests.programs.packs.world import World, wanted

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


@pytest.fixture
def volume(
    engine: OwnEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PacksVolume]:
    image = base_image()
    assert image is not None
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    if not engine.running:
        engine.start()
    made = PacksVolume(tmp_path, image)
    yield made
    if not engine.running:
        engine.start()
    made.remove()


def _fill(world: World) -> None:
    world.write("core/pack.yaml", "ref: core\n")
    world.write("core/large", os.urandom(2_000_000))
    world.write("core/gone")


def _edit(world: World) -> None:
    world.write("core/pack.yaml", "ref: core # new\n")
    world.write("core/large", os.urandom(3_000_000))
    world.write("core/new")
    (world.packs / "core/gone").unlink()


@pytest.mark.parametrize("step", ["sending", "built", "ready", "switched", "recorded"])
def test_a_sync_whose_engine_is_killed_is_repaired_by_the_next(
    engine: OwnEngine, volume: PacksVolume, step: str
) -> None:
    world = volume.world
    _fill(world)
    assert volume.sync().ok
    old = wanted(world.packs)
    _edit(world)

    def kill(name: str) -> None:
        if name == step and engine.running:
            engine.stop(signal.SIGKILL)

    with pytest.raises(ActionError, match="interrupted"):
        volume.sync(on_step=kill)
    with pytest.raises(EnvironmentLacksError):  # nobody is there to be asked
        volume.sync()
    engine.start()
    reader = volume.start("sleep", "600")
    assert volume.tree(reader) in (old, wanted(world.packs))
    assert volume.sync().ok
    assert volume.tree(reader) == wanted(world.packs)
    assert not volume.sync().changed
    volume.session.close()
    home = f"{PLACE}/.attune-dev"
    left = docker("exec", "--user", "0", reader, "ls", home).split()
    assert left == ["lock", "packs", "stats"]
    assert docker("exec", "--user", "0", reader, "ls", f"{home}/packs").split() == ["core"]
    assert volume.helpers() == []


def test_a_first_sync_whose_engine_is_killed_leaves_no_pack(
    engine: OwnEngine, volume: PacksVolume
) -> None:
    _fill(volume.world)

    def kill(name: str) -> None:
        if name == "sending" and engine.running:
            engine.stop(signal.SIGKILL)

    with pytest.raises(ActionError, match="interrupted"):
        volume.sync(on_step=kill)
    engine.start()
    reader = volume.start("sleep", "600")
    assert volume.tree(reader) == {}
    assert volume.sync().ok
    assert volume.tree(reader) == wanted(volume.world.packs)
