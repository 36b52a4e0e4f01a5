"""TOML 1.1, as cargo reads it, with a parser of 1.0."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune_dev.errors import ConfigError
from attune_dev.loading.cargo import load_cargo
from attune_dev.loading.toml_file import parse_toml
from attune_dev.loading.toml_newer import to_toml_1_0
from tests.effort import examples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD = r'''
title = "a # no comment, { no table"  # {
'quoted key' = 'C:\e\x41'
text = """
{ # no comment
\e is not touched here: \\e ", }
"""
raw = '\x41 ,}'
many = '''
OLD_REST = """'''
{,
'''
dates = 1979-05-27T07:32:00Z
array = [
  1, # one
  { a = 1, b = [2, 3,] },
]
[table.'sub.table']
a.b.c = {}
[[tables]]
x = { "}" = '{', y = [ { z = "," } ] }
"""


def test_what_1_0_allows_is_read_as_before() -> None:
    old = OLD.replace(r"\e is not touched here: ", "") + OLD_REST
    assert tomllib.loads(to_toml_1_0(old)[0]) == tomllib.loads(old)


@pytest.mark.parametrize(
    ("newer", "value"),
    [
        ("a = {\n  b = 1,\n  c = 2,\n}", {"a": {"b": 1, "c": 2}}),
        ("a = { b = 1, }", {"a": {"b": 1}}),
        ("a = { # why\n  # because,\n  b = [\n 1, # one\n 2,\n ], }", {"a": {"b": [1, 2]}}),
        (
            "a = [\n { b = {\n c = 1,\n}\n,\n}, # last\n]\n[t]\nx = 1",
            {"a": [{"b": {"c": 1}}], "t": {"x": 1}},
        ),
        (r'a = "\e[0m\x41\\e\\x41"', {"a": "\x1b[0mA\\e\\x41"}),
        ('a = """\\e\n\\x41"""', {"a": "\x1b\nA"}),
    ],
)
def test_what_1_1_adds_is_understood(newer: str, value: object) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(newer)
    assert parse_toml(newer, "x.toml").data == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = 2\nc = {\n  d = 1,\n}\ne = = 1\n", 6),
        ('c = {\n  d = 1,\n}\ns = """\n\n"""\n= 1\n', 7),
        ("c = {\n  d = 1,\n  e = = 2,\n}\n", 1),
        ("c = {\n  d = 1,\n}\nx = [", 4),
        ("a = 1\n= 1\n", 2),
    ],
)
def test_the_line_is_that_of_the_file_as_it_is_written(text: str, line: int) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_toml(text, "x.toml")
    assert caught.value.where == f"x.toml:{line}"


def where(read: Callable[[], object]) -> str:
    """Where the error that reading ended with is; empty if there was none."""
    try:
        read()
    except ConfigError as error:
        return error.where
    return ""


PIECES = st.sampled_from(
    [
        *"[]{}=,.#'\"\n\\ ",
        '"""',
        "'''",
        "a",
        "b-c",
        "1",
        "true",
        "[package]\n",
        "name",
        "path",
        "\\x4",
    ]
)


@settings(max_examples=examples(40))
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_text_is_read_or_refused_with_a_line_of_it(text: str) -> None:
    lines = range(1, text.count("\n") + 2)
    assert where(lambda: parse_toml(text, "x")) in {"", "x", *(f"x:{line}" for line in lines)}


TABLES = st.lists(
    st.sampled_from(
        [
            "[package]\n",
            'name = "a"\n',
            "name = 3\n",
            "[workspace]\n",
            'members = ["."]\n',
            'members = ["*"]\n',
            "[dependencies]\n",
            'b = { path = "." }\n',
            "b.workspace = true\n",
            "x = 1\n",
            "[lib]\n",
            "path = 3\n",
            "[[bin]]\n",
            "[bin]\n",
            "[patch.crates-io]\n",
            "[target]\n",
            "[target.x.dependencies]\n",
            "build = 3\n",
            "version = {}\n",
            "edition = []\n",
            'crate-type = "lib"\n',
        ]
    ),
    max_size=10,
    unique=True,
)


@settings(max_examples=examples(40))
@given(TABLES.map("".join))
def test_any_manifest_is_read_or_refused_with_its_file(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    root: Path = tmp_path_factory.getbasetemp() / "any-manifest"
    root.mkdir(exist_ok=True)
    (root / "Cargo.toml").write_text(text)
    assert where(lambda: load_cargo(root)).partition(":")[0] in {"", "Cargo.toml"}
