"""Shell text cut into words and operators; quotes and substitutions stay whole inside of words."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPERATORS = ("&&", "||", ";;", "|&", ";", "&", "|", "(", ")", "\n")
_REDIRECTION = re.compile(r"(?:\d*|&)(?:<<<|<<-|<<|>>|>\||>&|<&|<>|>|<)")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")


@dataclass(slots=True)
class Token:
    """A word as written, or an operator."""

    text: str
    operator: bool = False


def skip_quoted(text: str, index: int) -> int:
    """The index after the quote, escape or substitution at ``index``; after one letter else."""
    char = text[index]
    if char == "\\":
        return min(index + 2, len(text))
    if char == "'":
        end = text.find("'", index + 1)
        return len(text) if end < 0 else end + 1
    if char in '"`':
        index += 1
        while index < len(text) and text[index] != char:
            index = skip_quoted(text, index) if text[index] in "\\$`" else index + 1
        return min(index + 1, len(text))
    if text.startswith("$(", index):
        return _closing(text, index + 2, "(", ")")
    if text.startswith("${", index):
        return _closing(text, index + 2, "{", "}")
    return index + 1


def _closing(text: str, index: int, opening: str, closing: str) -> int:
    while index < len(text):
        if text[index] == closing:
            return index + 1
        if text[index] == opening:
            index = _closing(text, index + 1, opening, closing)
        else:
            index = skip_quoted(text, index)
    return index


def tokens(text: str) -> list[Token]:
    """The words and operators of shell text; redirections and here-documents are left out."""
    found: list[Token] = []
    pending: list[tuple[str, bool]] = []
    index = 0
    while index < len(text):
        char = text[index]
        if char in " \t\r":
            index += 1
            continue
        if char == "#":
            end = text.find("\n", index)
            index = len(text) if end < 0 else end
            continue
        redirection = _REDIRECTION.match(text, index)
        if redirection is not None:
            index, document = _skip_redirection(text, redirection)
            pending += document
            continue
        operator = next((op for op in _OPERATORS if text.startswith(op, index)), None)
        if operator is not None:
            found.append(Token(operator, operator=True))
            index += len(operator)
            if operator == "\n" and pending:
                index = _skip_documents(text, index, pending)
                pending = []
            continue
        end = _word_end(text, index)
        found.append(Token(text[index:end]))
        index = end
    return found


def _word_end(text: str, index: int) -> int:
    start = index
    while index < len(text) and text[index] not in " \t\r\n;&|()<>":
        index = skip_quoted(text, index)
        array = index < len(text) and text[index] == "(" and text[index - 1] == "="
        if array and ASSIGNMENT.fullmatch(text[start:index]):
            index = _closing(text, index + 1, "(", ")")  # name=(…) of bash
    return max(index, start + 1)


def _skip_redirection(text: str, match: re.Match[str]) -> tuple[int, list[tuple[str, bool]]]:
    index = match.end()
    while index < len(text) and text[index] in " \t":
        index += 1
    end = _word_end(text, index) if index < len(text) and text[index] not in ";&|()\n" else index
    operator = match.group().lstrip("0123456789&")
    if operator in ("<<", "<<-"):
        return end, [(re.sub(r"""["'\\]""", "", text[index:end]), operator == "<<-")]
    return end, []


def _skip_documents(text: str, index: int, pending: list[tuple[str, bool]]) -> int:
    for terminator, chomp in pending:
        while index < len(text):
            end = text.find("\n", index)
            end = len(text) if end < 0 else end
            line = text[index:end]
            index = min(end + 1, len(text))
            if (line.lstrip("\t") if chomp else line) == terminator:
                break
    return index
