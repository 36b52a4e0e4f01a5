"""Convergence on the real stack: random edits, kills and branch switches, compared at each rest."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from attune_dev.bench.sample.clone import clone
from attune_dev.bench.sample.stack import Stack
from attune_dev.bench.soak.run import Soak

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]

SEED, ROUNDS = 195, 6
"""With these everything occurs: kills, code and definitions that are broken, git, many files."""


def soak(folder: Path, seed: int, *, minutes: float, rounds: int) -> None:
    """Soaks a clone; every step and the seed are in what pytest shows of a failure."""
    stack = Stack(clone(folder / "attune"), f"t-soak-{secrets.token_hex(4)}")
    try:
        tally = Soak(stack, seed, print).run(minutes, rounds)
    finally:
        stack.remove()
    print(tally.summary())
    assert tally.faults == []


def test_random_edits_with_kills_converge(tmp_path: Path) -> None:
    soak(tmp_path, SEED, minutes=15, rounds=ROUNDS)


@pytest.mark.full
def test_random_edits_with_kills_converge_for_long(tmp_path: Path) -> None:
    soak(tmp_path, secrets.randbelow(1_000_000), minutes=15, rounds=1_000_000)
