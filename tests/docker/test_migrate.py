"""A repository that copies all crates, and packs into images, is taken over and given back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from attune_dev.bench.sample.clone import clone
from attune_dev.bench.sample.stack import Stack

DOCKERFILE = "docker/Dockerfile.services"
TEXT = """\
ARG RUST_IMAGE=rust:1.95-bookworm
ARG DEBIAN_IMAGE=debian:bookworm-slim

FROM ${RUST_IMAGE} AS build
WORKDIR /build
ENV CARGO_HOME=/usr/local/cargo
COPY . .
ARG PROGRAM
RUN --mount=type=cache,id=attune-test-migrate,target=/build/target \\
    cargo build --locked --release --bin attune-${PROGRAM} && \\
    cp target/release/attune-${PROGRAM} /tmp/attune-${PROGRAM}

FROM ${DEBIAN_IMAGE} AS runtime
ARG PROGRAM
COPY packs /opt/attune/packs
COPY --from=build /tmp/attune-${PROGRAM} /usr/local/bin/attune-service
USER 10001:10001
WORKDIR /opt/attune
ENTRYPOINT ["/usr/local/bin/attune-service"]
"""
PROGRAMS = {"api": "api", "sensor": "sensor", "worker-shell": "worker"}

pytestmark = [pytest.mark.docker, pytest.mark.full, pytest.mark.timeout(1500)]


def make_old(root: Path) -> None:
    """Turns a clone into what such repositories look like."""
    shutil.rmtree(root / "docker")
    (root / "docker").mkdir()
    (root / DOCKERFILE).write_text(TEXT)
    (root / ".dockerignore").write_text(".git\n.attune-dev\ntarget\nattune_dev\n")
    compose: dict[str, Any] = yaml.safe_load((root / "docker-compose.yaml").read_text())
    services = {}
    for name, program in PROGRAMS.items():
        service = compose["services"][name]
        service["build"] = {
            "context": ".",
            "dockerfile": DOCKERFILE,
            "args": {**compose["x-build-args"], "PROGRAM": program},
        }
        service["volumes"] = [v for v in service["volumes"] if not v.startswith("packs_data")]
        service.pop("depends_on", None)
        services[name] = service
    text = yaml.safe_dump({"name": "attune", "services": services}, sort_keys=False)
    (root / "docker-compose.yaml").write_text(text)


def everything(root: Path) -> dict[str, bytes]:
    """All files but state and what was built into packs."""
    return {
        os.fspath(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not {".attune-dev", ".git", "__pycache__"} & set(path.parts)
        and not path.name.startswith("attune-core-timer-sensor")
        and path.name != ".env"  # set-up names the base images there
    }


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(clone(tmp_path / "old"), f"attune-test-migrate-{os.getpid()}")
    make_old(stack.root)
    try:
        yield stack
    finally:
        stack.remove()


def test_it_is_taken_over_runs_and_can_be_given_back(stack: Stack) -> None:
    before = everything(stack.root)
    shown = stack.inv("migrate", "--dry-run").stdout
    assert "+FROM ${RUST_IMAGE} AS builder" in shown
    assert everything(stack.root) == before

    first = stack.inv("migrate", timeout=1400).stdout
    for service in PROGRAMS:
        assert f"{service}: sees " in first
        assert stack.get(service, "/health")["status"] == "ok"
    assert "inv migrate --undo" in first
    assert (stack.root / "packs/core/sensors/attune-core-timer-sensor").is_file()
    image = f"{stack.project}-api"
    inside = stack.docker("run", "--rm", "--entrypoint", "ls", image, "-A", "/opt/attune")
    assert "packs" not in inside.split()
    stack.inv("dockerfiles", "--check")

    again = stack.inv("migrate", timeout=1400).stdout
    assert "the files are as they should be already" in again
    assert "0 changed" in again or "nothing to do" in again

    stack.inv("migrate", "--undo")
    assert everything(stack.root) == before
