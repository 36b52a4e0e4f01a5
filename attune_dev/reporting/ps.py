"""The table of ``inv ps``, pure: one row per service, from what the engine and the files say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Row:
    """One service as ``inv ps`` tells it.

    Attributes:
        service: its name.
        state: as the engine sees it; ``absent`` without a container.
        health: as the engine sees it or a try just now, empty without a check.
        image_age: seconds since the image was made, ``None`` without one.
        container_age: seconds since the container was made, ``None`` without one.
        stale: whether the container runs another image than the present one.
        swapped: seconds since programs were exchanged in the container, ``None`` where it runs
            what its image holds.
        mounts: ``in sync``, what differs, or empty where no mount carries packs.
        url: where it answers, empty where it publishes nothing.
    """

    service: str
    state: str
    health: str = ""
    image_age: float | None = None
    container_age: float | None = None
    stale: bool = False
    swapped: float | None = None
    mounts: str = ""
    url: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON values."""
        return {
            "name": self.service,
            "state": self.state,
            "health": self.health,
            "image_age": _rounded(self.image_age),
            "container_age": _rounded(self.container_age),
            "stale": self.stale,
            "swapped": _rounded(self.swapped),
            "mounts": self.mounts,
            "url": self.url,
        }


def render(rows: Iterable[Row]) -> list[str]:
    """The table as lines, with as few columns as its content allows."""
    table = [("SERVICE", "STATE", "HEALTH", "IMAGE", "CONTAINER", "MOUNTS", "URL")]
    for row in rows:
        image = age(row.image_age) + (" (newer than the container)" if row.stale else "")
        table.append(
            (
                row.service,
                row.state,
                row.health or "-",
                image,
                age(row.container_age) + _swapped(row),
                row.mounts or "-",
                row.url or "-",
            )
        )
    return align(table)


def _swapped(row: Row) -> str:
    return "" if row.swapped is None else f" (program swapped {age(row.swapped)} ago)"


def align(table: Sequence[Sequence[str]]) -> list[str]:
    """Columns of equal width, two spaces between, nothing at the ends of lines."""
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]


def age(seconds: float | None) -> str:
    """How long ago, in the largest unit that fits: ``12 s``, ``3 min``, ``5 h``, ``2 d``."""
    if seconds is None:
        return "-"
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
