from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from attune_dev.errors import ActionError, ConfigError, EnvironmentLacksError
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.event import (
    Changed,
    Ended,
    Event,
    Idle,
    Notice,
    Output,
    Planned,
    Problem,
    Ready,
    Started,
    Stopped,
    Unchanged,
)
from attune_dev.model.plan import Action, ActionKind, Because, Plan
from attune_dev.reporting.jsonl import JsonLines
from attune_dev.reporting.reporter import watching_reporter

BUILD = Action(1, ActionKind.BUILD, ("api",), (), (Because("a.rs", "compiles attune-api"),))
PLAN = Plan((Change("a.rs"),), (BUILD,))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def written(file: Path, *events: Event) -> list[dict[str, Any]]:
    lines = JsonLines(file, pytest.fail, now=lambda: 1_700_000_000.1234)
    for event in events:
        lines(event)
    lines.close()
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]


def test_every_event_has_its_time_and_name(file: Path) -> None:
    documents = written(file, Ready(1.0), Idle(ok=True), Stopped(130, "interrupted"))
    assert [d["event"] for d in documents] == ["ready", "idle", "stop"]
    assert {d["t"] for d in documents} == {1_700_000_000.123}


def test_change_and_plan_carry_what_inv_plan_shows(file: Path) -> None:
    moved = Change("b.rs", ChangeKind.MOVED, "c.rs")
    change, plan = written(file, Changed((moved,)), Planned(PLAN))
    assert change["changes"] == [{"path": "b.rs", "kind": "moved", "from": "c.rs"}]
    assert {k: v for k, v in plan.items() if k not in {"t", "event"}} == PLAN.to_dict()


def test_start_and_end_carry_the_action(file: Path) -> None:
    start, output, end = written(
        file,
        Started(BUILD, "image"),
        Output(BUILD, "Compiling"),
        Ended(BUILD, ok=True, seconds=6.25, outcome="succeeded", via="image", changed=("api",)),
    )
    named = {"id": 1, "action": "build", "targets": ["api"]}
    assert start.items() >= (named | {"event": "start", "via": "image"}).items()
    assert output.items() >= (named | {"event": "output", "line": "Compiling"}).items()
    assert end.items() >= (named | {"ok": True, "seconds": 6.25, "via": "image"}).items()


def test_idle_tells_what_failed_and_what_is_pending(file: Path) -> None:
    [idle] = written(file, Idle(ok=False, failed=("api",), pending=("a.rs",), seconds=1.0))
    assert idle["ok"] is False
    assert idle["failed"] == ["api"]
    assert idle["pending"] == ["a.rs"]


def test_a_failed_action_is_its_end_and_an_error(file: Path) -> None:
    error = ActionError("the build of api failed", why="E0425", hint="save", file="a.rs", line=3)
    end, told = written(file, Ended(BUILD, ok=False, seconds=1.0, outcome="failed", error=error))
    assert end["ok"] is False
    assert told["event"] == "error"
    assert (told["message"], told["hint"]) == ("the build of api failed", "save")
    assert (told["file"], told["line"]) == ("a.rs", 3)


def test_an_error_without_a_place_names_none(file: Path) -> None:
    [told] = written(file, Problem(ConfigError("wrong")))
    assert told.keys() == {"t", "event", "message", "hint"}


def test_what_only_people_are_told_is_not_written(file: Path) -> None:
    assert written(file, Notice("waiting"), Unchanged(("a",))) == []


def test_names_that_are_no_utf8_are_valid_json(file: Path) -> None:
    [told] = written(file, Changed((Change("caf\udce9\n"),)))
    assert told["changes"][0]["path"] == "caf\udce9\n"


def test_lines_are_appended(file: Path) -> None:
    written(file, Idle(ok=True))
    assert len(written(file, Idle(ok=True))) == 2


def test_a_file_that_cannot_be_opened_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentLacksError, match="cannot write events"):
        JsonLines(tmp_path / "missing/events", pytest.fail)


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="the system has no /dev/full")
def test_a_full_disk_is_told_once_and_stops_nobody() -> None:
    warnings: list[str] = []
    lines = JsonLines(Path("/dev/full"), warnings.append)
    for _ in range(3):
        lines(Idle(ok=True))
    lines.close()
    assert len(warnings) == 1
    assert "No space left on device" in warnings[0]


def test_a_line_that_was_cut_short_does_not_spoil_the_next(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = JsonLines(file, pytest.fail)
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:10]))
    lines(Idle(ok=True))
    monkeypatch.undo()
    lines(Idle(ok=True))
    lines.close()
    last = file.read_text().splitlines()[-1]
    assert json.loads(last)["event"] == "idle"


def test_a_loop_tells_people_and_the_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with watching_reporter(file) as tell:
        tell(Idle(ok=True))
    assert json.loads(file.read_text())["event"] == "idle"
    assert "live" in capsys.readouterr().out
