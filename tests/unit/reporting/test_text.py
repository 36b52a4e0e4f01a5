from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune_dev.reporting.text import (
    clean_line,
    colour,
    for_encoding,
    listed,
    seconds_text,
    show_path,
    wants_colour,
)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("crates/api/src/main.rs", "crates/api/src/main.rs"),
        ("a\nb", "a\\nb"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("caf\udce9.yaml", "caf\\xe9.yaml"),
        ("café", "café"),
        ("evil\u202eexe.rs", "evil\\u202eexe.rs"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_a_file_name_cannot_draw_on_the_terminal(path: str, shown: str) -> None:
    assert show_path(path) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\x1b]52;c;aGk=\x07copied", "copied"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("\x1b[2J\x1b[Hscreen", "screen"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("10%\r50%\r100%", "100%"),
        ("a\tb", "a\tb"),
        ("\u2066hidden", "\\u2066hidden"),
    ],
)
def test_output_keeps_its_text_and_loses_its_control_sequences(line: str, shown: str) -> None:
    assert clean_line(line) == shown


def test_colours_may_stay() -> None:
    line = "\x1b[31mred\x1b[0m \x1b[2Jé"
    assert clean_line(line, colours=True) == "\x1b[31mred\x1b[0m é"


@given(st.text())
def test_nothing_that_moves_the_cursor_survives(text: str) -> None:
    for shown in (show_path(text), clean_line(text)):
        assert "\x1b" not in shown
        assert "\r" not in shown
        assert "\x9b" not in shown
        shown.encode("utf-8")


@given(st.text(), st.sampled_from(["ascii", "utf-8", "latin-1", "no-such-encoding"]))
def test_every_text_fits_every_stream(text: str, encoding: str) -> None:
    shown = for_encoding(text, encoding)
    shown.encode("ascii" if encoding.startswith("no") else encoding, "surrogatepass")


def test_signs_are_spelt_where_the_stream_lacks_them() -> None:
    assert for_encoding("wait… é", "ascii") == "wait... \\xe9"


@pytest.mark.parametrize(
    ("environ", "terminal", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    environ: dict[str, str], terminal: bool, wanted: bool
) -> None:
    assert wants_colour(environ, terminal=terminal) is wanted


def test_colour_can_be_off() -> None:
    assert colour("x", "red", on=False) == "x"
    assert colour("x", "red", on=True) == "\x1b[31mx\x1b[0m"


def test_long_lists_are_cut_and_counted() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdef")) == "a, b, c and 3 more"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.44, "0.4 s"), (12.4, "12 s"), (200.0, "3 min 20 s")]
)
def test_times_are_as_exact_as_they_matter(seconds: float, shown: str) -> None:
    assert seconds_text(seconds) == shown
