"""What plans, changes and failures are called, one line each (pure but for the local time)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from attune_dev.model.change import ChangeKind
from attune_dev.reporting.text import counted, listed, show_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.model.change import Change
    from attune_dev.model.event import Idle
    from attune_dev.model.plan import Action, Plan

MOST_FILES = 5
MOST_CAUSES = 2


def clock_of(at: float) -> str:
    """``HH:MM:SS``, local time, of seconds since the epoch."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def waiting_lines(idle: Idle, clock: Callable[[float], str]) -> list[str]:
    """What is not live and why: ``api: build failed 14:02, 3 changes pending (…)``.

    Args:
        idle: how things stand.
        clock: seconds since the epoch as a time of day.
    """
    lines = []
    for work in idle.work:
        who = ", ".join(work.targets)
        what = f"{work.kind} failed" if work.kind else "could not be planned"
        told = f"{who}: {what}" if who else what
        lines.append(f"{told} {clock(work.at)[:5]}{_pending(work.paths, ', ')}")
    known = {path for work in idle.work for path in work.paths}
    if rest := tuple(path for path in idle.pending if path not in known):
        lines.append(_pending(rest))
    return lines or ["not all is live"]


def failing_text(kind: str, pending: int, when: str) -> str:
    """``build failed 14:02, 3 changes pending``; empty where nothing failed and nothing waits."""
    waiting = f"{counted(pending, 'change')} pending" if pending else ""
    failed = f"{kind} failed {when}" if kind else ""
    return ", ".join(part for part in (failed, waiting) if part)


def _pending(paths: tuple[str, ...], before: str = "") -> str:
    if not paths:
        return ""
    names = listed([show_path(path) for path in paths])
    return f"{before}{counted(len(paths), 'change')} pending ({names})"


def plan_lines(plan: Plan) -> list[str]:
    """What a plan does and why, then what it leaves alone; one line each, without ids."""
    lines = [f"{named(action)}: {why_text(action)}" for action in plan.actions]
    by_reason: dict[str, list[str]] = {}
    for item in plan.ignored:
        by_reason.setdefault(item.reason, []).append(show_path(item.path))
    lines += [f"left alone: {listed(paths)}: {why}" for why, paths in by_reason.items()]
    return lines


def named(action: Action) -> str:
    """What is done and to what: ``build api, executor``."""
    return f"{action.kind.value} {targets_text(action)}".rstrip()


def targets_text(action: Action) -> str:
    """What something is done to."""
    return ", ".join(show_path(name) for name in action.targets)


def why_text(action: Action) -> str:
    """The causes, those with the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for cause in action.because:
        by_reason.setdefault(cause.reason, []).append(cause.path)
    told = []
    for reason, paths in by_reason.items():
        named = [show_path(path) for path in dict.fromkeys(paths) if path]
        told.append((f"{listed(named, 2)}: " if named else "") + reason)
    shown = "; ".join(told[:MOST_CAUSES])
    return shown if len(told) <= MOST_CAUSES else f"{shown}; and {len(told) - MOST_CAUSES} more"


def changes_text(changes: tuple[Change, ...], note: str) -> str:
    """What changed, and where that comes from: the first files, and how many more."""
    told = [_change(change) for change in changes[:MOST_FILES]]
    if len(changes) == 1:
        text = f"changed {told[0]}"
    else:
        more = f" and {len(changes) - MOST_FILES:,} more" if len(changes) > MOST_FILES else ""
        text = f"{counted(len(changes), 'file')} changed: {', '.join(told)}{more}"
    return f"{text} ({note})" if note else text


def _change(change: Change) -> str:
    path = show_path(change.path)
    if change.kind is ChangeKind.MODIFIED:
        return path
    if change.moved_from is not None:
        return f"{path} (moved from {show_path(change.moved_from)})"
    return f"{path} ({change.kind.value})"
