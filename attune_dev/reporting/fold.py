"""One event more, folded into what the live board shows (pure)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from attune_dev.model.event import (
    Changed,
    Ended,
    EngineAway,
    EngineBack,
    Idle,
    NearlyDone,
    Notice,
    Output,
    Paused,
    Planned,
    Problem,
    Progress,
    Ready,
    Services,
    Started,
    Stopped,
    Unchanged,
)
from attune_dev.model.plan import ActionKind
from attune_dev.planning.together import COMPILES
from attune_dev.reporting.text import clean_line, listed, seconds_text, show_path
from attune_dev.reporting.view import (
    VERBS,
    Fault,
    Phase,
    Row,
    State,
    View,
    Work,
    fault_lines,
)
from attune_dev.reporting.words import changes_text, named, targets_text, why_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attune_dev.errors import AttuneDevError
    from attune_dev.model.event import Event
    from attune_dev.model.plan import Action

_ON_SERVICES = frozenset(
    {ActionKind.BUILD, ActionKind.RERUN, ActionKind.RECREATE, ActionKind.RESTART}
)


def fold(view: View, event: Event, at: float) -> View:
    """The board after an event.

    Args:
        view: the board before it.
        event: what happened.
        at: when, seconds since the epoch.
    """
    match event:
        case Changed() | Unchanged() | Planned():
            return _before(view, event, at)
        case Started() | Output() | Progress() | Ended():
            return _during(view, event, at)
        case Services() | Paused() | EngineAway() | EngineBack():
            return _around(view, event, at)
        case Ready() | Idle() | Problem() | Notice() | Stopped():
            return _about(view, event, at)
        case NearlyDone():
            return view


def _before(view: View, event: Changed | Unchanged | Planned, at: float) -> View:
    match event:
        case Changed(changes, note):
            paths = {path for change in changes for path in change.paths}
            told = view.telling(at, changes_text(changes, note))
            return replace(told, pending=tuple(sorted({*view.pending, *paths})))
        case Unchanged(paths):
            return view.telling(at, f"saved, no change: {listed([show_path(p) for p in paths])}")
        case Planned(plan):
            view = replace(view, plan=plan, phase=Phase.WORKING if plan else view.phase, since=at)
            for action in plan.actions:
                for name in _services(action):
                    row = view.row(name)
                    waiting = row.doing or State.WAITING
                    pending = row.pending | action.paths
                    view = view.with_row(replace(row, doing=waiting, pending=pending))
            return view


def _during(view: View, event: Started | Output | Progress | Ended, at: float) -> View:
    match event:
        case Started(action):
            doing = State.BUILDING if action.kind in COMPILES else State.STARTING
            services = _services(action)
            for name in services:
                view = view.with_row(replace(view.row(name), doing=doing))
            begun = Work(named(action), at, action.id, doing, frozenset(services))
            return replace(view.with_work(begun), phase=Phase.WORKING)
        case Output(action, line):
            work = _work(view, action)
            if work is None or not line.strip():
                return view
            return view.with_work(replace(work, line=clean_line(line.strip())))
        case Progress():
            if (work := _work(view, event.action)) is None:
                return view
            work = replace(
                work,
                line=clean_line(event.text),
                done=event.done,
                total=event.total,
                left=event.left,
                left_at=at,
            )
            return view.with_work(work)
        case Ended():
            return _ended(view.without_work(event.action.id), event, at)


def _work(view: View, action: Action | None) -> Work | None:
    return next((work for work in view.work if action and work.id == action.id), None)


def _ended(view: View, event: Ended, at: float) -> View:
    action = event.action
    view = _without_faults(view, action.kind.value, action.targets)
    took = f", {seconds_text(event.seconds)}" if event.seconds >= 0.05 else ""
    detail = f" ({clean_line(event.detail)})" if event.detail else ""
    if event.ok:
        verb = "already current" if event.outcome == "unchanged" else VERBS[action.kind]
        view = view.telling(at, f"{verb}: {targets_text(action)}{took}{detail}", ok=True)
        for name in _services(action):
            view = view.with_row(_well(view.row(name), event, at, view.doing(name)))
        return view
    view = view.telling(at, f"{event.outcome}: {named(action)}{took}", ok=False)
    if event.error is not None and event.outcome != "cancelled":
        view = _with_fault(view, action.kind.value, action.targets, event.error, at)
    for name in _services(action):
        if event.broken and name not in event.broken:
            view = view.with_row(_well(view.row(name), event, at, view.doing(name)))
            continue
        row = replace(view.row(name), doing=view.doing(name))
        if event.outcome == "failed":
            row = replace(row, failed=action.kind.value, failed_at=at)
        view = view.with_row(row)
    return view


def _well(row: Row, event: Ended, at: float, doing: State | None) -> Row:
    """A service after an action on it that went well; ``doing``: what else is done with it."""
    action, changed = event.action, row.name in event.changed
    row = replace(row, failed="" if row.failed == action.kind.value else row.failed)
    swap = event.via == "swap"
    if action.kind is ActionKind.BUILD:
        swapped = (row.swapped or changed) if swap else row.swapped and not changed
        row = replace(row, swapped=swapped, doing=State.WAITING)
        if not swap:
            return row
    edits = tuple(sorted(action.paths)) or row.edits
    row = replace(row, doing=doing, pending=row.pending - action.paths)
    if action.paths:
        row = replace(row, edits=edits, edits_at=at)
    if changed or not row.action:
        verb = "swapped" if swap else VERBS[action.kind] if changed else "checked"
        row = replace(row, action=verb, action_at=at, why=why_text(action))
    return row


def _around(view: View, event: Services | Paused | EngineAway | EngineBack, at: float) -> View:
    match event:
        case Services(states):
            known = {state.name: state for state in states}
            names = sorted({*known, *(row.name for row in view.rows)})
            rows = tuple(replace(view.row(name), engine=known.get(name)) for name in names)
            return replace(view, rows=rows)
        case Paused(on):
            phase = Phase.PAUSED if on else Phase.WORKING
            told = view.telling(at, "paused" if on else "going on")
            return replace(told, paused=on, phase=phase, since=at)
        case EngineAway(why):
            told = view.telling(at, f"the engine is away: {clean_line(why)}", ok=False)
            return replace(told, away=True, phase=Phase.AWAY, since=at)
        case EngineBack():
            told = view.telling(at, "the engine is back", ok=True)
            return replace(told, away=False, phase=Phase.WORKING, since=at)


def _about(view: View, event: Ready | Idle | Problem | Notice | Stopped, at: float) -> View:
    match event:
        case Ready(seconds, urls):
            told = view.telling(at, f"ready after {seconds_text(seconds)}", ok=True)
            return replace(told, urls=dict(urls))
        case Idle():
            return _idle(view, event, at)
        case Problem(error):
            told = view.telling(at, clean_line(error.what), ok=False)
            return _with_fault(told, "", (), error, at)
        case Notice(text):
            return view.telling(at, clean_line(text))
        case Stopped():
            return replace(view, phase=Phase.STOPPED, since=at, work=())


def _idle(view: View, event: Idle, at: float) -> View:
    phase = Phase.LIVE if event.ok else Phase.FAILED
    phase = Phase.PAUSED if view.paused else Phase.AWAY if view.away else phase
    rows = []
    failures = {name: work for work in event.work for name in work.targets}
    for row in view.rows:
        work = failures.get(row.name)
        mended = replace(row, doing=None, failed="", pending=frozenset())
        if work is not None:
            mended = replace(
                mended, failed=work.kind, failed_at=work.at, pending=frozenset(work.paths)
            )
        rows.append(mended)
    kept = () if event.ok else view.faults
    if not event.ok:
        for work in event.work:
            if work.error is None or not work.kind:
                continue
            fault = Fault(work.kind, work.targets, fault_lines(work.error), work.at)
            if not any(_same_fault(fault, other) for other in kept):
                kept = (fault, *kept)
    view = replace(view, rows=tuple(rows), faults=kept, pending=event.pending, work=())
    return replace(view, phase=phase, since=at)


def _same_fault(one: Fault, other: Fault) -> bool:
    """Whether both tell the same: of the same work, or, outside of actions, in the same words."""
    of_same = one.kind == other.kind and not set(one.targets).isdisjoint(other.targets)
    return of_same or one.lines == other.lines


def _with_fault(
    view: View, kind: str, targets: tuple[str, ...], error: AttuneDevError, at: float
) -> View:
    lines = fault_lines(error)
    others = tuple(fault for fault in view.faults if fault.lines != lines)
    return replace(view, faults=(Fault(kind, targets, lines, at), *others))


def _without_faults(view: View, kind: str, targets: Iterable[str]) -> View:
    mended = set(targets)
    kept = tuple(f for f in view.faults if f.kind != kind or not mended & set(f.targets))
    return replace(view, faults=kept)


def _services(action: Action) -> tuple[str, ...]:
    return action.targets if action.kind in _ON_SERVICES else ()
