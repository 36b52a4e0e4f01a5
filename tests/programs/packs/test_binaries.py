"""Pack binaries: which there are, and how they get into their packs."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.errors import ConfigError, UsageError
from attune_dev.model.cargo import CargoModel
from attune_dev.model.compose import BuildConfig, ComposeProject, Service
from attune_dev.model.packs import Pack, PackBinary, PacksFolder
from attune_dev.model.workspace import Workspace
from attune_dev.packs.binaries import build_pack_binaries, place_binary
from attune_dev.packs.compile import agreed_args
from attune_dev.planning.graph import find_pack_binaries
from attune_dev.packs.scan import left_out


def _workspace(*services: Service) -> Workspace:
    def binary(name: str, pack: str, package: str | None = "crates/x") -> PackBinary:
        return PackBinary(name, pack, f"packs/{pack}/sensors/{name}", package)

    packs = {
        "core": Pack(
            "core", "packs/core", (binary("timer", "core"), binary("run.sh", "core", None))
        ),
        "more": Pack("more", "packs/more", (binary("timer", "more"), binary("mail", "more"))),
    }
    compose = ComposeProject("demo", {service.name: service for service in services})
    folder = PacksFolder("packs", "packs_data", "init-packs", packs)
    return Workspace(CargoModel(), compose, packs_folders=(folder,))


def test_they_are_what_sensors_name_and_cargo_has() -> None:
    found = find_pack_binaries(_workspace())
    assert {name: [b.pack for b in places] for name, places in found.items()} == {
        "mail": ["more"],
        "timer": ["core", "more"],
    }


def test_an_unknown_name_gets_the_near_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pack binary `tiner`") as caught:
        build_pack_binaries(tmp_path, _workspace(), ["tiner"])
    assert caught.value.hint == "did you mean `timer`?"


def test_without_a_dockerfile_that_compiles_them_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no Dockerfile compiles pack binaries"):
        build_pack_binaries(tmp_path, _workspace(), ["timer"])
    left = [path.name for path in (tmp_path / ".attune-dev").iterdir()]
    assert sorted(left) == [".gitignore", "CACHEDIR.TAG"]


def test_a_place_outside_of_the_repository_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "packs/core").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (root / "packs/core/sensors").symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigError, match="leads out of the repository"):
        build_pack_binaries(root, _workspace(), ["timer"])


def test_build_arguments_are_those_that_the_services_agree_on() -> None:
    def service(name: str, **args: str | None) -> Service:
        return Service(name, build=BuildConfig("", "Dockerfile", args=args))

    workspace = _workspace(
        service("api", RUST_IMAGE="rust:1", SERVICE="api", UNSET=None),
        service("web", RUST_IMAGE="rust:1", SERVICE="web"),
        Service("db", image="db"),
    )
    assert agreed_args(workspace) == {"RUST_IMAGE": "rust:1"}


def test_the_same_bytes_are_left_as_they_are(tmp_path: Path) -> None:
    source, place = tmp_path / "new", tmp_path / "packs/core/sensors/timer"
    source.write_bytes(b"one")
    assert place_binary(source, place) is True
    before = place.stat()
    assert place_binary(source, place) is False
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert place.stat().st_mode & 0o777 == 0o755
    place.chmod(0o644)
    assert place_binary(source, place) is True
    assert place.stat().st_mode & 0o777 == 0o755


def test_the_old_file_is_replaced_not_written_into(tmp_path: Path) -> None:
    source, place = tmp_path / "new", tmp_path / "timer"
    place.write_bytes(b"old")
    source.write_bytes(b"new")
    with place.open("rb") as running:
        assert place_binary(source, place) is True
        assert running.read() == b"old"
    assert place.read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "timer"]


def test_a_link_in_its_place_is_replaced_not_followed(tmp_path: Path) -> None:
    source, place, other = tmp_path / "new", tmp_path / "timer", tmp_path / "other"
    source.write_bytes(b"new")
    other.write_bytes(b"other")
    place.symlink_to(other)
    assert place_binary(source, place) is True
    assert (other.read_bytes(), place.is_symlink()) == (b"other", False)


def test_what_is_being_placed_is_never_synced() -> None:
    assert left_out(".attune-dev-timer.123", folder=False)
