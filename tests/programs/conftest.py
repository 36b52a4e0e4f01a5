"""What tests share that run other programs."""

from __future__ import annotations

import os
import shutil

import pytest

from attune_dev.docker import process
from tests.conftest import REQUIRE_DOCKER


@pytest.fixture(scope="session")
def compose_environ() -> dict[str, str]:
    """An environment in which the Compose plugin is found; no engine is needed."""
    environ = {
        name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_CONFIG") if name in os.environ
    }
    docker = shutil.which("docker")
    found = docker and process.run([docker, "compose", "version"], env=environ, check=False).ok
    if not found:
        told = "the Docker Compose plugin is missing: run ./inv setup"
        if os.environ.get(REQUIRE_DOCKER) == "1":
            pytest.fail(told)
        pytest.skip(told)
    return environ
