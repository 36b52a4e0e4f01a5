"""What set-up makes on this machine: plugins that the client sees, base images that build."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune_dev.setup import envfile
from attune_dev.setup.apt import missing_programs
from attune_dev.setup.base_images import base_images, dockerfile_defaults
from attune_dev.setup.engine import look_at_engine
from attune_dev.setup.ensure import check, ensure, ready
from attune_dev.setup.plugins import SUITE_VARIABLE, ensure_plugins, plugin_items
from attune_dev.setup.report import State
from attune_dev.setup.sources import machine_distribution
from attune_dev.setup.standins import LABEL, LABEL_FOR, stand_in_for

pytestmark = pytest.mark.docker

REPOSITORY = Path(__file__).resolve().parents[2]
DISTRIBUTION = machine_distribution()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that asks for the same base images, not yet set up."""
    for name in ("RUST_IMAGE", "DEBIAN_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(REPOSITORY / "docker", tmp_path / "docker")
    return tmp_path


def inspect(image: str) -> dict[str, object]:
    done = subprocess.run(
        ["docker", "image", "inspect", image], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)[0]["Config"]
    assert isinstance(found, dict)
    return found


def test_a_fresh_clone_is_made_ready_and_told_so(clone: Path) -> None:
    told: list[str] = []
    (clone / ".env").write_text("MINE=1\n")
    report = ensure(clone, told.append)
    assert report.ok
    names = [item.name for item in report.items]
    assert names[:3] == ["engine", "compose", "buildx"]
    assert set(names[3:]) == {image.wanted for image in base_images(clone)}
    assert envfile.users_values(envfile.read(clone / ".env")) == {"MINE": "1"}
    assert all(item.ok for item in check(clone).items)


def test_asking_whether_all_is_well_costs_milliseconds(clone: Path) -> None:
    ensure(clone, print)
    if not (clone / ".attune-dev" / "ready.json").exists():
        pytest.skip("the engine is not asked through a Unix socket")
    fastest = 1.0
    for _ in range(10):
        started = time.perf_counter()
        assert ready(clone)
        fastest = min(fastest, time.perf_counter() - started)
    assert fastest < 0.030


def test_a_stand_in_is_labelled_and_has_no_official_name(clone: Path) -> None:
    ensure(clone, print)
    standins = [image for image in base_images(clone) if image.managed]
    for image in standins:
        standin = stand_in_for(image.wanted)
        assert standin is not None
        assert image.managed == standin.name
        config = inspect(image.managed)
        assert config["Labels"] == {LABEL: "true", LABEL_FOR: image.wanted}
        assert config["Cmd"] == ["bash"]
        absent = subprocess.run(["docker", "image", "inspect", image.wanted], capture_output=True)
        assert absent.returncode != 0


def test_the_line_goes_when_the_wanted_image_is_there(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(clone, print)
    (debian, *_) = base_images(clone)
    official = "attune-dev-test/debian:bookworm-slim"
    subprocess.run(["docker", "tag", debian.in_use, official], check=True)
    try:
        envfile.update(clone / ".env", {debian.variable: "attune-dev/standin-debian:gone"})
        for path in (clone / "docker").iterdir():
            text = path.read_text(encoding="utf-8", errors="replace")
            if dockerfile_defaults([text]):
                path.write_text(text.replace(f"ARG {debian.variable}={debian.wanted}",
                                             f"ARG {debian.variable}={official}"))  # fmt: skip
        told: list[str] = []
        ensure(clone, told.append)
        assert debian.variable not in envfile.managed_values(envfile.read(clone / ".env"))
        assert base_images(clone)[0].in_use == official
    finally:
        subprocess.run(["docker", "image", "rm", official], check=True, capture_output=True)


def run(image: str, script: str) -> str:
    done = subprocess.run(
        ["docker", "run", "--rm", image, "sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_rust_image_has_the_asked_toolchain_and_a_c_compiler(clone: Path) -> None:
    ensure(clone, print)
    (rust,) = [image for image in base_images(clone) if image.variable == "RUST_IMAGE"]
    version = re.sub(r"^.*:([0-9.]+)-.*$", r"\1", rust.wanted)
    said = run(rust.in_use, "rustc --version; cargo --version; cc --version; git --version")
    assert said.startswith(f"rustc {version}.")
    assert f"cargo {version}." in said
    environment = inspect(rust.in_use)["Env"]
    assert isinstance(environment, list)
    assert {"CARGO_HOME=/usr/local/cargo", "RUSTUP_HOME=/usr/local/rustup"} <= set(environment)


def test_containers_reach_crates_and_packages_through_the_machines_network(clone: Path) -> None:
    ensure(clone, print)
    debian, rust = (image.in_use for image in base_images(clone))
    assert "python3-minimal" in run(debian, "apt-get update -q && apt-cache policy python3-minimal")
    said = run(rust, "cargo init -q --name a /a && cd /a && cargo add -q itoa && cargo fetch && ls")
    assert "Cargo.lock" in said


@pytest.fixture
def bare_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user whose docker client has no plugins of its own."""
    folder = tmp_path / "client"
    folder.mkdir()
    (folder / "config.json").write_text('{"auths": {}}')
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if all(item.ok for item in plugin_items(look_at_engine())):
        pytest.skip("this machine has good plugins for all its users")
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(
    not DISTRIBUTION.is_debian_family or bool(missing_programs()), reason="no apt on this machine"
)
@pytest.mark.parametrize(
    "suite",
    [
        pytest.param("", id="newest"),
        pytest.param("trixie", id="trixie"),
    ],
)
def test_missing_plugins_are_placed_and_nothing_else_changes(
    suite: str, bare_client: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if suite:
        monkeypatch.setenv(SUITE_VARIABLE, suite)
    told: list[str] = []
    ensure_plugins(look_at_engine(), told.append)
    engine = look_at_engine()
    assert [item.state for item in plugin_items(engine)] == [State.OK, State.OK]
    placed = bare_client / "cli-plugins"
    assert {path.name for path in placed.iterdir()} == {"docker-compose", "docker-buildx"}
    assert {path.name for path in bare_client.iterdir()} == {"config.json", "cli-plugins"}
    assert (bare_client / "config.json").read_text() == '{"auths": {}}'
    assert not list((Path(os.environ["XDG_CACHE_HOME"]) / "attune-dev" / "work").iterdir())
    assert "placed buildx" in told[-1]
    again: list[str] = []
    ensure_plugins(engine, again.append)
    assert again == []
