from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from attune_dev.docker.feeding import Record, make_feed, sets_flags


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
            file = tar.extractfile(entry) if entry.isreg() else None
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


def test_what_a_new_link_leads_to_is_written_again_for_cargo_goes_by_its_time(
    tmp_path: Path,
) -> None:
    for name in ("b.rs", "c.rs"):
        (tmp_path / name).write_text(name)
    sources = {
        "/src/a.rs": File("a", "new", link="x/../via.rs"),
        "/src/via.rs": File("via", "old", link="dir"),
        "/src/dir/b.rs": File(str(tmp_path / "b.rs"), "1"),
        "/src/c.rs": File(str(tmp_path / "c.rs"), "1"),
    }
    known = Record({**{path: file.digest for path, file in sources.items()}, "/src/a.rs": "other"})
    written = [name for name, _ in entries(make_feed(sources, known, "/src").archive)]
    assert written[1:-1] == ["src/a.rs", "src/dir/b.rs", "src/via.rs"]
    assert make_feed({"/l": File("", "1", link="l")}, Record(), "/src").written == 1


def test_what_stands_in_the_way_goes_before_the_archive_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    file = File(str(tmp_path / "x"))
    known = Record({"/src/was": "1", "/src/dir/a": "1", "/src/dir/b/c": "1", "/src/gone": "1"})
    feed = make_feed({"/src/was/now": file, "/src/dir": file}, known, "/src")
    assert feed.early == ("/src/dir/a", "/src/dir/b/c", "/src/was")
    assert dict(entries(feed.archive))["src/target/.attune-dev/removed"] == "/src/gone"


def test_what_the_compile_may_write_is_not_known_afterwards_whatever_becomes_of_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "Cargo.lock").write_text("lock")
    sources = {"/src/Cargo.lock": File(str(tmp_path / "Cargo.lock"))}
    feed = make_feed(sources, Record({"/src/Cargo.lock": "1"}), "/src", {"/src/Cargo.lock"})
    told = entries(feed.archive)
    assert [content for name, content in told if name.endswith("record")] == ["", ""]
    assert (feed.record.digests, feed.written) == ({}, 1)


def test_flags_of_the_workspace_are_not_taken_from_it(tmp_path: Path) -> None:
    """Those of a target, by which a linker is chosen, come instead of those of the build."""
    config = tmp_path / "config.toml"
    config.write_text('[build]\nrustflags = ["--cfg", "tokio_unstable"]\n')
    assert sets_flags({"/app/.cargo/config.toml": File(str(config))})
    assert not sets_flags({"/app/config.toml": File(str(config))})
    config.write_text("[net]\noffline = true\n")
    assert not sets_flags({"/app/.cargo/config.toml": File(str(config))})
