"""Dockerfiles, shell text and patterns that nobody in their right mind writes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune_dev.errors import ConfigError
from attune_dev.loading.dockerfile import parse_dockerfile
from attune_dev.model.compose import BuildConfig
from attune_dev.planning.image_ignore import IgnoreRules, source_matches
from attune_dev.planning.image_inputs import image_inputs
from attune_dev.planning.image_words import expand
from attune_dev.planning.shell_run import Shell
from attune_dev.planning.shell_words import Scope
from tests.effort import examples

PIECES = [
    *("$", "{", "}", "(", ")", "'", '"', "`", "\\", "\n", " ", ";", "&&", "||", "|", "!", "=", "#"),
    *("for b in ", "do ", "done", "if ", "then ", "fi", "case ", "esac", " in ", "while ", "f() "),
    *("cargo build", "--bin", "cp a b", "set -- ", "xargs ", "printf %s ", "$@", "$b", "$("),
    *("${b:-x}", "${x//a/b}", "${x#*}", "<<EOF", "EOF", "*", "**/", "[", "]", "-", "^", "/", "a"),
    *("FROM a\n", "COPY ", "RUN ", "ARG A=", "ENV ", "--mount=", "--from=", "ONBUILD "),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@settings(max_examples=examples(40))
@given(TEXTS)
def test_any_shell_text_is_followed_to_an_end(text: str) -> None:
    Shell().follow(text, Scope({"b": "x y"}))


@settings(max_examples=examples(40))
@given(TEXTS)
def test_any_dockerfile_is_resolved_or_refused(text: str) -> None:
    refused = None
    try:
        dockerfile = parse_dockerfile(f"FROM a\n{text}", "Dockerfile")
        image_inputs("svc", BuildConfig("", "Dockerfile"), dockerfile)
    except ConfigError as problem:
        refused = problem
    assert refused is None or refused.file == "Dockerfile"


@settings(max_examples=examples(40))
@given(TEXTS, TEXTS)
def test_any_pattern_is_matched_or_refused(text: str, path: str) -> None:
    expand(text, {"b": "x", "x": "aab"})
    refused = None
    try:
        IgnoreRules.parse(text.split("\n"), ".dockerignore").ignores(path)
    except ConfigError as problem:
        refused = problem
    assert refused is None or refused.line is not None


GROWING = [
    "x=ab; for i in " + "1 " * 60 + "; do x=$x$x; done; cargo build --bin $x",
    "set -- a b; for i in " + "1 " * 60 + '; do set -- "$@" "$@"; done; cargo build',
    "echo " + "{a,b}" * 60,
    "for a in $(for b in "
    + "x " * 200
    + "; do printf '%s ' $b $b $b $b; done); do cargo build; done",
    "f() { f; f; }; f; cargo build",
    "(" * 5000 + "cargo build",
    "$(" * 5000,
    '"$(' * 5000,
    "if a; then " * 3000,
    "x=" + "a" * 50_000 + "; " + "x=$x$x; " * 50,
    "while cargo build; do " * 18 + "x" + "; done" * 18,
]


@pytest.mark.parametrize("text", GROWING, ids=range(len(GROWING)))
def test_shell_text_that_grows_without_end_is_given_up(text: str) -> None:
    start = time.process_time()
    Shell().follow(text, Scope())
    assert time.process_time() - start < 5


def test_arguments_that_grow_without_end_are_refused() -> None:
    text = "FROM a\nARG A=ab\n" + "ARG A=$A$A\n" * 60
    with pytest.raises(ConfigError, match="arguments grow without end"):
        image_inputs("svc", BuildConfig("", "D"), parse_dockerfile(text, "D"))


def test_a_long_chain_of_stages_is_resolved() -> None:
    text = "FROM a AS s0\n" + "".join(f"FROM s{i} AS s{i + 1}\nCOPY f{i} .\n" for i in range(300))
    inputs = image_inputs("svc", BuildConfig("", "D"), parse_dockerfile(text, "D"))
    assert len(inputs.sources) == 300


@pytest.mark.parametrize("path", ["/", "/etc/hosts", "//", "a/" * 2000 + "b"])
def test_strange_paths_are_decided(path: str) -> None:
    rules = IgnoreRules.parse(["*.md", "!b"])
    assert rules.ignores(path) is None
    assert not source_matches("*.md", path)


def test_a_chain_of_stages_too_long_to_follow_is_refused() -> None:
    text = "FROM a AS s0\n" + "".join(f"FROM s{i} AS s{i + 1}\n" for i in range(5000))
    with pytest.raises(ConfigError, match="too many stages start from each other"):
        image_inputs("svc", BuildConfig("", "D"), parse_dockerfile(text, "D"))


@pytest.mark.parametrize("pattern", ["*a" * 30 + "b", "[^a]*" * 30 + "b", "?*" * 40 + "/x"])
def test_a_pattern_of_many_stars_is_matched_in_short_time(pattern: str) -> None:
    start = time.process_time()
    assert not source_matches(pattern, "a" * 250)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*a*b", "xaab", True),
        ("*a*b", "xaabc", False),
        ("*ab*ab", "ababab", True),
        ("*.tar.*", "a.tar.tar.gz", True),
        ("*/a*/*b", "x/ab/cb", True),
        ("**/a*b", "ax/ab", True),
        ("**/a/**/b", "a/x/a/b", True),
        ("*a?c*", "aacabc", True),
    ],
)
def test_many_stars_still_find_every_match(pattern: str, path: str, expected: bool) -> None:
    assert source_matches(pattern, path) is expected
