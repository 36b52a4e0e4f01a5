"""What the keys of the board mean (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

REQUESTS = {"r": "retry", "b": "build-all", "p": "pause", "q": "quit"}
FOOTER = (
    ("r", "retry", "retry"),
    ("b", "build all", "all"),
    ("p", "pause", "pause"),
    ("l", "logs", "log"),
    ("w", "why", "why"),
    ("q", "quit", "quit"),
)
"""Key, what it does, and the same in short."""
BACK = (("esc", "back", "back"), ("up/down", "service", "service"), ("q", "quit", "quit"))


class Mode(StrEnum):
    """What the board shows."""

    BOARD = "board"
    LOGS = "logs"
    WHY = "why"


@dataclass(frozen=True, slots=True)
class Screen:
    """What the user looks at.

    Attributes:
        mode: which page.
        selected: the service that ``l`` and ``w`` are about, empty before one was chosen.
    """

    mode: Mode = Mode.BOARD
    selected: str = ""


def press(screen: Screen, key: str, names: Sequence[str]) -> tuple[Screen, str]:
    """What a key does.

    Args:
        screen: what is shown.
        key: a character, or ``up``, ``down``, ``esc``.
        names: the services, in the order shown.

    Returns:
        What is shown then, and what is asked of the loop (a value of ``Request``), empty for
        nothing.
    """
    pages = {"l": Mode.LOGS, "w": Mode.WHY}
    if key in REQUESTS:
        return screen, REQUESTS[key]
    if key == "esc" or (key in pages and screen.mode is pages[key]):
        return replace(screen, mode=Mode.BOARD), ""
    if key in pages:
        chosen = screen.selected or next(iter(names), "")
        return Screen(pages[key], chosen), ""
    if key in ("up", "down", "k", "j") and names:
        step = 1 if key in ("down", "j") else -1
        if screen.selected not in names:
            return replace(screen, selected=names[0 if step == 1 else -1]), ""
        at = (names.index(screen.selected) + step) % len(names)
        return replace(screen, selected=names[at]), ""
    return screen, ""


def decode(data: bytes) -> list[str]:
    """The keys in what a terminal sent; what is none of ours is left out."""
    arrows = {b"\x1b[A": "up", b"\x1b[B": "down", b"\x1bOA": "up", b"\x1bOB": "down"}
    keys = []
    while data:
        arrow = next((code for code in arrows if data.startswith(code)), b"")
        if arrow:
            keys.append(arrows[arrow])
            data = data[len(arrow) :]
        elif data.startswith(b"\x1b"):
            if len(data) > 1 and data[1:2] != b"\x1b":
                break  # some other key's sequence
            keys.append("esc")
            data = data[1:]
        else:
            if 0x20 < data[0] < 0x7F:  # printable ASCII
                keys.append(chr(data[0]).lower())
            data = data[1:]
    return keys
