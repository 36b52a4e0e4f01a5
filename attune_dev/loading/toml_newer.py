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
_ESCAPE = re.compile(r"\\(?:e|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)


def to_toml_1_0(text: str) -> str:
    r"""Take line ends, comments, last commas out of inline tables; spell out ``\e``, ``\xHH``.

    Source: the change log of TOML 1.1.0. Line numbers do not survive.
    """
    out: list[str] = []
    open_brackets: list[str] = []
    for token in _TOKEN.findall(text):
        inside = open_brackets[-1] if open_brackets else ""
        if token[0] == "#" and "{" in open_brackets:
            continue
        if inside == "{" and not token.strip():
            out.append(" ")
            continue
        if token in ("{", "["):
            open_brackets.append(token)
        elif token in ("}", "]") and open_brackets:
            open_brackets.pop()
            if token == "}":  # noqa: S105 - a bracket
                _drop_trailing_comma(out)
        out.append(_escapes(token) if token[0] == '"' else token)
    return "".join(out)


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
