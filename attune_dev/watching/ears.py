"""What an observation tells, whatever it observes with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Trouble(StrEnum):
    """What makes events untrustworthy."""

    OVERFLOW = "overflow"
    WATCH_LIMIT = "watch limit"
    THREAD_DIED = "thread died"
    ROOT_GONE = "root gone"


@dataclass(frozen=True, slots=True)
class Ears:
    """Where an observation tells what it hears; called from its threads.

    Attributes:
        path: a file or folder, absolute, something happened to, and whether it is a folder.
        trouble: events may be missing from now on.
    """

    path: Callable[[str, bool], None]
    trouble: Callable[[Trouble], None]
