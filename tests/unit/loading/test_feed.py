from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from attune_dev.loading.feed import FeedReader
from attune_dev.model.swap import CompileStage, Feed

Write = Callable[[dict[str, str]], Path]
FILES = {
    "Cargo.toml": "[workspace]",
    "crates/a/Cargo.toml": "a",
    "crates/a/src/lib.rs": "",
    "crates/a/tests/t.rs": "",
    "crates/b/Cargo.toml": "b",
    "target/CACHEDIR.TAG": "cargo's",
    "target/debug/a": "",
    "proto/x.proto": "",
}


def stage(*feeds: Feed, ignore: tuple[str, ...] = ()) -> CompileStage:
    return CompileStage("Dockerfile", "", "build", "", feeds=feeds, ignore=ignore)


@pytest.mark.parametrize(
    ("feed", "places"),
    [
        (
            Feed("", "", "/src", inside=True),
            {
                "/src/Cargo.toml",
                "/src/crates/a/Cargo.toml",
                "/src/crates/a/src/lib.rs",
                "/src/crates/b/Cargo.toml",
                "/src/proto/x.proto",
            },
        ),
        (Feed("", "Cargo.toml", "/src", inside=True), {"/src/Cargo.toml"}),
        (Feed("", "Cargo.toml", "/src/Other.toml"), {"/src/Other.toml"}),
        (
            Feed("", "crates", "/src"),
            {"/src/a/Cargo.toml", "/src/a/src/lib.rs", "/src/b/Cargo.toml"},
        ),
        (Feed("", "*.toml", "/src", inside=True), {"/src/Cargo.toml"}),
        (Feed("", "crates/*", "/src"), {"/src/Cargo.toml", "/src/src/lib.rs"}),
        (Feed("proto", "x.proto", "/p/", inside=True), {"/p/x.proto"}),
        (Feed("", "crates/b", "/src", exclude=("*.toml",)), set()),
        (Feed("", "nowhere", "/src"), set()),
    ],
)
def test_files_stand_where_copy_puts_them(write: Write, feed: Feed, places: set[str]) -> None:
    found = FeedReader(write(FILES)).read(stage(feed, ignore=("crates/*/tests",)))
    assert set(found) == places


def test_content_and_the_run_bit_count_and_times_do_not(write: Write) -> None:
    root = write({"a.rs": "one"})
    reader, file = FeedReader(root), root / "a.rs"

    def digest() -> str:
        return reader.read(stage(Feed("", "a.rs", "/a.rs")))["/a.rs"].digest

    first = digest()
    os.utime(file, (1e9, 1e9))
    assert digest() == first
    file.write_text("two")
    os.utime(file, (1e9, 1e9))
    second = digest()
    assert second != first
    file.write_text("one")
    assert digest() == first
    file.chmod(0o755)
    assert digest() != first


def test_a_link_is_a_link(write: Write) -> None:
    root = write({"a.rs": ""})
    (root / "b.rs").symlink_to("a.rs")
    found = FeedReader(root).read(stage(Feed("", "", "/src")))
    assert found["/src/b.rs"].link == "a.rs"


def test_what_a_build_would_have_and_the_builder_has_not_is_told(tmp_path: Path) -> None:
    for path in (".git/HEAD", "web/node_modules/x.js", "web/src/main.rs"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    reader = FeedReader(tmp_path)

    def left_out(feed: Feed, *ignore: str) -> frozenset[str]:
        chosen = stage(feed, ignore=ignore)
        assert not any("main.rs" not in place for place in reader.read(chosen))
        return reader.left_out(chosen)

    everything = Feed("", "", "/src", inside=True)
    assert left_out(everything) == {".git", "web/node_modules"}
    assert left_out(everything, ".git") == {"web/node_modules"}
    assert left_out(everything, "*", "!web/src") == frozenset()
    assert left_out(Feed("", "web/src", "/src")) == frozenset()
