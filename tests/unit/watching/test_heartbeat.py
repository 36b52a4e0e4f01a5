from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.watching.watcher import ANSWER_SECONDS, HEARTBEAT_SECONDS, _Heartbeat

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def beat(folder: Path, now: list[float]) -> _Heartbeat:
    made = _Heartbeat(folder, lambda: now[0])
    made.prepare()
    now[0] += HEARTBEAT_SECONDS
    return made


def test_a_beat_that_nobody_hears_is_missed(tmp_path: Path) -> None:
    now = [0.0]
    made = beat(tmp_path, now)
    made.tick()
    assert not made.missed()
    now[0] += ANSWER_SECONDS + 1
    assert made.missed()


def test_a_beat_that_is_heard_before_its_file_is_made_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    made = beat(tmp_path, now)
    touch = type(tmp_path).touch

    def touch_and_hear(path: Path) -> None:
        touch(path)
        made.heard(path.name)  # the thread that listens was quicker

    monkeypatch.setattr(type(tmp_path), "touch", touch_and_hear)
    made.tick()
    now[0] += ANSWER_SECONDS + 1
    assert not made.missed()


def test_a_folder_that_is_gone_proves_nothing(tmp_path: Path) -> None:
    now = [0.0]
    made = beat(tmp_path / "gone", now)
    (tmp_path / "gone").rmdir()
    made.tick()
    now[0] += ANSWER_SECONDS + 1
    assert not made.missed()
