"""The record of builds: kept through crashes and a broken file; never in the way."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from attune_dev.history import store
from attune_dev.history.rows import ActionRow, RunRow, TargetRow
from attune_dev.history.store import FILE, History
from attune_dev.state import STATE_DIRECTORY

TARGET = TargetRow("api", "compiled", changed=True, seconds=3.5, size=1000)
BUILD = ActionRow(
    *("build", "succeeded", 4.5, "image", "release", 12, 9),
    compiled=("attune-common", "attune-api"),
    targets=(TARGET,),
)
FAILED = ActionRow("recreate", "failed", 0.5, error="no")
RUN = RunRow(1700000000.5, 5.0, ok=True, actions=(BUILD, FAILED))


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def history(tmp_path: Path, told: list[str]) -> History:
    return History(tmp_path, told.append)


def path_of(root: Path) -> Path:
    return root / STATE_DIRECTORY / FILE


def test_what_is_recorded_is_read_again(history: History, tmp_path: Path, told: list[str]) -> None:
    assert history.record(RUN)
    assert history.record(RunRow(1.0, 2.0, ok=False))
    assert history.runs() == (RunRow(1.0, 2.0, ok=False), RUN)
    assert [b.compiled for b in history.builds()] == [("attune-common", "attune-api")]
    assert path_of(tmp_path).stat().st_mode & 0o077 == 0
    assert told == []


def test_asking_makes_no_file(history: History, tmp_path: Path) -> None:
    assert history.builds() == ()
    assert not path_of(tmp_path).exists()


def test_builds_that_failed_or_compiled_nothing_tell_nothing(history: History) -> None:
    idle = ActionRow("build", "unchanged", 1.0)
    broken = ActionRow("build", "failed", 1.0, compiled=("attune-api",))
    history.record(RunRow(1.0, 1.0, ok=False, actions=(idle, broken)))
    assert history.builds() == ()


@pytest.mark.parametrize(
    "rubbish", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_broken_file_is_moved_aside_and_told(
    tmp_path: Path, history: History, told: list[str], rubbish: bytes
) -> None:
    path_of(tmp_path).parent.mkdir(mode=0o700)
    path_of(tmp_path).write_bytes(rubbish)
    assert history.record(RUN)
    assert history.runs() == (RUN,)
    [line] = told
    [aside] = path_of(tmp_path).parent.glob(f"{FILE}.broken-*")
    assert aside.name in line
    assert aside.read_bytes() == rubbish


def test_a_file_cut_short_is_no_disaster(tmp_path: Path, history: History, told: list[str]) -> None:
    for number in range(50):
        history.record(RunRow(float(number), 1.0, ok=True, actions=(BUILD,)))
    whole = path_of(tmp_path).read_bytes()
    path_of(tmp_path).write_bytes(whole[: len(whole) // 2])
    history.builds()
    history.record(RUN)
    assert len(told) == 1
    again: list[str] = []
    assert History(tmp_path, again.append).record(RUN) or again


def test_a_later_version_is_left_alone(tmp_path: Path, history: History, told: list[str]) -> None:
    history.record(RUN)
    db = sqlite3.connect(path_of(tmp_path))
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = path_of(tmp_path).read_bytes()
    assert not history.record(RUN)
    assert "later version" in told[0]
    assert path_of(tmp_path).read_bytes() == before


def test_a_place_that_cannot_be_written_is_told_once(tmp_path: Path, told: list[str]) -> None:
    (tmp_path / STATE_DIRECTORY).write_text("in the way")
    history = History(tmp_path, told.append)
    assert not history.record(RUN)
    assert not history.record(RUN)
    assert len(told) == 1


def test_who_waits_too_long_goes_on_without(
    tmp_path: Path, history: History, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "WAIT_SECONDS", 0.0)
    history.record(RUN)
    other = sqlite3.connect(path_of(tmp_path), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert not history.record(RUN)
    assert "locked" in told[0]
    other.execute("ROLLBACK")
    other.close()
    assert history.record(RUN)
    assert len(history.runs()) == 2


def test_old_runs_are_dropped(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "KEPT_RUNS", 3)
    for number in range(5):
        history.record(RunRow(float(number), 1.0, ok=True, actions=(BUILD,)))
    assert [run.started for run in history.runs()] == [4.0, 3.0, 2.0]
    assert len(history.builds()) == 3
