"""Versions of the plugins, and which pairs of them work together."""

from __future__ import annotations

import re
from typing import NamedTuple


class Version(NamedTuple):
    """The first three numbers of a version; what follows them is left out."""

    major: int
    minor: int = 0
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def short(self) -> str:
        """Without the patch, as minimums are told."""
        return f"{self.major}.{self.minor}"


COMPOSE_MINIMUM = Version(2, 20)
BUILDX_MINIMUM = Version(0, 13)

_PAIRS = ((Version(5), Version(0, 17)),)
"""From this Compose on, at least this buildx: older ones fail with it in the middle of a build."""


def parse_version(text: str) -> Version | None:
    """Finds the version in what a plugin says of itself (``v2.40.3-desktop.1``, ``0.29.1+ds1``).

    Returns:
        ``None`` where there is no version in the text.
    """
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return Version(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def buildx_minimum(compose: Version | None) -> Version:
    """The oldest buildx that works with this Compose."""
    needed = BUILDX_MINIMUM
    if compose is not None:
        for since, buildx in _PAIRS:
            if compose >= since:
                needed = max(needed, buildx)
    return needed


def works_together(compose: Version | None, buildx: Version | None) -> bool:
    """Whether both are there, new enough, and fit each other."""
    return (
        compose is not None
        and buildx is not None
        and compose >= COMPOSE_MINIMUM
        and buildx >= buildx_minimum(compose)
    )
