"""Builds at once that share a cold registry: each container has a cargo home of its own."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

import pytest

from attune_dev.docker.identity import checkout_identity
from attune_dev.setup.base_images import base_images

REPOSITORY = Path(__file__).resolve().parents[2]
AT_ONCE = 4
CACHES = f"attune-dev-test-{checkout_identity(REPOSITORY)}"
REGISTRY = (
    f"--mount=type=cache,id=registry-{CACHES},target=/usr/local/cargo/registry,sharing=shared"
)
EMPTY = """
FROM {image} AS cold
RUN {registry} echo {turn}; cd /usr/local/cargo/registry; find . -mindepth 1 -delete; touch /cold
"""
STAGE = """
FROM {image} AS fetch-{number}
WORKDIR /build
ENV CARGO_HOME=/usr/local/cargo
COPY --from=cold /cold /cold
RUN --mount=type=bind,source=Cargo.toml,target=/build/Cargo.toml,rw \\
    --mount=type=bind,source=Cargo.lock,target=/build/Cargo.lock,rw \\
    --mount=type=bind,source=crates,target=/build/crates,rw \\
    --mount=type=bind,source=docker/freshen.sh,target=/freshen.sh \\
    {registry} \\
    --mount=type=cache,id=target-{number}-{caches},target=/build/target \\
    set -eu; : {turn}; . /freshen.sh; cargo fetch --locked; echo {number} >/fetched
"""


@pytest.mark.docker
@pytest.mark.timeout(300)
def test_builds_at_once_do_not_unpack_into_each_other(tmp_path: Path) -> None:
    (image,) = [i.in_use for i in base_images(REPOSITORY) if i.variable == "RUST_IMAGE"]
    words = {"image": image, "registry": REGISTRY, "caches": CACHES, "turn": uuid.uuid4().hex}
    parts = [EMPTY.format(**words)]
    parts += [STAGE.format(number=number, **words) for number in range(AT_ONCE)]
    parts += ["\nFROM scratch\n"]
    parts += [f"COPY --from=fetch-{number} /fetched /{number}\n" for number in range(AT_ONCE)]
    done = subprocess.run(
        ["docker", "buildx", "build", f"--output={tmp_path}", "--file", "-", "."],
        cwd=REPOSITORY,
        input="".join(parts),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0", "1", "2", "3"]
