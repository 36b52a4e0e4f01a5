"""Which files the graph is derived from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attune_dev.model.change import ChangeKind
from attune_dev.planning.graph import build_graph
from attune_dev.planning.structure import defines_graph
from tests.unit.planning.builders import attune

WORKSPACE = attune()
GRAPH = build_graph(
    replace(
        WORKSPACE,
        compose=replace(WORKSPACE.compose, candidates=("docker-compose.override.yaml",)),
    )
)


@pytest.mark.parametrize(
    "path",
    [
        "docker-compose.yaml",
        "docker-compose.override.yaml",
        ".env",
        "Cargo.toml",
        "crates/new/Cargo.toml",
        "Cargo.lock",
        ".cargo/config.toml",
        "rust-toolchain.toml",
        "Dockerfile",
        "docker/Dockerfile.new",
        ".dockerignore",
        "Dockerfile.dockerignore",
        "web/.gitignore",
        "attune-dev.toml",
        "packs/core/pack.yaml",
        "packs/core/sensors/new.yaml",
        "crates/api/src/main.rs",
        "crates/api/src/bin/x.rs",
        "src/bin/x/part.rs",
        "crates/api/build.rs",
    ],
)
def test_the_graph_is_derived_from(path: str) -> None:
    assert defines_graph(GRAPH, path)


@pytest.mark.parametrize(
    "path",
    [
        "crates/api/src/handlers.rs",
        "packs/core/actions/a.yaml",
        "packs/core/actions/pack.yaml",
        "packs.dev/x/pack.yaml",
        "config/attune.yaml",
        "config/config.toml",
        "README.md",
    ],
)
def test_the_graph_does_not_depend_on(path: str) -> None:
    assert not defines_graph(GRAPH, path)


def test_a_root_of_a_target_counts_only_where_it_comes_or_goes() -> None:
    path = "crates/api/src/main.rs"
    assert defines_graph(GRAPH, path, ChangeKind.DELETED)
    assert not defines_graph(GRAPH, path, ChangeKind.MODIFIED)
    assert defines_graph(GRAPH, "Cargo.toml", ChangeKind.MODIFIED)
