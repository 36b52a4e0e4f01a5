"""The sample workspace's own tests, in the image that builds it."""

from __future__ import annotations

import os
import subprocess
import uuid

import pytest

from attune_dev.bench.sample.clone import REPOSITORY
from attune_dev.setup import envfile

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1500)]

DOCKERFILE = """\
ARG RUST_IMAGE=rust:1.95-bookworm
FROM ${RUST_IMAGE}
WORKDIR /build
ARG ROUND
RUN --mount=type=bind,source=Cargo.toml,target=/build/Cargo.toml \\
    --mount=type=bind,source=Cargo.lock,target=/build/Cargo.lock \\
    --mount=type=bind,source=crates,target=/build/crates \\
    --mount=type=cache,id=attune-cargo-registry,target=/usr/local/cargo/registry,sharing=shared \\
    --mount=type=cache,id=attune-tests,target=/build/target,sharing=locked \\
    : "$ROUND"; cargo test --locked --workspace --no-fail-fast 2>&1
"""


def test_the_crates_own_tests_pass() -> None:
    image = envfile.managed_values(envfile.read(REPOSITORY / ".env")).get("RUST_IMAGE", "")
    chosen = ["--build-arg", f"RUST_IMAGE={image}"] if image else []
    done = subprocess.run(
        [
            *("docker", "buildx", "build", "--progress", "plain", "--file", "-", *chosen),
            # a cached success would prove nothing
            *("--build-arg", f"ROUND={uuid.uuid4()}", os.fspath(REPOSITORY)),
        ],
        input=DOCKERFILE,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stderr[-6000:]
    assert done.stderr.count("test result: ok") >= 7, done.stderr[-6000:]
