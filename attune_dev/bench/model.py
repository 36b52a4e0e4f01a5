"""What a benchmark is made of: cases with a row and a column, and the aims they are held to."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Cell = tuple[str, str]
"""A row and a column."""

LONG_SECONDS = 60.0
"""A case that takes longer than this is measured once."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is measured.

    Attributes:
        row: what is done, such as ``change in common``.
        column: how it is done, such as ``once``.
        measure: does it once and returns the figure; what it prepares is not part of the figure.
        unit: of the figure: ``s``, ``MiB``, ``%``.
        repeats: how many figures the median is taken of; a cold case is measured once.
        cannot: why this column cannot do it; such a case is not run.
    """

    row: str
    column: str
    measure: Callable[[], float] = lambda: 0.0
    unit: str = "s"
    repeats: int = 3
    cannot: str = ""

    @property
    def cell(self) -> Cell:
        """Where the figure stands in the table."""
        return (self.row, self.column)


@dataclass(frozen=True, slots=True)
class Ratio:
    """An aim between two figures of one run: ``of`` takes at least so many times longer.

    Attributes:
        text: the aim in words.
        of: the cell that should be slower or larger.
        to: the cell that it is compared with.
        at_least: the ratio asked for.
    """

    text: str
    of: Cell
    to: Cell
    at_least: float

    def reached(self, figures: Mapping[Cell, float]) -> tuple[float, bool] | None:
        """The ratio and whether it is reached; ``None`` where a figure is missing."""
        if self.of not in figures or not figures.get(self.to):
            return None
        ratio = figures[self.of] / figures[self.to]
        return ratio, ratio >= self.at_least

    @property
    def asked(self) -> str:
        """What is asked for, as it is shown."""
        return f"≥ {self.at_least:g}×"

    def shown(self, value: float) -> str:
        """The ratio, as it is shown."""
        return f"{value:.1f}×"


@dataclass(frozen=True, slots=True)
class Growth:
    """An aim between two figures of one run: ``of`` takes at most so many times as long.

    Attributes:
        text: the aim in words.
        of: the cell of the larger case.
        to: the cell that it is compared with.
        at_most: the largest ratio allowed.
    """

    text: str
    of: Cell
    to: Cell
    at_most: float

    def reached(self, figures: Mapping[Cell, float]) -> tuple[float, bool] | None:
        """The ratio and whether it is within its bound; ``None`` where a figure is missing."""
        if self.of not in figures or not figures.get(self.to):
            return None
        ratio = figures[self.of] / figures[self.to]
        return ratio, ratio <= self.at_most

    @property
    def asked(self) -> str:
        """What is asked for, as it is shown."""
        return f"≤ {self.at_most:g}×"

    def shown(self, value: float) -> str:
        """The ratio, as it is shown."""
        return f"{value:.1f}×"


@dataclass(frozen=True, slots=True)
class Limit:
    """An aim for one figure.

    Attributes:
        text: the aim in words.
        cell: the figure.
        at_most: its upper bound.
        unit: of both.
    """

    text: str
    cell: Cell
    at_most: float
    unit: str = "s"

    def reached(self, figures: Mapping[Cell, float]) -> tuple[float, bool] | None:
        """The figure and whether it is within its bound; ``None`` where it is missing."""
        if self.cell not in figures:
            return None
        return figures[self.cell], figures[self.cell] <= self.at_most

    @property
    def asked(self) -> str:
        """What is asked for, as it is shown."""
        return f"≤ {self.at_most:g} {self.unit}"

    def shown(self, value: float) -> str:
        """The figure, as it is shown."""
        return figure_text(value, self.unit)


@dataclass(frozen=True, slots=True)
class Suite:
    """A table's worth of cases.

    Attributes:
        name: as ``inv bench`` takes it.
        title: what is measured, one line.
        cases: in the order of the table.
        aims: what the figures are held to.
        around: entered before the first case, left after the last; for what the cases share.
        notes: what a reader of the table has to know.
    """

    name: str
    title: str
    cases: tuple[Case, ...]
    aims: tuple[Ratio | Growth | Limit, ...] = ()
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    notes: tuple[str, ...] = ()


@dataclass
class Result:
    """What a run of a suite gave.

    Attributes:
        suite: what was run.
        machine: where, as lines of name and value.
        samples: all figures of each cell, in the order they were measured.
        failures: the reason for each cell that could not be measured.
        seconds: how long the run took, earlier parts of a resumed one included.
    """

    suite: Suite
    machine: Mapping[str, str]
    samples: dict[Cell, list[float]] = field(default_factory=dict)
    failures: dict[Cell, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def figures(self) -> dict[Cell, float]:
        """The median of each cell."""
        return {cell: median(values) for cell, values in self.samples.items() if values}

    @property
    def ok(self) -> bool:
        """Whether every case was measured; a missed aim is a result, not a failure."""
        return not self.failures


def enough(case: Case, samples: list[float]) -> bool:
    """Whether a case has been measured often enough."""
    if case.cannot or len(samples) >= case.repeats:
        return True
    return bool(samples) and case.unit == "s" and samples[0] >= LONG_SECONDS


def figure_text(value: float, unit: str) -> str:
    """A figure with three significant digits and its unit."""
    if unit == "s" and value < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
