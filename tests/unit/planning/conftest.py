"""What planner tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.planning.repository import Repository


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """An empty repository."""
    return Repository(tmp_path)
