"""Commands of a shell whose output or status follows from their arguments alone."""

from __future__ import annotations

import posixpath
import re

from attune_dev.planning.shell_words import UNKNOWN

_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "r": "\r"}
_CONVERSION = re.compile(r"%[-+ 0#]*\d*(?:\.\d+)?([%a-zA-Z])")
_CLASSES = {
    "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "[:lower:]": "abcdefghijklmnopqrstuvwxyz",
    "A-Z": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "a-z": "abcdefghijklmnopqrstuvwxyz",
}


def builtin_output(argv: list[str], stdin: str) -> str | None:
    """The output of ``echo``, ``cat``, ``tr``, ``basename`` or ``dirname``; ``None`` for others."""
    name, rest = argv[0], argv[1:]
    if name == "echo":
        words = rest
        while words and re.fullmatch(r"-[neE]+", words[0]):
            words = words[1:]
        return " ".join(words) + "\n"
    if name == "cat" and not rest:
        return stdin
    if name == "tr" and len(rest) == 2:
        return _translate(rest, stdin)
    if name in ("basename", "dirname") and rest and not rest[0].startswith("-"):
        if name == "dirname":
            return posixpath.dirname(rest[0]) + "\n"
        base = posixpath.basename(rest[0].rstrip("/"))
        return (base.removesuffix(rest[1]) if len(rest) > 1 else base) + "\n"
    return None


def printf(words: list[str]) -> str:
    """What ``printf`` prints: the format again and again until no argument is left."""
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        return ""
    form = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), words[0])
    arguments = words[1:]
    out: list[str] = []
    while True:
        before = len(arguments)

        def convert(match: re.Match[str]) -> str:
            if match[1] == "%":
                return "%"
            return arguments.pop(0) if arguments else ""

        out.append(_CONVERSION.sub(convert, form))
        if not arguments or len(arguments) == before:
            return "".join(out)


def test_value(words: list[str]) -> bool | None:
    """The status of a ``test``, ``None`` where it depends on what only the build knows."""
    if any(UNKNOWN in word for word in words):
        return None
    if words[:1] == ["!"]:
        value = test_value(words[1:])
        return None if value is None else not value
    if len(words) == 1:
        return bool(words[0])
    if len(words) == 2 and words[0] in ("-n", "-z"):
        return bool(words[1]) is (words[0] == "-n")
    if len(words) == 3 and words[1] in ("=", "==", "!="):
        return (words[0] == words[2]) is (words[1] != "!=")
    if len(words) == 3 and words[0].isdigit() and words[2].isdigit():
        left, right = int(words[0]), int(words[2])
        comparisons = {
            "-eq": left == right,
            "-ne": left != right,
            "-gt": left > right,
            "-ge": left >= right,
            "-lt": left < right,
            "-le": left <= right,
        }
        return comparisons.get(words[1])
    return None


def xargs_calls(rest: list[str], stdin: str) -> list[list[str]]:
    """The commands that ``xargs`` would run, for the options ``-n``, ``-L`` and ``-I``.

    Args:
        rest: its options, then the command.
        stdin: what it reads.
    """
    items = stdin.split() or [UNKNOWN]
    size, replaced, at = len(items), "", 0
    while at < len(rest) and rest[at].startswith("-"):
        option = rest[at]
        value = option[2:] or (rest[at + 1] if at + 1 < len(rest) else "")
        if option[:2] in ("-n", "-L") and value.isdigit():
            size = max(int(value), 1)
        elif option[:2] == "-I":
            replaced, size = value, 1
        at += 2 if len(option) == 2 and option[1] in "nILPdsE" else 1
    command = rest[at:]
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    if not command:
        return []
    if replaced:
        return [[word.replace(replaced, batch[0]) for word in command] for batch in batches]
    return [[*command, *batch] for batch in batches]


def _translate(rest: list[str], stdin: str) -> str:
    if rest[0] == "-d":
        return "".join(char for char in stdin if char not in _set_of(rest[1]))
    source, target = _set_of(rest[0]), _set_of(rest[1])
    if (rest[0].startswith("-") and len(rest[0]) > 1) or not target:
        return UNKNOWN
    target += target[-1] * (len(source) - len(target))
    return stdin.translate({ord(a): b for a, b in zip(source, target, strict=False)})


def _set_of(text: str) -> str:
    if text in _CLASSES:
        return _CLASSES[text]
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text)
