"""How the board's parts share a terminal of any size (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.reporting.text import counted, seconds_text, show_path
from attune_dev.reporting.view import State
from attune_dev.reporting.words import failing_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attune_dev.reporting.view import Row, View, Work

ROOMY = 20  # lines from which on parts have an empty line between them
HEADED = 14  # lines from which on the table has a head
MEDIUM, WIDE, WIDEST = 50, 90, 116  # columns from which on the table has one more column
LEAST_FAULT = 3
LEAST_NAME = 10  # columns for what runs, however far it is
_CALM = frozenset({State.LIVE, State.DONE, State.SWAPPED})


@dataclass(frozen=True, slots=True)
class Share:
    """Lines for each part.

    Attributes:
        faults: what is wrong, with its empty line.
        work: what runs.
        rows: services, without the table's head.
        head: whether the table has one.
        done: what happened last.
        gap: whether parts have an empty line between them.
    """

    faults: int
    work: int
    rows: int
    head: bool
    done: int
    gap: bool


def share(height: int, *, faults: int, working: int, rows: int, done: int) -> Share:
    """Shares a terminal's lines: errors first, then what runs, the services, the past.

    Args:
        height: lines of the terminal.
        faults: lines that would tell all that is wrong.
        working: how many actions run.
        rows: how many services there are.
        done: how many things have happened.
    """
    gap, head = height >= ROOMY, height >= HEADED and rows > 0
    left = max(0, height - 2 - (1 if gap else 0))  # headline and footer
    work = min(left, working + 1 if gap and working else min(1, working))
    left -= work + (1 if gap and work else 0)
    fault = min(faults, max(LEAST_FAULT, left // 2), max(0, left))
    left -= fault + (1 if gap and fault else 0)
    table = min(rows, max(0, left - head))
    left -= table + head + (1 if gap and table else 0)
    return Share(fault, work, table, head, max(0, min(done, left)), gap)


def rows_shown(rows: Sequence[Row], room: int, selected: str = "") -> tuple[tuple[Row, ...], int]:
    """The rows there is room for, those that need attention before those that do not.

    Returns:
        The rows in their order, and how many are left out.
    """
    if len(rows) <= room:
        return tuple(rows), 0
    room = max(0, room - 1)  # one line tells how many are left out
    ranked = sorted(
        range(len(rows)),
        key=lambda at: (
            rows[at].name != selected,
            rows[at].state in _CALM,
            rows[at].state is State.DONE,
            at,
        ),
    )
    kept = sorted(ranked[:room])
    return tuple(rows[at] for at in kept), len(rows) - len(kept)


def columns(width: int) -> tuple[str, ...]:
    """The table's columns in a terminal of this width."""
    if width < MEDIUM:
        return ("service", "state", "note")
    if width < WIDE:
        return ("service", "state", "health", "note")
    if width < WIDEST:
        return ("service", "state", "health", "live edit", "note")
    return ("service", "state", "health", "live edit", "last action", "note")


def cells(row: Row, names: Sequence[str], clock: Callable[[float], str]) -> tuple[str, ...]:
    """A row's words in these columns.

    Args:
        row: which.
        names: out of :func:`columns`.
        clock: seconds since the epoch as a time of day.
    """
    last = f"{row.action} {clock(row.action_at)}" if row.action else ""
    edit = _edit(row, clock)
    waiting = pending_text(row, clock)
    shown = {"live edit", "last action"} & set(names)
    note = waiting or " ".join(
        part
        for part in (
            edit if "live edit" not in shown else "",
            last if "last action" not in shown else row.why,
        )
        if part
    )
    texts = {
        "service": show_path(row.name),
        "state": row.state.value,
        "health": row.health,
        "live edit": edit,
        "last action": last,
        "note": note,
    }
    return tuple(texts[name] for name in names)


def pending_text(row: Row, clock: Callable[[float], str]) -> str:
    """``build failed 14:02, 3 changes pending``; empty where nothing waits."""
    return failing_text(row.failed, len(row.pending), clock(row.failed_at)[:5])


def work_lines(works: Sequence[Work], now: float, width: int, room: int) -> list[tuple[str, bool]]:
    """What runs, and whether each line is a headline; how far the first is where there is room."""
    first, *rest = works
    heads = [(_working(work, now, width, told=True), True) for work in rest][: room - 1]
    if room - len(heads) < 2:
        return [(_working(first, now, width, told=True), True), *heads]
    progress = (_bar(first, min(40, width - 4)), first.line)
    below = ("  ".join(part for part in progress if part), False)
    return [(_working(first, now, width), True), below, *heads]


def _working(work: Work, now: float, width: int, *, told: bool = False) -> str:
    """One line: what runs, for how long, how far it is and, where wanted, what it says."""
    far = f", {seconds_text(max(0.0, now - work.started))}"
    if work.total:
        far += f", {min(work.done, work.total)} of {work.total}"
    elif work.done:
        far += f", {work.done}"
    if work.left is not None:
        left = work.left - (now - work.left_at)
        far += f", about {seconds_text(left)} left" if left > 0 else ", longer than usual"
    room = max(LEAST_NAME, width - len(far))
    text = work.text if len(work.text) <= room else f"{work.text[: room - 3].rstrip(' ,')}..."
    line = text + far
    return f"{line}: {work.line}" if told and work.line and len(line) + 4 < width else line


def fault_block(view: View, room: int) -> list[tuple[str, bool]]:
    """The lines that tell what is wrong, and whether each is a headline.

    Where there is not room for all, each error keeps its place, the newest its text.
    """
    blocks = [fault.lines for fault in view.faults]
    lines = [(line, at == 0) for block in blocks for at, line in enumerate(block)]
    if len(lines) <= room:
        return lines
    heads = [(block[0], True) for block in blocks[1:]]
    kept = max(1, room - len(heads))
    first = [(line, at == 0) for at, line in enumerate(blocks[0][:kept])]
    if len(blocks[0]) > kept > 1:
        first[-1] = (f"  ... {counted(len(blocks[0]) - kept + 1, 'line')} more", False)
    return [*first, *heads][:room]


def _bar(work: Work, width: int) -> str:
    if not work.total or width < 10:  # shorter ones tell nothing
        return ""
    full = min(width, round(width * min(1.0, work.done / work.total)))
    return "[" + "#" * full + "." * (width - full) + "]"


def _edit(row: Row, clock: Callable[[float], str]) -> str:
    if not row.edits:
        return ""
    more = f" +{len(row.edits) - 1}" if len(row.edits) > 1 else ""
    return f"{clock(row.edits_at)[:5]} {show_path(row.edits[0])}{more}"
