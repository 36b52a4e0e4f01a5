"""``.dockerignore`` rules and ``COPY`` patterns."""

from __future__ import annotations

import time

import pytest

from attune_dev.errors import ConfigError
from attune_dev.model.dockerfile import SourcePattern
from attune_dev.planning.image_ignore import IgnoreRules, clean_source, reads, source_matches
from tests.unit.planning.ignore_cases import CASES, COPIES, TREE


@pytest.mark.parametrize(("lines", "ignored"), CASES)
def test_rules_hide_what_docker_hides(lines: str, ignored: set[str]) -> None:
    rules = IgnoreRules.parse(lines.split("\n"))
    assert {path for path in TREE if rules.ignores(path)} == ignored


def test_the_deciding_rule_is_told() -> None:
    rules = IgnoreRules.parse(["# sources", "*", "!crates", "  crates/*/tests  "], ".dockerignore")
    everything, tests = rules.ignores("README.md"), rules.ignores("crates/api/tests/t.rs")
    assert everything is not None
    assert tests is not None
    assert (everything.text, everything.line) == ("*", 2)
    assert (tests.text, tests.line) == ("crates/*/tests", 4)
    assert rules.ignores("crates/api/src/lib.rs") is None


def test_a_byte_order_mark_is_no_part_of_the_first_rule() -> None:
    assert IgnoreRules.parse(["\ufeffa.md"]).ignores("a.md") is not None


@pytest.mark.parametrize("pattern", ["[", "a[", "[]a]", "[a-]", "[z-a]", "a\\", "!", "[^"])
def test_a_pattern_that_docker_rejects_is_told_with_its_line(pattern: str) -> None:
    with pytest.raises(ConfigError) as caught:
        IgnoreRules.parse(["ok", pattern], "web/.dockerignore")
    assert caught.value.where == "web/.dockerignore:2"


def test_ten_thousand_paths_are_decided_at_once() -> None:
    rules = IgnoreRules.parse(
        ["*", "!crates", "**/*.md", "crates/*/tests", "**/target", "**/.git", "!**/keep.md"] * 4
    )
    paths = [f"crates/c{i % 200}/src/deep/er/file{i}.rs" for i in range(10_000)]
    start = time.process_time()
    assert not any(rules.ignores(path) for path in paths)
    assert time.process_time() - start < 2.0


MATCHES = [
    ("", "any/thing", True),
    ("crates", "crates/api/src/main.rs", True),
    ("crates", "crates", True),
    ("crates", "crates2/x", False),
    ("crates/*/Cargo.toml", "crates/api/Cargo.toml", True),
    ("crates/*/Cargo.toml", "crates/api/x/Cargo.toml", False),
    ("crates/*", "crates/api/x/Cargo.toml", True),
    ("*.toml", "Cargo.toml", True),
    ("*.toml", "crates/Cargo.toml", False),
    ("Cargo.???k", "Cargo.lock", True),
    ("a[[]0].txt", "a[0].txt", True),
    ("**/*.rs", "crates/api/src/main.rs", True),
]


@pytest.mark.parametrize(("pattern", "path", "expected"), MATCHES)
def test_copy_patterns_match_folder_by_folder(pattern: str, path: str, expected: bool) -> None:
    assert source_matches(pattern, path) is expected


@pytest.mark.parametrize(("pattern", "taken"), COPIES)
def test_copy_takes_what_docker_takes(pattern: str, taken: set[str]) -> None:
    assert {path for path in TREE if source_matches(clean_source(pattern), path)} == taken


@pytest.mark.parametrize(
    ("text", "pattern"),
    [(".", ""), ("./", ""), ("/", ""), ("./a/", "a"), ("/a/./b//c", "a/b/c"), ("../../a", "a")],
)
def test_sources_are_taken_from_the_root_of_the_context(text: str, pattern: str) -> None:
    assert clean_source(text) == pattern


READS = [
    (SourcePattern("src", "web"), "web/src/a.ts", True),
    (SourcePattern("src", "web"), "src/a.ts", False),
    (SourcePattern("", "web"), "web/a", True),
    (SourcePattern("", "web"), "website/a", False),
    (SourcePattern("docs", "", exclude=("*.md",)), "docs/a.md", False),
    (SourcePattern("docs", "", exclude=("*.md",)), "docs/x/a.md", True),
    (SourcePattern("docs", "", exclude=("**/*.md",)), "docs/x/a.md", False),
    (SourcePattern("", "", exclude=("docs",)), "docs/a", False),
]


@pytest.mark.parametrize(("source", "path", "expected"), READS)
def test_a_source_reads_files_of_its_context(
    source: SourcePattern, path: str, expected: bool
) -> None:
    assert reads(source, path) is expected
