"""Repositories of every shape, read from their files alone, get exactly the right plans."""

from __future__ import annotations

import pytest

from tests.programs.planning.shapes import SHAPES, expected, plan_of, shapes

ASKED = [(shape, asked) for shape in shapes() for asked in expected(shape)]


@pytest.mark.parametrize(("shape", "asked"), ASKED)
def test_the_plan_of_a_shape(shape: str, asked: str, compose_environ: dict[str, str]) -> None:
    assert plan_of(SHAPES / shape, asked, compose_environ) == expected(shape)[asked]


@pytest.mark.parametrize("shape", shapes())
def test_no_change_plans_nothing(shape: str, compose_environ: dict[str, str]) -> None:
    assert plan_of(SHAPES / shape, "", compose_environ) == ""
