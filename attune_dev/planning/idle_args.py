"""Build arguments that make no difference to what is left of a Dockerfile (pure).

Two Dockerfiles whose tools are the same often differ in the arguments of the compile that was
taken out: which binaries, which profile. Without them they are the same text, and share a builder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile

_DIRECTIVE = re.compile(r"#\s*\w+\s*=")

Part = tuple[str, tuple[str, ...]]
"""An instruction: its keyword, upper case, and its lines."""


def without_idle_args(parts: Iterable[Part]) -> list[Part]:
    """The instructions without each ``ARG`` that no line names and no later ``RUN`` could read.

    Args:
        parts: in file order; the arguments before the first ``FROM`` are seen by no ``RUN``.
    """
    listed = list(parts)
    above = next((n for n, (keyword, _) in enumerate(listed) if keyword == "FROM"), 0)
    kept: list[Part] = []
    told = ""
    run_follows = False
    for number, (keyword, lines) in reversed(list(enumerate(listed))):
        text = "\n".join(lines)
        read = run_follows and number > above  # stages on top of this one have its arguments, too
        if keyword == "ARG" and not read and not any(_named(n, told) for n in _names(text)):
            continue
        kept.append((keyword, lines))
        told += f"\n{text}"
        run_follows = run_follows or keyword == "RUN"
    return kept[::-1]


def used_args(args: Mapping[str, str | None], parts: Iterable[Part]) -> dict[str, str | None]:
    """The build arguments that some line uses: others would only tell equal stages apart."""
    text = "\n".join(line for key, lines in parts if key != "ARG" for line in lines)
    return {
        name: value
        for name, value in sorted(args.items())
        if re.search(rf"\$\{{?{re.escape(name)}\b", text)
    }


def head_parts(lines: Iterable[str], escape: str) -> list[Part]:
    """Directives (without a keyword) and arguments, from the lines above the first ``FROM``."""
    listed = list(lines)
    directives = list(takewhile(_DIRECTIVE.match, listed))
    args: list[Part] = []
    for line in listed[len(directives) :]:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if args and args[-1][1][-1].endswith(escape):
            args[-1] = ("ARG", (*args[-1][1], line))
        else:
            args.append(("ARG", (line,)))
    return [*([("", tuple(directives))] if directives else []), *args]


def _names(text: str) -> Iterator[str]:
    for word in text.replace("\\\n", " ").split()[1:]:
        if found := re.match(r"(\w+)(=|$)", word):
            yield found[1]


def _named(name: str, text: str) -> bool:
    """Whether a text uses a name as ``$NAME``, or declares it again."""
    again = rf"^\s*ARG\s+(.*\s)?{name}(\s|=|$)"
    return bool(
        re.search(rf"\$\{{?{name}\b", text) or re.search(again, text, re.MULTILINE | re.IGNORECASE)
    )
