from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from attune_dev.errors import ActionError, EnvironmentLacksError
from attune_dev.planning.ledger import Edit, Ledger
from attune_dev.state import read_json, state_directory, write_json
from attune_dev.watching.content import FileState
from attune_dev.watching.lock import ACTING, LOOP, Lock, acting, only_loop
from attune_dev.watching.record import UNKNOWN, Record, applied
from attune_dev.watching.snapshot import Snapshot

FILES = {"a.rs": FileState("aa", 1, 2, 3, 4), "caf\udce9": FileState("bb+x", 5, 6, 7, 8)}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_the_state_directory_is_private_and_ignored(tmp_path: Path) -> None:
    directory = state_directory(tmp_path)
    assert mode(directory) == 0o700
    assert (directory / ".gitignore").read_text() == "*\n"
    assert (directory / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f")
    assert mode(directory / ".gitignore") == 0o600


def test_a_state_directory_that_others_may_enter_is_closed(tmp_path: Path) -> None:
    (tmp_path / ".attune-dev").mkdir(mode=0o777)
    (tmp_path / ".attune-dev").chmod(0o777)
    assert mode(state_directory(tmp_path)) == 0o700


@pytest.mark.parametrize("make", ["link", "file"])
def test_what_is_no_folder_is_refused(tmp_path: Path, make: str) -> None:
    if make == "link":
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / ".attune-dev").symlink_to("elsewhere")
    else:
        (tmp_path / ".attune-dev").write_text("")
    with pytest.raises(EnvironmentLacksError):
        state_directory(tmp_path)


def test_a_document_is_written_whole_and_private(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": "caf\udce9"})
    assert read_json(tmp_path / "x.json") == {"a": "caf\udce9"}
    assert mode(tmp_path / "x.json") == 0o600
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", object())
    assert read_json(tmp_path / "x.json") == {"a": "caf\udce9"}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_link_is_not_read_through(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    (tmp_path / "x.json").symlink_to("secret")
    with pytest.raises(OSError, match=r".*"):
        read_json(tmp_path / "x.json")


def test_a_record_is_read_as_it_was_kept(tmp_path: Path) -> None:
    assert Record(tmp_path).save(Snapshot(FILES), Ledger())
    known = Record(tmp_path).load()
    assert known is not None
    assert known.files == FILES


def test_without_a_record_nothing_is_known_and_nothing_is_told(tmp_path: Path) -> None:
    record = Record(tmp_path)
    assert record.load() is None
    assert record.note == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 0, "files": {}}',
        '{"version": 2}',
        '{"version": 2, "id": "1", "files": []}',
        '{"version": 2, "id": "1", "files": {"a": "bb"}}',
        '{"version": 2, "id": "1", "files": {"a": ["bb", "1"]}}',
        '{"version": 2, "id": "1", "files": {"a": [1]}}',
        '{"version": 2, "id": "1", "files": {"a": []}}',
        '{"version": 2, "id": "1", "files": {"a": ["b", 1, 2, 3, 4, 5, 6]}}',
        "[" * 100_000,
        "caf\u00e9",
    ],
)
def test_a_spoilt_record_is_none_and_is_told_once(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    record = Record(tmp_path)
    assert record.load() is None
    assert "unusable" in record.note


def test_a_record_that_is_cut_short_anywhere_is_none(tmp_path: Path) -> None:
    Record(tmp_path).save(Snapshot(FILES), Ledger())
    whole = (tmp_path / "record.json").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "record.json").write_bytes(whole[:length])
        assert Record(tmp_path).load() is None


def test_what_is_pending_is_kept_as_it_was_applied() -> None:
    files = {name: FileState(f"new {name}", 1, 2, 3, 4) for name in ("created", "edited", "tried")}
    ledger = Ledger().absorb(
        [
            Edit("created", None, "new created"),
            Edit("edited", "old", "new edited"),
            Edit("deleted", "old", None),
            Edit("tried", "old", "new tried"),
        ],
        1.0,
    )
    ledger = ledger.touched({"tried"})
    assert applied(Snapshot(files), ledger) == {
        "edited": FileState("old"),
        "deleted": FileState("old"),
        "tried": FileState(UNKNOWN),
    }


