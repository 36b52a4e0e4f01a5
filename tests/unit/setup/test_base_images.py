"""Which base images are asked for, and what may stand for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.setup import envfile
from attune_dev.setup.base_images import BaseImage, base_images, dockerfile_defaults
from attune_dev.setup.images import registry_of
from attune_dev.setup.standins import stand_in_for

DOCKERFILE = """\
# syntax is the engine's own
ARG RUST_IMAGE=rust:1.95-bookworm
arg DEBIAN_IMAGE="debian:bookworm-slim"
ARG OTHER_IMAGE=node:20
FROM ${RUST_IMAGE} AS builder
ARG RUST_IMAGE
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("RUST_IMAGE", "DEBIAN_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "Dockerfile.optimized").write_text(DOCKERFILE)
    (tmp_path / "docker" / "Dockerfile.optimized.dockerignore").write_text("ARG RUST_IMAGE=no\n")
    return tmp_path


def test_the_dockerfiles_alone_say_the_version() -> None:
    assert dockerfile_defaults([DOCKERFILE, "ARG RUST_IMAGE=rust:1.0-bookworm"]) == {
        "RUST_IMAGE": "rust:1.95-bookworm",
        "DEBIAN_IMAGE": "debian:bookworm-slim",
    }


def test_debian_comes_before_rust_which_is_made_from_it(root: Path) -> None:
    assert [image.wanted for image in base_images(root)] == [
        "debian:bookworm-slim",
        "rust:1.95-bookworm",
    ]


def test_a_stand_in_is_in_use_while_the_block_names_it(root: Path) -> None:
    envfile.update(root / ".env", {"RUST_IMAGE": "attune-dev/standin-rust:1.95-bookworm"})
    (_, rust) = base_images(root)
    assert rust.wanted == "rust:1.95-bookworm"
    assert rust.in_use == "attune-dev/standin-rust:1.95-bookworm"
    assert not rust.is_choice


def test_what_the_user_chose_goes_before_the_block(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / ".env").write_text("RUST_IMAGE=mine/rust:2\n")
    envfile.update(root / ".env", {"RUST_IMAGE": "standin", "DEBIAN_IMAGE": "standin"})
    monkeypatch.setenv("DEBIAN_IMAGE", "mine/debian:3")
    assert base_images(root) == [
        BaseImage("DEBIAN_IMAGE", "mine/debian:3", is_choice=True),
        BaseImage("RUST_IMAGE", "mine/rust:2", is_choice=True),
    ]


def test_a_repository_without_such_arguments_asks_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM node:20\n")
    assert base_images(tmp_path) == []


@pytest.mark.parametrize(
    ("official", "name"),
    [
        ("debian:bookworm-slim", "attune-dev/standin-debian:bookworm-slim"),
        ("rust:1.95-bookworm", "attune-dev/standin-rust:1.95-bookworm"),
        ("docker.io/library/rust:1.95.0-trixie", "attune-dev/standin-rust:1.95.0-trixie"),
    ],
)
def test_a_stand_in_never_has_the_official_name(official: str, name: str) -> None:
    standin = stand_in_for(official)
    assert standin is not None
    assert standin.name == name
    assert standin.official == official


@pytest.mark.parametrize(
    "image",
    ["rust:latest", "rust:1.95-slim-bookworm", "rust:1.95-alpine3.20", "debian:bookworm",
     "mine/debian:bookworm-slim", "registry.test/rust:1.95-bookworm", "node:20"],
)  # fmt: skip
def test_nothing_stands_for_images_that_we_cannot_make(image: str) -> None:
    assert stand_in_for(image) is None


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("rust:1", "docker.io"),
        ("mine/rust:1", "docker.io"),
        ("localhost/rust", "localhost"),
        ("registry.test/rust", "registry.test"),
        ("box:5000/rust", "box:5000"),
    ],
)
def test_the_registry_is_read_from_the_name(image: str, registry: str) -> None:
    assert registry_of(image) == registry
