"""The generated workspace is what the figures say it is, and aims for growth judge rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.bench.model import Growth
from attune_dev.bench.planner.generated import (
    CRATES,
    PACKS,
    SERVICES,
    changed_paths,
    files,
)
from attune_dev.loading.cargo import load_cargo
from attune_dev.model.cargo import CargoModel


def edges(cargo: CargoModel) -> int:
    return sum(len(cargo.closure(root)) for root in cargo.packages())


def test_twice_the_size_is_twice_the_workspace(tmp_path: Path) -> None:
    models = []
    for size in (1, 2):
        made = dict(files(size))
        for path, text in made.items():
            if path.endswith(("Cargo.toml", "src/lib.rs", "src/main.rs")):
                full = tmp_path / str(size) / path
                full.parent.mkdir(parents=True, exist_ok=True)
                full.write_text(text if path.endswith(".toml") else "")
        models.append(load_cargo(tmp_path / str(size)))
        assert len(models[-1].packages()) == CRATES * size
        assert made["docker-compose.yaml"].count("SERVICE:") == SERVICES * size
        assert sum(path.endswith("pack.yaml") for path in made) == PACKS * size
    one, two = models
    assert edges(two) == 2 * edges(one)
    assert one.package_of_binary("service-0") is not None
    assert len({change.path for change in changed_paths(2, 500)}) == 500


@pytest.mark.parametrize(("figure", "good"), [(4.0, True), (4.9, False)])
def test_growth_is_reached_up_to_its_bound(figure: float, good: bool) -> None:
    aim = Growth("grows", ("r", "4"), ("r", "1"), 4.8)
    assert aim.reached({("r", "4"): figure, ("r", "1"): 1.0}) == (figure, good)
    assert aim.reached({("r", "4"): figure}) is None
    assert (aim.asked, aim.shown(figure)) == ("≤ 4.8×", f"{figure:.1f}×")
