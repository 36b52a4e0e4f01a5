"""``.dockerignore`` rules and ``COPY`` patterns, by Docker's own semantics.

Not git's, so ``pathspec`` cannot be used for them: a pattern without a slash is anchored at the
context, a later rule may take a file out of an ignored folder again, and a trailing slash means
nothing. The rules are those of ``moby/patternmatcher`` (patternmatcher.go, ignorefile.go).
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from attune_dev.model.dockerfile import SourcePattern


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """One line of a ``.dockerignore``.

    Attributes:
        text: the line as written, without surrounding white space.
        line: one-based.
        exception: whether it starts with ``!`` and takes files in again.
        matches: whether a path relative to the context matches, ancestors not counted.
    """

    text: str
    line: int
    exception: bool
    matches: Callable[[str], object] = field(repr=False, compare=False)


class IgnoreRules:
    """The rules of one ``.dockerignore``; the last one that matches decides."""

    __slots__ = ("_cache", "rules")

    def __init__(self, rules: tuple[IgnoreRule, ...] = ()) -> None:
        self.rules = rules
        self._cache: dict[str, int] = {"": 0}

    @classmethod
    def parse(cls, lines: Iterable[str], file: str | None = None) -> IgnoreRules:
        """Reads the lines of an ignore file.

        Args:
            lines: with or without their ends.
            file: the name that errors tell.

        Raises:
            ConfigError: a pattern that Docker rejects.
        """
        rules = []
        for number, raw in enumerate(lines, start=1):
            line = raw.removeprefix("\ufeff") if number == 1 else raw
            if line.startswith("#") or not line.strip():
                continue
            rules.append(_rule(line.strip(), number, file))
        return cls(tuple(rules))

    def ignores(self, path: str) -> IgnoreRule | None:
        """The rule that keeps ``path`` out of the context, ``None`` where it is in.

        Args:
            path: relative to the context, with ``/``.
        """
        matched = self._matched(path)
        if not matched:
            return None
        rule = self.rules[matched.bit_length() - 1]
        return None if rule.exception else rule

    def _matched(self, path: str) -> int:
        """A bit for each rule that matches the path or a folder above it."""
        below: list[str] = []
        while path not in self._cache:
            below.append(path)
            path = _folder(path)
        known = self._cache[path]
        for current in reversed(below):
            for bit, rule in enumerate(self.rules):
                if not known >> bit & 1 and rule.matches(current):
                    known |= 1 << bit
            self._cache[current] = known
        return known


def source_matches(pattern: str, path: str) -> bool:
    """Whether a ``COPY`` source takes a file in.

    Args:
        pattern: relative to the context; ``""`` is all of it, a folder covers what is below it.
        path: a file, relative to the context.
    """
    if not pattern:
        return True
    if not any(char in pattern for char in "*?[\\"):
        return path == pattern or path.startswith(pattern + "/")
    matches = _matcher(pattern)
    while path:
        if matches(path):
            return True
        path = _folder(path)
    return False


def reads(source: SourcePattern, path: str) -> bool:
    """Whether a stage reads a repository file through ``source``, before any ignore file.

    Args:
        source: of an image's inputs.
        path: relative to the repository root.
    """
    if source.context:
        if not path.startswith(source.context + "/"):
            return False
        path = path[len(source.context) + 1 :]
    if not source_matches(source.pattern, path):
        return False
    below = path
    if source.pattern and not any(char in source.pattern for char in "*?["):
        below = path[len(source.pattern) + 1 :] or path
    return not any(_excluded(pattern, path, below) for pattern in source.exclude)


def _excluded(pattern: str, path: str, below: str) -> bool:
    """``--exclude`` is relative to the copied folder."""
    clean = _clean(pattern)
    return source_matches(clean, below) or source_matches(clean, path)


def clean_source(text: str) -> str:
    """A ``COPY`` source as written, relative to the context: it cannot leave it."""
    return _clean(posixpath.normpath("/" + text))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _clean(text: str) -> str:
    clean = posixpath.normpath(text).lstrip("/")
    return "" if clean == "." else clean


def _rule(text: str, number: int, file: str | None) -> IgnoreRule:
    exception = text.startswith("!")
    pattern = text[1:].strip() if exception else text
    if not pattern:
        raise ConfigError("`!` stands alone", file=file, line=number)
    clean = posixpath.normpath(pattern)
    if len(clean) > 1 and clean.startswith("/"):
        clean = clean.lstrip("/")
    try:
        matches = _matcher(clean)
    except ValueError as problem:
        raise ConfigError(
            f"`{text}` is no pattern", why=str(problem), file=file, line=number
        ) from None
    return IgnoreRule(text, number, exception, matches)


@lru_cache(maxsize=4096)
def _matcher(pattern: str) -> Callable[[str], object]:
    """A test whether a whole path matches.

    Raises:
        ValueError: an open bracket, a bad range or a lone escape.
    """
    if not any(char in pattern for char in "*?[\\"):
        return pattern.__eq__
    suffix = pattern[2:]
    if pattern.startswith("**") and suffix and not any(char in suffix for char in "*?[\\"):
        # A case of its own in Docker: `**.md` takes in `a.md`, though `x**.md` does not `xa.md`.
        return _Suffix(suffix).matches
    return re.compile(_translate(pattern), re.DOTALL).fullmatch


@dataclass(frozen=True, slots=True)
class _Suffix:
    text: str

    def matches(self, path: str) -> bool:
        return path.endswith(self.text) or (self.text[0] == "/" and path == self.text[1:])


def _translate(pattern: str) -> str:
    """The expression of a whole path.

    What follows a `*` up to the next one is taken at its first place and for good: a later place
    could do no better, and going back to look for one takes time without end on hostile patterns.
    """
    done: list[str] = []
    chunk: list[str] = []
    star = ""
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if char == "*":
            if star == "[^/]*?":
                done.append(f"(?>{star}{''.join(chunk)})")
            else:
                done.append(star + "".join(chunk))
            star, index = _star(pattern, index)
            chunk = []
        elif char == "[":
            text, index = _character_class(pattern, index)
            chunk.append(text)
        elif char == "\\":
            if index + 1 >= len(pattern):
                raise ValueError("it ends in a backslash")
            chunk.append(re.escape(pattern[index + 1]))
            index += 2
        else:
            chunk.append("[^/]" if char == "?" else re.escape(char))
            index += 1
    return "".join((*done, star, *chunk))


def _star(pattern: str, index: int) -> tuple[str, int]:
    """The expression for `*` or any number of `**/`, and the index behind."""
    if not pattern.startswith("**", index):
        return "[^/]*?", index + 1
    while pattern.startswith("**", index):
        index += 3 if pattern.startswith("**/", index) else 2
    return (".*", index) if index >= len(pattern) else ("(?:.*/)?", index)


def _character_class(pattern: str, start: int) -> tuple[str, int]:
    """The class that starts at the bracket, by Go's ``filepath.Match``, and where it ends."""
    index = start + 1
    negated = pattern.startswith("^", index)
    index += negated
    ranges: list[str] = []
    while not (pattern.startswith("]", index) and ranges):
        low, index = _class_character(pattern, index)
        high = low
        if pattern.startswith("-", index):
            high, index = _class_character(pattern, index + 1)
        if high < low:
            raise ValueError(f"the range {low}-{high} is upside down")
        ranges.append(f"{re.escape(low)}-{re.escape(high)}")
    return f"[{'^/' if negated else ''}{''.join(ranges)}]", index + 1


def _class_character(pattern: str, index: int) -> tuple[str, int]:
    if pattern.startswith("\\", index):
        index += 1
    elif pattern[index : index + 1] in ("-", "]"):
        raise ValueError("its bracket holds no valid range")
    if index >= len(pattern):
        raise ValueError("its bracket is not closed")
    return pattern[index], index + 1
