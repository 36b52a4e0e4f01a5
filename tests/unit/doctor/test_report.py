"""What checks find, and how it is told."""

from __future__ import annotations

from attune_dev.doctor.report import Check, Finding, Level, NotKnown, examine
from attune_dev.errors import ConfigError


def _nothing() -> tuple[Finding, ...]:
    return ()


def _never() -> tuple[Finding, ...]:
    raise AssertionError


def test_all_well_is_one_line() -> None:
    report = examine([Check("engine", _nothing), Check("packs", _nothing)])
    assert report.ok
    assert report.lines() == ["2 of 2 checks: all well"]


def test_each_finding_has_its_next_step_below() -> None:
    fault = Finding("a.yaml", "is wrong", "mend it", why="line one\nline two")
    note = Finding("", "the stack is not up", "./inv up", Level.NOTE)
    report = examine([Check("packs", lambda: [fault]), Check("services", lambda: [note])])
    assert not report.ok
    assert report.lines() == [
        "fault  packs     a.yaml: is wrong",
        "                 line one",
        "                 line two",
        "                 fix: mend it",
        "note   services  the stack is not up",
        "                 fix: ./inv up",
        "2 of 2 checks: 1 fault, 1 note",
    ]


def test_notes_alone_are_no_fault() -> None:
    note = Finding("", "good to know", level=Level.NOTE)
    report = examine([Check("loop", lambda: [note, note])])
    assert report.ok
    assert report.lines()[-1] == "1 of 1 checks: 2 notes"


def test_an_error_is_a_finding_and_stops_no_other_check() -> None:
    def broken() -> tuple[Finding, ...]:
        raise ConfigError("bad YAML", why="a tab", hint="use spaces", file="compose.yaml", line=3)

    report = examine([Check("definitions", broken), Check("packs", _nothing)])
    assert report.lines()[:3] == [
        "fault  definitions  compose.yaml:3: bad YAML",
        "                    a tab",
        "                    fix: use spaces",
    ]
    assert [check.outcome for check in report.checks] == ["faults", "ok"]


def test_what_a_check_would_stumble_over_is_told_once() -> None:
    fault = Finding("", "it does not answer", "start it")
    checks = [
        Check("engine", lambda: [fault]),
        Check("volume", _never, ("engine",)),
        Check("services", _never, ("volume",)),
    ]
    report = examine(checks)
    assert [check.outcome for check in report.checks] == ["faults", "unknown", "unknown"]
    assert report.lines()[2:] == [
        "       volume    not known: see engine",
        "       services  not known: see engine",
        "1 of 3 checks: 1 fault",
    ]


def test_what_nobody_can_tell_is_no_fault() -> None:
    def silent() -> tuple[Finding, ...]:
        raise NotKnown("no service runs")

    report = examine([Check("volume", silent)])
    assert report.ok
    assert report.lines() == [
        "       volume  not known: no service runs",
        "0 of 1 checks: all well",
    ]


def test_json_has_every_check_with_what_it_found() -> None:
    fault = Finding("core", "differs", "./inv packs.sync", why="a\nb")
    document = examine([Check("engine", _nothing), Check("volume", lambda: [fault])]).to_dict()
    assert document["version"] == 1
    assert document["ok"] is False
    assert [(target["name"], target["outcome"]) for target in document["targets"]] == [
        ("engine", "ok"),
        ("volume", "faults"),
    ]
    assert document["targets"][1]["findings"] == [
        {
            "name": "core",
            "level": "fault",
            "what": "differs",
            "why": "a\nb",
            "hint": "./inv packs.sync",
        }
    ]
