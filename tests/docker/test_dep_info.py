"""What cargo says it read comes out of the very build that makes the images, and is planned by."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune_dev.docker.port import BuildRequest
from attune_dev.docker.process import run
from attune_dev.docker.whales import WhalesDocker
from attune_dev.loading.workspace import load_workspace
from attune_dev.model.change import Change
from attune_dev.model.workspace import Workspace
from attune_dev.packs.binaries import build_pack_binaries
from attune_dev.planning.planner import make_plan
from attune_dev.settings import Settings

BINARY = "attune-core-timer-sensor"
REPOSITORY = Path(__file__).resolve().parents[2]
COPIED = (
    *(f"docker/Dockerfile.{name}" for name in ("optimized", "pack-binaries")),
    *("docker/freshen.sh", ".dockerignore", ".env"),
)
# No text of a source names the file: only the compiler knows.
MAIN = """\
const TEXT: &str = include_str!(concat!("../..", "/limits", ".md"));

fn main() {
    println!("{TEXT}");
}
"""
COMPOSE = """\
name: PROJECT
services:
  init-packs:
    image: ${DEBIAN_IMAGE}
    restart: "no"
    volumes: ["./packs:/in:ro", "packs:/out"]
  api:
    build:
      context: .
      dockerfile: docker/Dockerfile.optimized
      args: {RUST_IMAGE: "${RUST_IMAGE}", DEBIAN_IMAGE: "${DEBIAN_IMAGE}", SERVICE: api}
    volumes: ["packs:/packs:ro"]
volumes:
  packs:
"""

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    project = f"t-dep-info-{uuid.uuid4().hex[:8]}"
    files = {
        "docker-compose.yaml": COMPOSE.replace("PROJECT", project),
        "Cargo.toml": '[workspace]\nresolver = "2"\nmembers = ["crates/*"]\n',
        "crates/limits.md": f"{project}\n",
        "packs/core/pack.yaml": "ref: core\n",
        "packs/core/sensors/timer.yaml": f"entry_point: {BINARY}\n",
    }
    lock = "version = 4\n"
    for name in ("api", "core-timer-sensor"):
        said = f'[package]\nname = "attune-{name}"\nversion = "0.1.0"\nedition = "2021"\n'
        files |= {f"crates/{name}/Cargo.toml": said, f"crates/{name}/src/main.rs": MAIN}
        lock += f'\n[[package]]\nname = "attune-{name}"\nversion = "0.1.0"\n'
    files["Cargo.lock"] = lock
    for path in COPIED:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / path, tmp_path / path)
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    yield tmp_path
    run(["docker", "image", "rm", "--force", f"{project}-api"], check=False)


def planned(root: Path) -> str:
    return make_plan(workspace(root), [Change("crates/limits.md")]).describe()


def workspace(root: Path) -> Workspace:
    return load_workspace(root, Settings())


def test_a_file_that_only_the_compiler_knows_is_known_after_the_first_build(root: Path) -> None:
    assert planned(root).startswith("ignored crates/limits.md: nothing reads it")
    loaded = workspace(root)
    WhalesDocker(root, loaded.compose).build(BuildRequest(("api",), binaries=("attune-api",)))
    changed = "crates/limits.md: compiled into"
    assert planned(root).splitlines()[0] == (f"[] -> #1 build api, {changed} attune-api (dep-info)")
    build_pack_binaries(root, loaded)
    assert planned(root).splitlines()[0] == (
        f"[] -> #1 build-pack-binaries {BINARY}, {changed} {BINARY} (dep-info)"
    )
