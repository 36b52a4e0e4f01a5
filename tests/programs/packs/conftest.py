"""A folder of packs and a folder that stands for the volume, with the real agent between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.packs.world import World

GRACE = "ATTUNE_AGENT_GRACE"
NO_EXCHANGE = "ATTUNE_AGENT_NO_EXCHANGE"


@pytest.fixture(scope="module")
def _worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, World]]:
    """One agent per module and kind of file system: starting one takes longer than a sync."""
    made: dict[str, World] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(GRACE, "0")
        made["exchange"] = World(tmp_path_factory.mktemp("exchange"))
        made["exchange"].session.start()
        patch.setenv(NO_EXCHANGE, "1")
        made["files"] = World(tmp_path_factory.mktemp("files"))
        made["files"].session.start()
    yield made
    for world in made.values():
        world.session.close()


@pytest.fixture
def world(_worlds: dict[str, World], monkeypatch: pytest.MonkeyPatch) -> World:
    """A volume whose file system can exchange folders."""
    monkeypatch.setenv(GRACE, "0")
    _worlds["exchange"].reset()
    return _worlds["exchange"]


@pytest.fixture
def plain_world(_worlds: dict[str, World], monkeypatch: pytest.MonkeyPatch) -> World:
    """A volume whose file system cannot."""
    monkeypatch.setenv(GRACE, "0")
    monkeypatch.setenv(NO_EXCHANGE, "1")
    _worlds["files"].reset()
    return _worlds["files"]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """An empty folder."""
    return tmp_path
