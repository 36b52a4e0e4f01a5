"""What is told while work goes on: values that reporters fold, print or write down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attune_dev.errors import AttuneDevError
    from attune_dev.model.change import Change
    from attune_dev.model.plan import Action, Plan


@dataclass(frozen=True, slots=True)
class Ready:
    """The stack is up and changes are watched.

    Attributes:
        seconds: since the start.
        urls: service to address, for those that answer on the host.
    """

    seconds: float
    urls: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """Files changed.

    Attributes:
        changes: the net difference since the last look.
        note: where they come from if not from an edit just now, e.g. ``while nobody watched``.
    """

    changes: tuple[Change, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Files were saved, no byte changed."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be done and what is left alone."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Started:
    """An action starts; ``via`` is ``image`` or ``swap`` for a build."""

    action: Action
    via: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A line that an action printed."""

    action: Action | None
    line: str


@dataclass(frozen=True, slots=True)
class Ended:
    """An action ended.

    Attributes:
        action: which.
        ok: whether what it makes is current now.
        seconds: how long it took.
        outcome: ``succeeded``, ``unchanged``, ``failed``, ``skipped`` or ``cancelled``.
        via: ``image`` or ``swap`` for a build.
        detail: one line of what it did: ``4 built, 1 changed``.
        built: how many images or binaries a build made, for the summary.
        changed: targets whose content differs from before.
        error: what went wrong.
    """

    action: Action
    ok: bool
    seconds: float
    outcome: str = ""
    via: str = ""
    detail: str = ""
    built: int = 0
    changed: tuple[str, ...] = ()
    error: AttuneDevError | None = None


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing runs and nothing can run without a new change.

    Attributes:
        ok: whether what runs is what is on disk.
        failed: targets whose last action failed, sorted.
        pending: paths that have not reached what runs, sorted.
        seconds: since the batch was taken up, 0 where nothing ran.
    """

    ok: bool
    failed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Problem:
    """Something went wrong outside of an action, or an action's error in full."""

    error: AttuneDevError


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth one line that is neither progress nor an error."""

    text: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The loop ends, with this exit code and for this reason."""

    code: int
    reason: str = ""


Event = (
    Ready
    | Changed
    | Unchanged
    | Planned
    | Started
    | Output
    | Ended
    | Idle
    | Problem
    | Notice
    | Stopped
)


def to_dict(event: Event) -> dict[str, Any] | None:
    """The event as a line of ``--events`` has it, without its time.

    Returns:
        ``None`` for what only people are told.
    """
    match event:
        case Ready():
            return {"event": "ready", "seconds": _round(event.seconds), "urls": dict(event.urls)}
        case Changed():
            note = {"note": event.note} if event.note else {}
            return {"event": "change", "changes": [c.to_dict() for c in event.changes]} | note
        case Planned():
            return {"event": "plan"} | event.plan.to_dict()
        case Started():
            return {"event": "start"} | _action(event.action, event.via)
        case Output():
            told = {} if event.action is None else _action(event.action, "")
            return {"event": "output"} | told | {"line": event.line}
        case Ended():
            told = {"event": "end"} | _action(event.action, event.via)
            told |= {"ok": event.ok, "seconds": _round(event.seconds), "outcome": event.outcome}
            return told | {"changed": list(event.changed)}
        case Idle():
            told = {"event": "idle", "ok": event.ok, "failed": list(event.failed)}
            return told | {"pending": list(event.pending)}
        case Problem():
            return {"event": "error"} | error_to_dict(event.error)
        case Stopped():
            return {"event": "stop", "code": event.code, "reason": event.reason}
        case Unchanged() | Notice():
            return None


def error_to_dict(error: AttuneDevError) -> dict[str, Any]:
    """An error as events and ``--json`` documents show it."""
    told: dict[str, Any] = {"message": error.what, "hint": error.hint}
    if error.why:
        told["why"] = error.why
    if error.file is not None:
        told["file"] = error.file
    if error.line is not None:
        told["line"] = error.line
    return told


def _action(action: Action, via: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": action.id,
        "action": action.kind.value,
        "targets": list(action.targets),
    }
    return told | ({"via": via} if via else {})


def _round(seconds: float) -> float:
    return round(seconds, 3)
