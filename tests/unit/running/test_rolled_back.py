from __future__ import annotations

from pathlib import Path

from attune_dev.running import rolled_back


def test_it_is_kept_until_it_is_forgotten(tmp_path: Path) -> None:
    assert rolled_back.noted(tmp_path) == {}
    rolled_back.forget(tmp_path)
    rolled_back.note(tmp_path, "web", ["b", "a"])
    rolled_back.note(tmp_path, "api", ["c"])
    rolled_back.note(tmp_path, "web", ["d"])
    assert rolled_back.noted(tmp_path) == {"api": frozenset("c"), "web": frozenset("d")}
    rolled_back.forget(tmp_path, ["web", "other"])
    assert rolled_back.noted(tmp_path) == {"api": frozenset("c")}
    rolled_back.forget(tmp_path)
    assert rolled_back.noted(tmp_path) == {}


def test_what_cannot_be_read_is_nothing(tmp_path: Path) -> None:
    rolled_back.note(tmp_path, "web", ["a"])
    for text in ("", "[]", "{", '{"web": 1}'):
        (tmp_path / ".attune-dev" / rolled_back.FILE).write_text(text)
        assert rolled_back.noted(tmp_path) == {}
