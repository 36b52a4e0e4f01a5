"""What dead runs have left in a checkout, and who watches it."""

from __future__ import annotations

from pathlib import Path

from attune_dev.doctor.remains import of_scratch
from attune_dev.history.store import FILE, History
from attune_dev.state import STATE_DIRECTORY, state_directory
from attune_dev.watching.lock import loop_of, only_loop


def test_a_folder_of_a_killed_build_is_told(tmp_path: Path) -> None:
    assert list(of_scratch(tmp_path)) == []
    (state_directory(tmp_path) / "pack-binaries-abc").mkdir()
    (state_directory(tmp_path) / "pack-binaries.json").write_text("{}")
    (found,) = of_scratch(tmp_path)
    assert found.name == ".attune-dev/pack-binaries-abc"
    assert found.hint == "rm -r .attune-dev/pack-binaries-abc"


def test_who_watches_is_known_as_long_as_it_does(tmp_path: Path) -> None:
    with only_loop(tmp_path):
        holder = loop_of(tmp_path)
        assert holder is not None
        assert holder.what == "inv dev"
    assert loop_of(tmp_path) is None


def test_looking_makes_no_state_directory(tmp_path: Path) -> None:
    assert loop_of(tmp_path) is None
    assert History(tmp_path, print).runs() == ()
    assert not (tmp_path / STATE_DIRECTORY).exists()
    state_directory(tmp_path)
    assert History(tmp_path, print).runs() == ()
    assert not (tmp_path / STATE_DIRECTORY / FILE).exists()
