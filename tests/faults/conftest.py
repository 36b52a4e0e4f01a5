"""An engine of the tests' own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.rigs import base_image
from tests.faults.own_engine import OwnEngine, own_engine


@pytest.fixture(scope="session")
def engine() -> Iterator[OwnEngine]:
    """One for all: whoever needs it running starts it, for a test before may have stopped it."""
    image = base_image()
    if image is None:
        pytest.skip("no base image")
    # a socket's path must be short
    with (
        tempfile.TemporaryDirectory(prefix="at-") as folder,
        own_engine(Path(folder) / "e", image) as made,
    ):
        yield made
