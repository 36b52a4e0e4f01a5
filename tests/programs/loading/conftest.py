"""What tests of loading share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from attune_dev.loading.compose import load_compose
from attune_dev.model.compose import ComposeProject

Load = Callable[..., ComposeProject]


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
