"""Pack binaries on a real engine: compiled together, placed, and run from the volume."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.loading.rendered import render_dockerfiles, write_change
from attune_dev.loading.workspace import load_workspace
from attune_dev.model.workspace import Workspace
from attune_dev.packs.binaries import build_pack_binaries
from attune_dev.packs.check.run import Checker
from attune_dev.packs.compile import ImageCompiler
from attune_dev.packs.scaffold import locked, new_pack, new_sensor
from attune_dev.packs.stale import BinaryState, binary_states
from attune_dev.packs.status import packs_status
from attune_dev.packs.sync import sync_packs
from attune_dev.settings import Settings
from attune_dev.setup.base_images import base_images
from tests.programs.packs.world import until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

REPOSITORY = Path(__file__).parents[2]
COMPOSE = """
services:
  init: {image: debian, restart: "no", volumes: ["./packs:/in:ro", "data:/out"]}
  sensor: {image: debian, volumes: ["data:/packs:ro"]}
volumes: {data: {}}
"""


@pytest.fixture(scope="module")
def images() -> dict[str, str]:
    return {image.variable: image.in_use for image in base_images(REPOSITORY)}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of scaffolds: two packs, three sensors."""
    root = tmp_path_factory.mktemp("repository")
    (root / "docker").mkdir()
    (root / "packs").mkdir()
    for name in ("Dockerfile.pack-binaries", "freshen.sh"):
        shutil.copy(REPOSITORY / "docker" / name, root / "docker" / name)
    (root / "compose.yaml").write_text(COMPOSE)
    (root / "Cargo.toml").write_text('[workspace]\nresolver = "2"\nmembers = ["crates/*"]\n')
    (root / "Cargo.lock").write_text(locked("version = 4\n", "base", "0.1.0"))
    (root / "crates/base/src").mkdir(parents=True)
    (root / "crates/base/src/lib.rs").touch()
    (root / "crates/base/Cargo.toml").write_text('[package]\nname = "base"\nversion = "0.1.0"\n')
    for pack, *sensors in (("one", "a", "b"), ("two", "c")):
        new_pack(root, "packs", pack).write()
        for sensor in sensors:
            cargo = _load(root).cargo
            draft = new_sensor(
                root,
                f"packs/{pack}",
                pack,
                sensor,
                cargo.workspaces[""],
                cargo.manifests["Cargo.toml"],
            )
            draft.write()
    for change in render_dockerfiles(root, _load(root)):
        write_change(root, change)
    return root


@pytest.fixture
def volume() -> Iterator[str]:
    name = f"t-binaries-{uuid.uuid4().hex[:8]}"
    yield name
    containers = _docker("ps", "--all", "--quiet", "--filter", f"volume={name}").split()
    if containers:
        _docker("rm", "--force", *containers)
    _docker("volume", "rm", "--force", name)


def _docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _load(root: Path) -> Workspace:
    return load_workspace(root, Settings())


def _states(root: Path) -> dict[str, BinaryState]:
    return {found.name: found.state for found in binary_states(root, _load(root))}


def test_scaffolded_sensors_build_in_one_compile_sync_and_run(
    root: Path, images: dict[str, str], volume: str
) -> None:
    names = ["one-a-sensor", "one-b-sensor", "two-c-sensor"]
    args = {"RUST_IMAGE": images["RUST_IMAGE"], "CARGO_PROFILE": "dev"}
    assert _states(root) == dict.fromkeys(names, BinaryState.MISSING)
    workspace = _load(root)
    compiler = ImageCompiler(root, workspace, args)
    report = build_pack_binaries(root, workspace, compiler=compiler, image=images["DEBIAN_IMAGE"])
    assert [(made.name, made.packs, made.changed) for made in report] == [
        ("one-a-sensor", ("one",), True),
        ("one-b-sensor", ("one",), True),
        ("two-c-sensor", ("two",), True),
    ]
    assert _states(root) == dict.fromkeys(names, BinaryState.DEVELOPMENT)
    assert [check.problems for check in Checker(root, "packs", names).check()] == [(), ()]

    (folder,) = workspace.packs_folders
    sync_packs(root, folder, volume, image=images["DEBIAN_IMAGE"])
    sensor = _docker(
        *("run", "--detach", "--init", "--network", "none", "--user", "1000:1000"),
        *("--volume", f"{volume}:/packs:ro", "--env", "ATTUNE_SENSOR_REF=one.a"),
        *("--entrypoint", "/packs/one/sensors/one-a-sensor", images["DEBIAN_IMAGE"]),
    )
    until(lambda: _docker("logs", sensor) != "", seconds=30)
    event = json.loads(_docker("logs", sensor).splitlines()[0])
    assert (event["trigger"], event["source"], event["payload"]) == ("one.a", "one.a", {"tick": 1})

    main = root / "crates/one-a-sensor/src/main.rs"
    text = main.read_text()
    main.write_text(text.replace('"tick":', '"tack":'))
    assert _states(root)["one-a-sensor"] is BinaryState.STALE
    assert _states(root)["one-b-sensor"] is BinaryState.DEVELOPMENT
    program = root / "packs/one/sensors/one-a-sensor"
    before = (program.stat().st_ino, program.stat().st_mtime_ns)
    main.write_text("fn main() { nonsense }\n")
    with pytest.raises(BuildFailed) as caught:
        build_pack_binaries(root, workspace, compiler=compiler, image=images["DEBIAN_IMAGE"])
    assert "nonsense" in caught.value.why
    assert (program.stat().st_ino, program.stat().st_mtime_ns) == before
    assert _states(root)["one-a-sensor"] is BinaryState.STALE
    assert _docker("inspect", "--format", "{{.State.Running}}", sensor) == "true"
    main.write_text(text)
    assert _states(root)["one-a-sensor"] is BinaryState.DEVELOPMENT

    # a second checkout has no binary of its own, and knows from the volume what is there
    found = packs_status(root, folder, volume, files=True)
    assert found is not None
    in_volume = {
        f"packs/{status.name}/{path}": digests
        for status in found
        for path, digests in status.sources.items()
    }
    other = root.parent / f"{root.name}-other"
    shutil.copytree(root, other, ignore=shutil.ignore_patterns(".attune-dev"))
    for name in names:
        (other / f"packs/{name[:3]}/sensors/{name}").unlink()
    told = binary_states(other, _load(other), in_volume=in_volume)
    assert [(status.state, status.place) for status in told] == [
        (BinaryState.DEVELOPMENT, "volume")
    ] * 3