def test_a_record_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    record = Record(tmp_path / "missing")
    assert not record.save(Snapshot(FILES), Ledger())
    assert "No such file" in record.note
    record.note = ""  # it was told
    assert not record.save(Snapshot(FILES), Ledger())
    assert record.note == ""


def test_what_changed_since_is_kept_beside_the_record(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.save(Snapshot(FILES), Ledger())
    document = (tmp_path / "record.json").read_bytes()
    files = dict(FILES)
    files["new"] = FileState("new", 1, 2, 3, 4)
    del files[next(iter(FILES))]
    assert record.save(Snapshot(files), Ledger())
    assert (tmp_path / "record.json").read_bytes() == document
    known = Record(tmp_path).load()
    assert known is not None
    assert known.files == files
    again = Record(tmp_path)
    again.load()
    assert again.save(Snapshot(FILES), Ledger())
    last = Record(tmp_path).load()
    assert last is not None
    assert last.files == FILES


def test_a_journal_that_is_cut_short_or_spoilt_is_no_record(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.save(Snapshot(FILES), Ledger())
    record.save(Snapshot({}), Ledger())
    whole = (tmp_path / "record.log").read_bytes()
    for length in range(1, len(whole)):
        (tmp_path / "record.log").write_bytes(whole[:length])
        assert Record(tmp_path).load() is None
    (tmp_path / "record.log").write_bytes(b"[1]\n")
    assert Record(tmp_path).load() is None


def test_the_journal_of_an_earlier_record_is_none_of_this(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.save(Snapshot(FILES), Ledger())
    record.save(Snapshot({}), Ledger())
    journal = (tmp_path / "record.log").read_bytes()
    Record(tmp_path).save(Snapshot(FILES), Ledger())
    (tmp_path / "record.log").write_bytes(journal)  # killed before it was removed
    known = Record(tmp_path).load()
    assert known is not None
    assert known.files == FILES


def test_an_unchanged_record_is_not_written_again(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.save(Snapshot(FILES), Ledger())
    (tmp_path / "record.json").unlink()
    assert record.save(Snapshot(FILES), Ledger())
    assert not (tmp_path / "record.json").exists()


def test_a_second_loop_is_told_who_holds_the_first(tmp_path: Path) -> None:
    with only_loop(tmp_path):
        with (
            pytest.raises(ActionError, match="being watched already") as raised,
            only_loop(tmp_path),
        ):
            pass
        assert f"process {os.getpid()}" in raised.value.why
        assert str(tmp_path) in raised.value.why
    with only_loop(tmp_path):
        pass


def test_the_lock_of_a_dead_process_holds_nobody_up(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from attune_dev.watching.lock import Lock, LOOP\n"
        "assert Lock(Path(sys.argv[1]), LOOP, 'inv dev').acquire()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=Path(__file__).parents[3])
    told = json.loads((tmp_path / ".attune-dev/dev.json").read_text())
    assert told["what"] == "inv dev"
    with only_loop(tmp_path):
        pass


def test_a_lock_whose_holder_says_nothing_is_still_a_lock(tmp_path: Path) -> None:
    lock = Lock(tmp_path, LOOP, "inv dev")
    assert lock.acquire()
    (tmp_path / ".attune-dev/dev.json").write_text("{")
    with pytest.raises(ActionError) as raised, only_loop(tmp_path):
        pass
    assert "does not say" in raised.value.why
    lock.release()


def test_who_acts_second_waits_and_says_for_whom(tmp_path: Path) -> None:
    said: list[str] = []
    with (
        acting(tmp_path, "inv build", said.append),
        pytest.raises(ActionError, match="gave up"),
        acting(tmp_path, "inv packs.sync", said.append, timeout=0.01),
    ):
        pass
    assert len(said) == 1
    assert "`inv build`" in said[0]
    with acting(tmp_path, "inv packs.sync", said.append):
        assert len(said) == 1


def test_acting_and_watching_do_not_exclude_each_other(tmp_path: Path) -> None:
    with only_loop(tmp_path), acting(tmp_path, "inv dev", pytest.fail):
        assert Lock(tmp_path, ACTING, "").holder() is not None
