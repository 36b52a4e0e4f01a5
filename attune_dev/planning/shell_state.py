"""What single commands change in a shell's state, and wrappers around commands."""

from __future__ import annotations

import posixpath
import re

from attune_dev.planning.shell_syntax import Simple, parse_shell
from attune_dev.planning.shell_words import UNKNOWN, Scope, Words

TEXT_LIMIT = 100_000
_ARRAY = re.compile(r"(?s)([A-Za-z_]\w*)(\+?)=\((.*)\)")


def unwrap(argv: list[str]) -> list[str]:
    """The command that a wrapper such as ``env`` or ``timeout`` runs; others as they are."""
    program = posixpath.basename(argv[0])
    if program in ("exec", "command", "nice", "nohup", "time", "sudo", "eatmydata", "stdbuf"):
        at = 1
        while at < len(argv) and argv[at].startswith("-"):
            at += 2 if argv[at] in ("-n", "-u", "-o", "-e", "-i") else 1
        return argv[at:]
    if program == "env":
        at = 1
        while at < len(argv) and (argv[at].startswith("-") or "=" in argv[at]):
            at += 2 if argv[at] in ("-u", "-C") else 1
        return argv[at:]
    if program == "timeout":
        at = 1
        while at < len(argv) and argv[at].startswith("-"):
            at += 2 if argv[at] in ("-k", "-s") else 1
        return argv[at + 1 :]
    if program == "rustup" and argv[1:2] == ["run"]:
        return [word for word in argv[2:] if word != "--install"][1:]
    return argv


def shell_options(words: list[str]) -> tuple[int, bool]:
    """How many words behind ``sh`` are options, and whether its text follows (``-c``)."""
    at = 0
    takes_text = False
    while at < len(words) and words[at][:1] in ("-", "+"):
        takes_text |= "c" in words[at] and not words[at].startswith("--")
        at += 2 if words[at].endswith("o") else 1
    return at, takes_text


def become(scope: Scope, outcomes: list[Scope]) -> None:
    """Makes a scope what any of several outcomes may have left."""
    first, *others = outcomes
    for other in others:
        first.merge(other)
    scope.values, scope.arrays = first.values, first.arrays
    scope.positional, scope.directory = first.positional, first.directory


def assign(text: str, scope: Scope, words: Words) -> None:
    """Carries an assignment out: ``name=value``, ``name+=value`` or an array of bash."""
    array = _ARRAY.fullmatch(text)
    if array is not None:
        name, adds, inside = array.groups()
        call = parse_shell(inside.replace("\n", " ")).commands
        given = call[0].words if call and isinstance(call[0], Simple) else ()
        items = [item for word in given for item in words.fields(word)]
        scope.arrays[name] = [*scope.arrays.get(name, []), *items] if adds else items
        scope.values.pop(name, None)
        return
    name, _, value = text.partition("=")
    expanded = words.text(value)
    if name.endswith("+"):
        name = name[:-1]
        expanded = scope.values.get(name, "") + expanded
    scope.values[name] = expanded if len(expanded) <= TEXT_LIMIT else UNKNOWN


def set_state(name: str, rest: list[str], scope: Scope) -> None:
    """``set``, ``shift``, ``unset`` and the commands that declare variables."""
    if name == "set":
        at = 0
        while at < len(rest) and rest[at][:1] in ("-", "+") and rest[at] != "--":
            at += 2 if rest[at].endswith("o") else 1
        if at < len(rest):
            scope.positional = rest[at + 1 :] if rest[at] == "--" else rest[at:]
    elif name == "shift":
        count = int(rest[0]) if rest and rest[0].isdigit() else 1
        scope.positional = scope.positional[count:]
    elif name == "unset":
        for variable in rest:
            scope.values.pop(variable, None)
            scope.arrays.pop(variable, None)
    else:
        for word in rest:
            variable, has, value = word.partition("=")
            if has:
                scope.values[variable] = value


def change_directory(scope: Scope, rest: list[str]) -> None:
    """``cd``: to a folder that is not known where the word is not."""
    named = [word for word in rest if not word.startswith("-")]
    if not named or UNKNOWN in named[0]:
        scope.directory = UNKNOWN
    else:
        scope.directory = posixpath.normpath(posixpath.join(scope.directory, named[0]))
