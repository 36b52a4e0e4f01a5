from __future__ import annotations

from attune_dev.model.event import Event, Idle, Notice
from attune_dev.reporting.reporter import Lines, with_bell


def test_the_bell_rings_at_a_failure_and_at_its_recovery() -> None:
    told: list[Event | str] = []
    tell = with_bell(told.append, lambda: told.append("ring"))
    events: list[Event] = [
        Idle(ok=True),
        Idle(ok=False),
        Notice("x"),
        Idle(ok=False),
        Idle(ok=True),
    ]
    for event in events:
        tell(event)
    assert told == [
        *(Idle(ok=True), Idle(ok=False), "ring", Notice("x")),
        *(Idle(ok=False), Idle(ok=True), "ring"),
    ]


def test_what_others_print_becomes_whole_lines() -> None:
    told: list[str] = []
    print("one\n\ntw", end="", file=Lines(told.append))
    stream = Lines(told.append)
    for part in ("th", "ree\nfo", "ur\n"):
        stream.write(part)
    assert told == ["one", "three", "four"]
