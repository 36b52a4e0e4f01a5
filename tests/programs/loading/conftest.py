"""What tests of loading share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from attune_dev.docker import process
from attune_dev.loading.compose import load_compose
from attune_dev.model.compose import ComposeProject

REQUIRE_DOCKER = "ATTUNE_DEV_REQUIRE_DOCKER"

Load = Callable[..., ComposeProject]


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


@pytest.fixture
def load(write: Callable[..., Path], compose_environ: dict[str, str]) -> Load:
    """Writes files and loads the Compose project they make, by the real plugin."""

    def load_files(
        files: dict[str, str], environ: dict[str, str] | None = None, **options: object
    ) -> ComposeProject:
        return load_compose(
            write(files),
            environ={**compose_environ, **(environ or {})},
            **options,  # type: ignore[arg-type]
        )

    return load_files
