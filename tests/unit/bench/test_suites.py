"""Every suite is well-formed: its aims point at figures that it measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.bench.builds import old_way
from attune_dev.bench.model import Growth, Ratio
from attune_dev.bench.suites import SUITES, make_suite


@pytest.mark.parametrize("name", SUITES)
def test_cells_are_unique_and_aims_are_measured(name: str) -> None:
    suite = make_suite(name, Path(__file__).resolve().parents[3])
    cells = [case.cell for case in suite.cases]
    measured = {case.cell for case in suite.cases if not case.cannot}
    aimed = {
        cell
        for aim in suite.aims
        for cell in ((aim.of, aim.to) if isinstance(aim, Ratio | Growth) else (aim.cell,))
    }
    assert suite.name == name
    assert len(cells) == len(set(cells))
    assert aimed <= measured


def test_the_old_way_bakes_packs_in_and_mounts_no_volume() -> None:
    text = old_way.override()
    assert text.count("volumes: !override") == len(old_way.READERS)
    assert "packs_data" not in text
    assert "COPY packs /opt/attune/packs" in old_way.dockerfile("bench")
