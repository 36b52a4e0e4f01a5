"""``$NAME`` and ``${NAME…}`` in Dockerfiles, Compose files and the shell text of ``RUN``.

The rules are those of BuildKit's ``frontend/dockerfile/shell`` (lex.go): quotes are removed, single
quotes keep everything as it is, and ``:-``, ``-``, ``:+``, ``+``, ``?``, ``#``, ``##``, ``%``,
``%%``, ``/`` and ``//`` are understood.
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Lookup = Callable[[str], str | None]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!$-]")
_WORDS = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"?|'[^']*'?|\\$)+""", re.DOTALL)
_NESTING_LIMIT = 50
_STRIP_LIMIT = 4096


def expand(text: str, values: Mapping[str, str], *, escape: str = "\\", quotes: bool = True) -> str:
    """Replaces variables in one word.

    Args:
        text: the word as written.
        values: what is defined; everything else is empty.
        escape: the Dockerfile's escape character.
        quotes: whether quotes and escapes are removed, as in a Dockerfile; Compose keeps them
            and writes a dollar as ``$$``.
    """
    out: list[str] = []
    index = 0
    quoted = False
    while index < len(text):
        char = text[index]
        if char == "$":
            value, index = dollar(text, index, values.get, escape=escape, doubled=not quotes)
            out.append(value)
            continue
        if quotes and char == "'" and not quoted:
            end = text.find("'", index + 1)
            end = len(text) if end < 0 else end
            out.append(text[index + 1 : end])
            index = end + 1
            continue
        if quotes and char == '"':
            quoted = not quoted
            index += 1
            continue
        if quotes and char == escape and index + 1 < len(text):
            following = text[index + 1]
            kept = quoted and following not in (escape, '"', "$")
            out.append(escape + following if kept else following)
            index += 2
            continue
        out.append(char)
        index += 1
    return "".join(out)


def split_words(text: str) -> tuple[str, ...]:
    """Words divided by white space outside of quotes, with their quotes still on."""
    return tuple(_WORDS.findall(text))


def dollar(
    text: str,
    index: int,
    lookup: Lookup,
    *,
    escape: str = "\\",
    doubled: bool = False,
    depth: int = 0,
) -> tuple[str, int]:
    """The value of the variable that starts at ``text[index]``, which is a dollar.

    Args:
        text: where it stands.
        index: of the dollar.
        lookup: a variable's value, ``None`` where it is not set.
        escape: the Dockerfile's escape character.
        doubled: whether ``$$`` is a dollar.
        depth: how many ``${`` are around it.

    Returns:
        The value and the index after the variable. A dollar that starts none is kept.
    """
    if doubled and text.startswith("$$", index):
        return "$", index + 2
    if text.startswith("${", index) and depth < _NESTING_LIMIT:
        end = closing_brace(text, index + 2)
        if end > 0:
            body = text[index + 2 : end]
            return _braced(body, lookup, escape, doubled=doubled, depth=depth + 1), end + 1
    match = _NAME.match(text, index + 1)
    if match is None:
        return "$", index + 1
    return lookup(match.group()) or "", match.end()


def closing_brace(text: str, start: int) -> int:
    """The index of the brace that closes the ``${`` before ``start``, -1 where there is none."""
    depth = 1
    index = start
    while index < len(text):
        if text[index] == "\\":
            index += 2
            continue
        if text.startswith("${", index):
            depth += 1
            index += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    return -1


def _braced(body: str, lookup: Lookup, escape: str, *, doubled: bool, depth: int) -> str:
    match = _NAME.match(body)
    if match is None:
        return ""
    value = lookup(match.group())
    rest = body[match.end() :]

    def inner(text: str) -> str:
        return _expand_plain(text, lookup, escape, doubled=doubled, depth=depth)

    if not rest:
        return value or ""
    set_ = value if rest[0] != ":" else value or None  # with a colon, empty is as good as unset
    operator, operand = (rest[1:2], rest[2:]) if rest[0] == ":" else (rest[0], rest[1:])
    if operator == "-":
        return set_ if set_ is not None else inner(operand)
    if operator == "+":
        return inner(operand) if set_ is not None else ""
    if operator in ("#", "%"):
        greedy = operand.startswith(operator)
        return _strip(value or "", inner(operand[greedy:]), operator, greedy=greedy)
    if operator == "/":
        everywhere = operand.startswith("/")
        pattern, _, replacement = operand[everywhere:].partition("/")
        found = _glob(inner(pattern))
        return re.sub(found, lambda _: inner(replacement), value or "", count=not everywhere)
    return value or ""


def _expand_plain(text: str, lookup: Lookup, escape: str, *, doubled: bool, depth: int) -> str:
    out: list[str] = []
    index = 0
    while index < len(text):
        if text[index] == "$":
            value, index = dollar(text, index, lookup, escape=escape, doubled=doubled, depth=depth)
            out.append(value)
        elif text[index] in "\"'":
            index += 1
        elif text[index] == escape and index + 1 < len(text):
            out.append(text[index + 1])
            index += 2
        else:
            out.append(text[index])
            index += 1
    return "".join(out)


def _strip(value: str, pattern: str, operator: str, *, greedy: bool) -> str:
    if len(value) > _STRIP_LIMIT:
        return value
    expression = re.compile(_glob(pattern) + r"\Z", re.DOTALL)
    lengths = range(len(value), -1, -1) if greedy else range(len(value) + 1)
    for length in lengths:
        part = value[:length] if operator == "#" else value[len(value) - length :]
        if expression.match(part):
            return value[length:] if operator == "#" else value[: len(value) - length]
    return value


def _glob(pattern: str) -> str:
    translated = fnmatch.translate(pattern)
    # `(?s:…)\Z` up to Python 3.13, `(?s:…)\z` later; the anchor is ours to add.
    return translated[: translated.rindex(")") + 1]
