"""Events and errors as JSON values: what ``--events`` and ``--json`` show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attune_dev.model.event import (
    Changed,
    Ended,
    EngineAway,
    Idle,
    Output,
    Planned,
    Problem,
    Ready,
    Started,
    Stopped,
)

if TYPE_CHECKING:
    from attune_dev.errors import AttuneDevError
    from attune_dev.model.event import Event
    from attune_dev.model.plan import Action


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
            told |= {"failed": list(event.broken)} if event.broken else {}
            return told | {"changed": list(event.changed)}
        case Idle():
            told = {"event": "idle", "ok": event.ok, "failed": list(event.failed)}
            return told | {"pending": list(event.pending)}
        case Problem():
            return {"event": "error"} | error_to_dict(event.error)
        case Stopped():
            return {"event": "stop", "code": event.code, "reason": event.reason}
        case EngineAway():
            lost = {"message": "the engine does not answer", "hint": "start it", "why": event.why}
            return {"event": "error"} | lost
        case _:  # for people only
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
