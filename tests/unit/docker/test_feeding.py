from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from attune_dev.docker.feeding import Record, make_feed


@dataclass(frozen=True)
class File:
    path: str
    digest: str = "1"
    mode: int = 0o644
    link: str = ""


def entries(archive: bytes) -> list[tuple[str, str]]:
    """Names and contents of an archive, in order."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            file = tar.extractfile(entry)
            found.append((entry.name, file.read().decode() if file else ""))
    return found


def test_only_what_differs_is_written_between_a_record_without_it_and_one_with_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.rs").write_text("new")
    sources = {"/src/a.rs": File(str(tmp_path / "a.rs"), "2"), "/src/b.rs": File("unread", "1")}
    known = Record({"/src/a.rs": "1", "/src/b.rs": "1", "/src/gone.rs": "1"})
    feed = make_feed(sources, known, "/src")
    told = entries(feed.archive)
    state = "src/target/.attune-dev"
    assert [name for name, _ in told] == [
        f"{state}/record",
        "src/a.rs",
        f"{state}/removed",
        f"{state}/record",
    ]
    assert told[0][1] == "1 /src/b.rs\0"
    assert told[1][1] == "new"
    assert told[2][1] == "/src/gone.rs"
    assert Record.parse(told[3][1]).digests == feed.record.digests
    assert feed.written == 1


def test_nothing_is_written_where_nothing_differs() -> None:
    feed = make_feed({"/src/a": File("unread")}, Record({"/src/a": "1"}), "/src")
    assert (entries(feed.archive), feed.written) == ([], 0)


def test_the_record_holds_what_was_read_last_not_what_was_looked_at_first(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("saved in between")
    source = {"/src/a": File(str(tmp_path / "a"), "looked at before")}
    first = make_feed(source, Record(), "/src")
    assert first.record.digests["/src/a"] != "looked at before"
    assert make_feed(source, first.record, "/src").written == 1


def test_a_file_that_goes_away_meanwhile_is_removed(tmp_path: Path) -> None:
    feed = make_feed({"/src/a": File(str(tmp_path / "a"))}, Record({"/src/a": "0"}), "/src")
    assert feed.record.digests == {}
    assert ("src/target/.attune-dev/removed", "/src/a") in entries(feed.archive)


def test_a_record_tells_apart_what_outlives_its_container() -> None:
    text = Record({"/src/a": "1", "/proto/b": "2"}).render(["/src/a", "/proto/b"]).decode()
    parts = Record.parse(text).split("/src")
    assert [part.digests for part in parts] == [{"/src/a": "1"}, {"/proto/b": "2"}]
