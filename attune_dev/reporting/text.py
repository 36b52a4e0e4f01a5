"""Text that comes from elsewhere, made fit for a terminal (pure).

File names, build output and messages of other programs may hold control sequences, bytes that are
no UTF-8, or characters that turn the writing direction: none of it may draw on the user's screen.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from attune_dev.docker.text import sanitise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_PLAIN = str.maketrans(
    {
        "…": "...",
        "—": "-",
        "\u2013": "-",
        "→": "->",
        "·": "*",
        "•": "*",
        "✓": "ok",
        "✗": "x",
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "─": "-",
        "│": "|",
        "└": "`",
        "├": "|",
    }
)
_COLOURS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "bold": 1, "dim": 2}


def show_path(path: str) -> str:
    r"""A file name as it can be shown: what is invisible or no UTF-8 is escaped (``\x1b``)."""
    if path.isascii() and path.isprintable():
        return path
    return "".join(_escaped(c) if _hides(c) else c for c in path)


def clean_line(line: str, *, colours: bool = False) -> str:
    """One line of any origin, without control sequences, escaped where it is no text.

    Args:
        line: the line.
        colours: whether sequences that only colour stay.
    """
    kept = sanitise(line, colours=colours)
    if kept.isascii():
        return kept
    return "".join(_escaped(c) if _hides(c) and c not in "\t\x1b" else c for c in kept)


def for_encoding(text: str, encoding: str) -> str:
    """Text that a stream of this encoding can take; what it lacks is spelt or escaped."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.translate(_PLAIN)
        return plain.encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")
    return text


def wants_colour(environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to colour: on a terminal that can, unless ``NO_COLOR`` is set.

    The rules are those of https://no-color.org: any value but an empty one counts.
    """
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return terminal


def colour(text: str, name: str, *, on: bool) -> str:
    """The text in a colour, or as it is."""
    return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if on and text else text


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def seconds_text(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``."""
    if seconds < 10:  # below it a tenth still matters
        return f"{seconds:.1f} s"
    if seconds < 60:  # a minute
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _hides(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8 (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    if character in known:
        return known[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # one byte
