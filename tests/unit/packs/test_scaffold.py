"""New packs and sensors: whole, checked, and never over what is there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from attune_dev.errors import ActionError, ConfigError, UsageError
from attune_dev.loading.cargo_lock import parse_lock
from attune_dev.packs.check.run import Checker
from attune_dev.packs.scaffold import Draft, locked, new_pack, new_sensor
from tests.unit.planning.repository import Repository

LOCK = """# generated
version = 4

[[package]]
name = "alpha"
version = "0.1.0"
dependencies = [
 "zeta",
]

[[package]]
name = "zeta"
version = "0.1.0"
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.members("crates/*")
    made.crate("crates/alpha")
    made.service("init", "./packs:/in:ro", "data:/out", image="debian", restart="no")
    made.service("api", "data:/packs:ro", image="api")
    return made


def sensor(repo: Repository, name: str) -> Draft:
    cargo = repo.load().cargo
    workspace = cargo.workspaces[""]
    return new_sensor(
        repo.root, "packs/net", "net", name, workspace, cargo.manifests["Cargo.toml"]
    )


def test_a_new_pack_and_sensor_have_no_problems_and_belong_to_the_workspace(
    repo: Repository,
) -> None:
    repo.write({"Cargo.lock": LOCK})
    assert new_pack(repo.root, "packs", "net").write() == (
        "packs/net/pack.yaml",
        "packs/net/actions/hello.yaml",
        "packs/net/actions/hello.sh",
    )
    assert sensor(repo, "disk_space").write() == (
        "packs/net/triggers/disk_space.yaml",
        "packs/net/sensors/disk_space.yaml",
        "crates/net-disk-space-sensor/Cargo.toml",
        "crates/net-disk-space-sensor/src/main.rs",
        "Cargo.lock",
    )
    loaded = repo.load()
    (binary,) = loaded.packs_folders[0].packs["net"].binaries
    assert binary.name == "net-disk-space-sensor"
    assert binary.package == "crates/net-disk-space-sensor"
    (check,) = Checker(repo.root, "packs", [binary.name]).check()
    assert check.problems == ()
    assert (repo.root / "packs/net/actions/hello.sh").stat().st_mode & 0o777 == 0o755
    names = [package.name for package in loaded.cargo.workspaces[""].lock]
    assert names == ["alpha", "net-disk-space-sensor", "zeta"]


def test_nothing_is_written_where_a_file_is_there(repo: Repository) -> None:
    new_pack(repo.root, "packs", "net").write()
    with pytest.raises(UsageError, match="packs/net is there already"):
        new_pack(repo.root, "packs", "net")
    draft = sensor(repo, "disk")
    repo.write({"packs/net/sensors/disk.yaml": "mine"})
    with pytest.raises(UsageError, match=r"packs/net/sensors/disk.yaml is there already"):
        draft.write()
    assert not (repo.root / "packs/net/triggers").exists()
    assert not (repo.root / "crates/net-disk-sensor").exists()


def test_what_was_written_goes_when_the_rest_cannot_be_written(tmp_path: Path) -> None:
    draft = Draft(tmp_path)
    draft.add("a", "a")
    draft.add("a/b", "b")
    with pytest.raises(ActionError, match="cannot be written"):
        draft.write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "Net", "a b", "../a", "1a", "a.b", ".a"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name of a pack"):
        new_pack(tmp_path, "packs", name)


def test_a_workspace_that_lists_its_packages_is_told(repo: Repository) -> None:
    repo.members("crates/alpha")
    with pytest.raises(ConfigError, match="no pattern takes a new package"):
        sensor(repo, "disk")


@pytest.mark.parametrize("name", ["aaa", "beta", "zzz"])
def test_a_lock_file_stays_as_cargo_writes_it(name: str) -> None:
    text = locked(LOCK, name, "0.1.0")
    assert [package.name for package in parse_lock(text)] == sorted(["alpha", name, "zeta"])
    assert text.replace(f'[[package]]\nname = "{name}"\nversion = "0.1.0"\n', "").split() == LOCK.split()
    assert tomllib.loads(text)["version"] == 4
    assert "\n\n\n" not in text
    assert text.endswith('"\n') or text.endswith("]\n")
