"""A result as text, Markdown or JSON (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attune_dev.bench.model import figure_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attune_dev.bench.model import Result


def to_text(result: Result) -> str:
    """The table as a person reads it on a terminal."""
    table = _table(result)
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = [result.suite.title, ""]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    lines += ["", *_aims(result), *(["", *result.suite.notes] if result.suite.notes else [])]
    lines += ["", *(f"{name}: {value}" for name, value in result.machine.items())]
    return "\n".join(lines)


def to_markdown(result: Result) -> str:
    """The table for the documents."""
    table = _table(result)
    lines = [f"## {result.suite.title}", ""]
    lines.append("| " + " | ".join(table[0]) + " |")
    lines.append("|---|" + "---:|" * (len(table[0]) - 1))
    lines += ["| " + " | ".join(row) + " |" for row in table[1:]]
    if result.suite.aims:
        lines += ["", "| aim | asked | measured | |", "|---|---:|---:|---|"]
        lines += ["| " + " | ".join(row) + " |" for row in _aim_rows(result)]
    if result.suite.notes:
        lines += ["", *(f"- {note}" for note in result.suite.notes)]
    machine = ", ".join(f"{name} {value}" for name, value in result.machine.items())
    lines += ["", f"Measured in one run of {result.seconds:.0f} s: {machine}."]
    return "\n".join(lines)


def to_json(result: Result) -> dict[str, Any]:
    """The document of ``--json``: all samples, medians, aims, the machine."""
    suite = result.suite
    targets: list[dict[str, Any]] = []
    for case in suite.cases:
        entry: dict[str, Any] = {
            "name": f"{case.row} | {case.column}",
            "row": case.row,
            "column": case.column,
            "unit": case.unit,
        }
        if case.cannot:
            entry |= {"outcome": "cannot", "why": case.cannot}
        elif case.cell in result.failures:
            entry |= {"outcome": "failed", "why": result.failures[case.cell]}
        else:
            entry |= {
                "outcome": "measured",
                "median": result.figures.get(case.cell),
                "samples": result.samples.get(case.cell, []),
            }
        targets.append(entry)
    aims = []
    for aim in suite.aims:
        reached = aim.reached(result.figures)
        value, good = reached or (None, None)
        aims.append({"aim": aim.text, "asked": aim.asked, "value": value, "reached": good})
    return {
        "name": suite.name,
        "title": suite.title,
        "ok": result.ok,
        "seconds": round(result.seconds, 3),
        "machine": dict(result.machine),
        "targets": targets,
        "aims": aims,
    }


def _table(result: Result) -> list[list[str]]:
    cases = result.suite.cases
    rows = list(dict.fromkeys(case.row for case in cases))
    columns = list(dict.fromkeys(case.column for case in cases))
    by_cell = {case.cell: case for case in cases}
    figures = result.figures
    table = [["", *columns]]
    for row in rows:
        line = [row]
        for column in columns:
            case = by_cell.get((row, column))
            if case is None:
                line.append("")
            elif case.cannot:
                line.append(f"({case.cannot})")
            elif case.cell in result.failures:
                line.append("failed")
            elif case.cell in figures:
                line.append(figure_text(figures[case.cell], case.unit))
            else:
                line.append("–")
        table.append(line)
    return table


def _aims(result: Result) -> list[str]:
    return [f"{row[0]}: {row[2]} (asked {row[1]}), {row[3]}" for row in _aim_rows(result)]


def _aim_rows(result: Result) -> Sequence[list[str]]:
    rows = []
    for aim in result.suite.aims:
        reached = aim.reached(result.figures)
        if reached is None:
            rows.append([aim.text, aim.asked, "not measured", ""])
        else:
            rows.append([aim.text, aim.asked, aim.shown(reached[0]), _verdict(good=reached[1])])
    return rows


def _verdict(*, good: bool) -> str:
    return "reached" if good else "missed"
