from __future__ import annotations

import pytest

from attune_dev.docker.text import sanitise


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;c2VjcmV0\x1b\\after", "after"),
        ("\x1b]8;;http://example.org\x07link\x1b]8;;\x07", "link"),
        ("\x1bPdevice\x1b\\after", "after"),
        ("unfinished \x1b]0;title", "unfinished "),
        ("cut \x1b[3", "cut "),
        ("10%\r50%\r100%", "100%"),
        ("windows line\r", "windows line"),
        ("bell\x07 null\x00 \x9b31mc1", "bell null 31mc1"),
        ("tab\tstays", "tab\tstays"),
        ("\x1b(Bcharset", "charset"),
    ],
)
def test_nothing_that_moves_the_cursor_or_sets_a_title_is_left(line: str, shown: str) -> None:
    assert sanitise(line) == shown


def test_colours_stay_where_they_are_wanted_and_nothing_else_does() -> None:
    line = "\x1b[1;31mred\x1b[0m\x1b[2K\x1b]0;t\x07\x07"
    assert sanitise(line, colours=True) == "\x1b[1;31mred\x1b[0m"
