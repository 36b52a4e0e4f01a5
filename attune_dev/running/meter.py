"""How far a build is: its figures, and what it will still take by what earlier builds took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from attune_dev.docker.diagnostics import BuildRecord
from attune_dev.docker.progress import BuildEvent, Compiling


@dataclass(frozen=True, slots=True)
class BuildFigures:
    """What a build did, whichever way it was done.

    Attributes:
        steps: build steps that count (no loading of files and definitions).
        cached: those of them that came from the cache.
        compiled: Cargo packages that were compiled, in the order they started.
    """

    steps: int = 0
    cached: int = 0
    compiled: tuple[str, ...] = ()


class EarlierBuild(Protocol):
    """A build that ended well, as the history tells it."""

    @property
    def compiled(self) -> tuple[str, ...]:
        """Cargo packages that were compiled, in the order they started."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def profile(self) -> str:
        """Cargo profile, empty where the Dockerfiles decided."""

    @property
    def via(self) -> str:
        """``image`` or ``swap``."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a build will come to.

    Attributes:
        packages: that it compiles in all.
        seconds: that it takes in all.
    """

    packages: int
    seconds: float


def expect(
    seen: Sequence[str], earlier: Sequence[EarlierBuild], *, profile: str = "", via: str = ""
) -> Expected | None:
    """What a build will come to that has compiled these packages so far.

    The latest earlier build that began with the same package is its like: after an edit in one
    crate, cargo begins with that crate; after one in a shared crate, with the shared one; without
    a cache, with the dependencies. One that has compiled all these packages does, too, for cargo
    starts what is ready in no fixed order.

    Args:
        seen: Cargo packages, in the order they started.
        earlier: newest first.
        profile: of this build.
        via: how this build is done.

    Returns:
        ``None`` without such a build.
    """
    if not seen:
        return None
    alike = [build for build in earlier if build.profile == profile and build.via == via]
    so_far = set(seen)
    same_start = (b for b in alike if b.compiled[:1] == (seen[0],) and len(b.compiled) >= len(seen))
    same_work = (b for b in alike if so_far <= set(b.compiled))
    found = next(same_start, None) or next(same_work, None)
    return Expected(len(found.compiled), found.seconds) if found else None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a build does right now.

    Attributes:
        text: one line.
        done: packages that cargo has started with.
        total: packages that it will come to, 0 where that is not known.
        left: seconds that it still takes, ``None`` where that is not known.
    """

    text: str
    done: int = 0
    total: int = 0
    left: float | None = None


class Meter:
    """Folds the events of one build."""

    def __init__(
        self,
        earlier: Sequence[EarlierBuild] = (),
        *,
        profile: str = "",
        via: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts at nothing.

        Args:
            earlier: builds of the same kind, newest first.
            profile: Cargo profile, empty where the Dockerfiles decide.
            via: ``image`` or ``swap``.
            clock: seconds that never go back.
        """
        self._clock = clock
        self._started = clock()
        self._earlier = earlier
        self._profile = profile
        self._via = via
        self._record = BuildRecord()
        self._compiled: list[str] = []

    @property
    def figures(self) -> BuildFigures:
        """What it has come to."""
        record = self._record
        return BuildFigures(len(record.counted), record.cached, tuple(self._compiled))

    def add(self, event: BuildEvent) -> Reading | None:
        """Takes one event into account; returns what is worth telling."""
        self._record.add(event)
        if not isinstance(event, Compiling):
            return None
        self._compiled.append(event.package)
        return self._compiling(event.package)

    def _compiling(self, package: str) -> Reading:
        count = len(self._compiled)
        like = expect(self._compiled, self._earlier, profile=self._profile, via=self._via)
        if like is None:
            return Reading(f"compiling {package}", count)
        left = max(0.0, like.seconds - (self._clock() - self._started))
        return Reading(f"compiling {package}", count, max(like.packages, count), left)
