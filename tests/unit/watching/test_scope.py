from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from attune_dev.model.cargo import CargoModel, CargoWorkspace, Package
from attune_dev.model.compose import ComposeProject, Mount, MountKind, Service
from attune_dev.model.dockerfile import ImageInputs, SourcePattern
from attune_dev.model.packs import PacksFolder
from attune_dev.model.workspace import Workspace
from attune_dev.watching.own_output import own_output
from attune_dev.watching.scope import everything, scope_of
from attune_dev.watching.snapshot import Snapshotter


def package(root: str) -> Package:
    return Package(root.rpartition("/")[2], "0.1.0", root, "")


WORKSPACE = Workspace(
    cargo=CargoModel(
        {"": CargoWorkspace("", {r: package(r) for r in ("crates/api", "crates/common")})}
    ),
    compose=ComposeProject(
        "attune",
        {
            "api": Service(
                "api",
                mounts=(
                    Mount(MountKind.BIND, "config", "/config", read_only=True),
                    Mount(MountKind.BIND, "/etc/ssl", "/etc/ssl", read_only=True),
                    Mount(MountKind.BIND, "packs.dev", "/opt/attune/packs.dev"),
                    Mount(MountKind.BIND, "data/postgres", "/var/lib/postgresql/data"),
                    Mount(MountKind.BIND, "secrets", "/secrets", read_only=True),
                ),
            )
        },
        files=("docker-compose.yaml", ".env"),
    ),
    images={
        "api": ImageInputs(
            "api",
            "docker/Dockerfile.optimized",
            "",
            sources=(SourcePattern("crates/*/Cargo.toml", ""), SourcePattern("Cargo.lock", "")),
        )
    },
    packs_folders=(PacksFolder("packs", "packs_data", "init-packs"),),
    git_ignore={"": ("out/", "/data/", "/secrets/", "*.local.yaml")},
)
SCOPE = scope_of(WORKSPACE)


@pytest.mark.parametrize(
    "path",
    [
        "Cargo.toml",
        "README.md",
        ".env",
        "docker-compose.override.yaml",
        "docker/Dockerfile.optimized",
        "crates/api/src/deep/er/main.rs",
        "crates/new/Cargo.toml",
        "packs/core/actions/echo.yaml",
        "packs.dev/mine/pack.yaml",
        "config/local.yaml",
        ".cargo/config.toml",
        "packs/core/out/x",
        "secrets/token",
    ],
)
def test_what_outputs_read_is_looked_at(path: str) -> None:
    assert SCOPE.wants(path)


@pytest.mark.parametrize(
    "path",
    [
        "target/debug/api",
        "crates/api/target/x",
        ".git/HEAD",
        "docs/a.md",
        "docker/sub/x",
        "crates/out/x",
        "data/postgres/base/1",
        "packs/core/node_modules/x/y.js",
        "packs.dev/mine/__pycache__/a.pyc",
        ".attune-dev/record.json",
    ],
)
def test_what_no_output_reads_is_not_descended_into(path: str) -> None:
    assert not SCOPE.wants(path)


@pytest.mark.parametrize(
    "name", ["4913", "main.rs~", ".main.rs.swp", ".#main.rs", "a___jb_tmp___", ".attune-dev-a.1"]
)
def test_what_editors_leave_beside_a_file_is_not_looked_at(name: str) -> None:
    assert not SCOPE.wants(f"crates/api/src/{name}")


def test_the_folder_of_several_packages_is_a_tree_of_its_own() -> None:
    assert "crates" in SCOPE.trees
    assert "crates/api" not in SCOPE.trees


def test_paths_outside_of_the_root_are_no_part_of_the_scope() -> None:
    assert not any(tree.startswith("/") for tree in SCOPE.trees)


def test_a_context_that_is_copied_whole_makes_the_root_a_tree() -> None:
    images = {"api": ImageInputs("api", "Dockerfile", "", sources=(SourcePattern("", ""),))}
    scope = scope_of(Workspace(WORKSPACE.cargo, WORKSPACE.compose, images))
    assert scope.wants("anything/at/all")
    assert not scope.wants("target/debug/x")
    assert not scope.wants("a/.git/x")


def test_everything_is_everything_but_what_is_always_left_out() -> None:
    assert everything().wants("a/b/c")
    assert not everything().wants("a/node_modules/c")


def test_what_the_loop_writes_itself_is_not_looked_at(tmp_path: Path) -> None:
    events = tmp_path / "logs/events.jsonl"
    own = own_output(tmp_path, [events, tmp_path.parent / "elsewhere"])
    assert "logs/events.jsonl" in own
    scope = replace(everything(), own=own)
    assert not scope.wants("logs/events.jsonl")
    assert scope.wants("logs/other.jsonl")
    (tmp_path / "logs").mkdir()
    events.write_text("x")
    (tmp_path / "a").write_text("x")
    assert set(Snapshotter(tmp_path, scope).scan().files) == {"a"}


def test_where_standard_output_leads_is_own_output(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys\n"
        "from attune_dev.watching.own_output import own_output\n"
        "sys.stderr.write(repr(sorted(own_output(pathlib.Path(sys.argv[1])))))"
    )
    with (tmp_path / "out.txt").open("w") as out:
        told = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[3],
        )
    assert told.stderr == "['out.txt']"
