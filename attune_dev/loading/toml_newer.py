"""What TOML 1.1 allows beyond 1.0, written as 1.0: ``tomllib`` knows 1.0 only, cargo reads 1.1."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")'  # multi-line basic string
    r"|'''.*?'''(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[{}\[\],\n]"
    r"|\s+"
    r"|[^\"'\#{}\[\],\s]+"
    r"|.",
    re.DOTALL,
)
_OPENING = ("{", "[")
_CLOSING = ("}", "]")
_ESCAPE = re.compile(r"\\(?:e|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)


def to_toml_1_0(text: str) -> tuple[str, list[int]]:
    r"""Take line ends, comments, last commas out of inline tables; spell out ``\e``, ``\xHH``.

    Source: the change log of TOML 1.1.0.

    Returns:
        The text, and for each of its lines the one-based line of the original where it begins.
    """
    out: list[str] = []
    lines = [1]
    current = 1
    brackets: list[str] = []
    braces = 0
    for token in _TOKEN.findall(text):
        current += token.count("\n")
        inside = brackets[-1] if brackets else ""
        if token[0] == "#" and braces:
            continue
        if inside == "{" and not token.strip():
            out.append(" ")
            continue
        if token in _OPENING:
            brackets.append(token)
            braces += token == _OPENING[0]
        elif token in _CLOSING and brackets:
            braces -= brackets.pop() == _OPENING[0]
            if token == _CLOSING[0]:
                _drop_trailing_comma(out)
        out.append(_escapes(token) if token[0] == '"' else token)
        first = current - token.count("\n") + 1
        lines += range(first, current + 1)
    return "".join(out), lines


def _drop_trailing_comma(out: list[str]) -> None:
    position = len(out) - 1
    while position >= 0 and not out[position].strip():
        position -= 1
    if position >= 0 and out[position] == ",":
        del out[position]


def _escapes(token: str) -> str:
    def spelled(found: re.Match[str]) -> str:
        if found[2] is not None:
            return found[0]
        return f"\\u00{found[1] or '1b'}"

    return _ESCAPE.sub(spelled, token)
