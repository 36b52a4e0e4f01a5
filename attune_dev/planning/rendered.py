"""The part of a Dockerfile that is rendered, and how it is told from the rest (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from attune_dev.errors import ConfigError


class Strategy(StrEnum):
    """How the Dockerfiles compile.

    ``ONCE``: one cargo call for all binaries asked for, one target cache. ``SHARED``: each service
    compiles for itself, out of its own crates alone, in a target cache of its own. ``LOCKED``: the
    same, in one target cache that one build at a time may use.
    """

    ONCE = "once"
    SHARED = "shared"
    LOCKED = "locked"


BEGIN = (
    "# --- begin: rendered by `inv dockerfiles`, strategy {strategy}; what is changed here is lost"
)
END = "# --- end: rendered by `inv dockerfiles`"

_BEGIN = re.compile(
    r"^# --- begin: rendered by `inv dockerfiles`, strategy (\w+);.*$", re.MULTILINE
)
_END = re.compile(rf"^{re.escape(END)}.*$", re.MULTILINE)
_FROM = re.compile(r"^\s*FROM\s", re.IGNORECASE | re.MULTILINE)
_BASE = re.compile(r"^FROM (\S+) AS (?:builder|manifests)$", re.MULTILINE)
_PREFIX = re.compile(r"id=(\S*?)cargo-registry,")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A Dockerfile taken apart.

    Attributes:
        path: relative to the repository root.
        head: text before the rendered part.
        body: the rendered part, without its first and last line.
        tail: text after it.
        strategy: that it was rendered with.
    """

    path: str
    head: str
    body: str
    tail: str
    strategy: Strategy

    @property
    def text(self) -> str:
        """The whole file."""
        return f"{self.head}{BEGIN.format(strategy=self.strategy)}\n{self.body}{END}{self.tail}"

    @property
    def first(self) -> bool:
        """Whether no stage comes before the rendered part."""
        return _FROM.search(self.head) is None

    @property
    def base(self) -> str:
        """The image or stage that is compiled in, as the file says it; empty if it does not."""
        found = _BASE.search(self.body)
        return found[1] if found else ""

    @property
    def cache_prefix(self) -> str | None:
        """What the ids of its cache mounts start with, ``None`` where it has none."""
        found = _PREFIX.search(self.body)
        return found[1] if found else None


def take_apart(path: str, text: str) -> Rendered | None:
    """Finds the rendered part of a Dockerfile.

    Args:
        path: relative to the repository root.
        text: of the file.

    Returns:
        ``None`` where it has none.

    Raises:
        ConfigError: only one of its ends is there, or the strategy is none.
    """
    begin, end = _BEGIN.search(text), _END.search(text)
    if begin is None and end is None:
        return None
    if begin is None or end is None or end.start() < begin.end():
        raise ConfigError(
            "the rendered part has lost its first or last line",
            why=f"it starts with `{BEGIN.format(strategy='…')}` and ends with `{END}`",
            hint=f"git checkout {path}",
            file=path,
        )
    line = text.count("\n", 0, begin.start()) + 1
    if begin[1] not in list(Strategy):
        names = ", ".join(Strategy)
        raise ConfigError(f"`{begin[1]}` is no strategy: {names}", file=path, line=line)
    return Rendered(
        path,
        head=text[: begin.start()],
        body=text[begin.end() + 1 : end.start()],
        tail=text[end.start() + len(END) :],
        strategy=Strategy(begin[1]),
    )
