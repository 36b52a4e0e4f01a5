"""The frame of the benchmarks: alternation, medians, aims, resuming, rendering."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from attune_dev.bench.model import Case, Limit, Ratio, Suite, figure_text
from attune_dev.bench.render import to_json, to_markdown, to_text
from attune_dev.bench.run import run_suite
from attune_dev.errors import ActionError, Interrupted

MACHINE = {"cpu": "one of a kind", "cores": "2"}


def figures(name: str, values: list[float], asked: list[str]) -> Callable[[], float]:
    """A measure that gives these figures in turn and notes that it was asked."""
    left = iter(values)

    def measure() -> float:
        asked.append(name)
        return next(left)

    return measure


def two_columns(asked: list[str]) -> Suite:
    return Suite(
        "builds",
        "Builds",
        (
            Case("change", "old", figures("old", [9.0, 8.0, 30.0], asked)),
            Case("change", "new", figures("new", [1.0, 3.0, 2.0], asked)),
            Case("cold", "old", cannot="needs the network"),
        ),
        (
            Ratio("change", ("change", "old"), ("change", "new"), 4),
            Limit("change at once", ("change", "new"), 1.5),
        ),
        notes=("release profile",),
    )


def test_columns_alternate_and_the_median_counts(tmp_path: Path) -> None:
    asked: list[str] = []
    said: list[str] = []
    result = run_suite(two_columns(asked), tmp_path, MACHINE, said.append)
    assert asked == ["old", "new"] * 3
    assert result.figures == {("change", "old"): 9.0, ("change", "new"): 2.0}
    assert result.ok
    assert said[1] == "change | new 1/3: 1 s"


def test_a_long_case_is_measured_once(tmp_path: Path) -> None:
    asked: list[str] = []
    suite = Suite("s", "S", (Case("cold", "a", figures("a", [60.0], asked)),))
    result = run_suite(suite, tmp_path, MACHINE, lambda _line: None)
    assert asked == ["a"]
    assert result.figures == {("cold", "a"): 60.0}


def test_text_shows_figures_reasons_and_aims(tmp_path: Path) -> None:
    result = run_suite(two_columns([]), tmp_path, MACHINE, lambda _line: None)
    assert to_text(result).splitlines() == [
        "Builds",
        "",
        "                        old  new",
        "change                  9 s  2 s",
        "cold    (needs the network)",
        "",
        "change: 4.5× (asked ≥ 4×), reached",
        "change at once: 2 s (asked ≤ 1.5 s), missed",
        "",
        "release profile",
        "",
        "cpu: one of a kind",
        "cores: 2",
    ]


def test_markdown_is_a_table(tmp_path: Path) -> None:
    result = run_suite(two_columns([]), tmp_path, MACHINE, lambda _line: None)
    lines = to_markdown(result).splitlines()
    assert lines[2:6] == [
        "|  | old | new |",
        "|---|---:|---:|",
        "| change | 9 s | 2 s |",
        "| cold | (needs the network) |  |",
    ]
    assert "| change at once | ≤ 1.5 s | 2 s | missed |" in lines


def test_json_keeps_every_sample(tmp_path: Path) -> None:
    result = run_suite(two_columns([]), tmp_path, MACHINE, lambda _line: None)
    document = to_json(result)
    assert document["targets"][0]["samples"] == [9.0, 8.0, 30.0]
    assert document["targets"][2]["outcome"] == "cannot"
    assert document["aims"][0] == {
        "aim": "change",
        "asked": "≥ 4×",
        "value": 4.5,
        "reached": True,
    }


def test_a_broken_off_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    asked: list[str] = []

    def stop() -> float:
        raise Interrupted

    def suite(second: Callable[[], float]) -> Suite:
        first = figures("first", [5.0], asked)
        return Suite("s", "S", (Case("r", "a", first, repeats=1), Case("r", "b", second)))

    with pytest.raises(Interrupted):
        run_suite(suite(stop), tmp_path, MACHINE, lambda _line: None)
    said: list[str] = []
    result = run_suite(suite(figures("b", [1.0] * 3, asked)), tmp_path, MACHINE, said.append)
    assert asked == ["first", "b", "b", "b"]
    assert result.figures == {("r", "a"): 5.0, ("r", "b"): 1.0}
    assert said[0].startswith("s: going on")


@pytest.mark.parametrize("how", ["fresh", "other machine"])
def test_figures_of_another_run_are_not_mixed_in(tmp_path: Path, how: str) -> None:
    def stop() -> float:
        raise Interrupted

    asked: list[str] = []

    def suite(second: Callable[[], float]) -> Suite:
        first = figures("first", [5.0], asked)
        return Suite("s", "S", (Case("r", "a", first, repeats=1), Case("r", "b", second)))

    with pytest.raises(Interrupted):
        run_suite(suite(stop), tmp_path, MACHINE, lambda _line: None)
    machine = MACHINE if how == "fresh" else {"cpu": "another"}
    again = suite(figures("b", [1.0] * 3, asked))
    run_suite(again, tmp_path, machine, lambda _line: None, fresh=how == "fresh")
    assert asked == ["first", "first", "b", "b", "b"]


def test_a_finished_run_is_not_resumed(tmp_path: Path) -> None:
    asked: list[str] = []
    for _ in range(2):
        run_suite(two_columns(asked), tmp_path, MACHINE, lambda _line: None)
    assert len(asked) == 12


def test_a_failed_case_costs_only_itself(tmp_path: Path) -> None:
    def fail() -> float:
        raise ActionError("the build failed", why="no space left")

    suite = Suite("s", "S", (Case("r", "a", fail), Case("r", "b", lambda: 1.0)))
    result = run_suite(suite, tmp_path, MACHINE, lambda _line: None)
    assert not result.ok
    assert result.failures == {("r", "a"): "the build failed; no space left"}
    assert result.figures == {("r", "b"): 1.0}
    assert "failed" in to_text(result)


def test_what_the_cases_share_is_entered_once_and_left(tmp_path: Path) -> None:
    seen: list[str] = []

    @contextmanager
    def around() -> Iterator[None]:
        seen.append("in")
        yield
        seen.append("out")

    suite = Suite("s", "S", (Case("r", "a", lambda: 1.0),), around=around)
    run_suite(suite, tmp_path, MACHINE, lambda _line: None)
    assert seen == ["in", "out"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.0123, "s", "12.3 ms"), (2.345, "s", "2.35 s"), (1234.5, "MiB", "1,234 MiB")],
)
def test_figures_have_three_digits(value: float, unit: str, text: str) -> None:
    assert figure_text(value, unit) == text
