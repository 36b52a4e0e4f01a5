"""Flags of Dockerfile instructions, and the ``--mount`` values of ``RUN``."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError
from attune_dev.model.dockerfile import RunMount

if TYPE_CHECKING:
    from collections.abc import Iterable

_KINDS = ("bind", "cache", "secret", "ssh", "tmpfs")
_ALIASES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}


def flag_words(text: str) -> tuple[dict[str, list[str]], str]:
    """Takes the flags off the front of an instruction.

    Args:
        text: what follows the keyword.

    Returns:
        Flag names to their values in order, and the rest of the text.
    """
    flags: dict[str, list[str]] = {}
    rest = text.lstrip()
    while rest.startswith("--"):
        word, after = _flag(rest)
        rest = after.lstrip()
        if word == "--":
            break
        name, _, value = word[2:].partition("=")
        flags.setdefault(name.lower(), []).append(value)
    return flags, rest


def _flag(text: str) -> tuple[str, str]:
    """One word with its quotes removed, and what follows it."""
    out: list[str] = []
    quote = ""
    index = 0
    while index < len(text):
        char = text[index]
        if char == "\\" and index + 1 < len(text) and quote != "'":
            out.append(text[index + 1])
            index += 2
            continue
        if quote:
            if char == quote:
                quote = ""
            else:
                out.append(char)
        elif char in "\"'":
            quote = char
        elif char.isspace():
            break
        else:
            out.append(char)
        index += 1
    return "".join(out), text[index:]


def run_mounts(values: Iterable[str], path: str, line: int) -> tuple[RunMount, ...]:
    """Reads the values of ``RUN --mount``.

    Args:
        values: comma-separated fields, one text per mount.
        path: the Dockerfile.
        line: of the instruction.

    Raises:
        ConfigError: a mount of an unknown kind.
    """
    return tuple(_mount(value, path, line) for value in values)


def _mount(value: str, path: str, line: int) -> RunMount:
    fields: dict[str, str] = {}
    for part in next(csv.reader([value]), []):
        key, _, said = part.partition("=")
        name = key.strip().lower()
        fields[_ALIASES.get(name, name)] = said.strip()
    kind = fields.get("type", "bind")
    if kind not in _KINDS:
        raise ConfigError(
            f"unknown mount type `{kind}`",
            hint=f"known types: {', '.join(_KINDS)}",
            file=path,
            line=line,
        )
    target = fields.get("target", "")
    return RunMount(
        kind=kind,
        source=fields.get("source", ""),
        target=target,
        from_=fields.get("from", ""),
        cache_id=fields.get("id", target) if kind == "cache" else "",
        sharing=fields.get("sharing", "shared") if kind == "cache" else "shared",
    )
