"""Files that were others for a moment while an action could read them.

A file that is saved and put back while a build runs is the same at the next look, and yet the build
may have compiled what was there in between. Content cannot tell; the times of the file can.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attune_dev.model.change import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from attune_dev.model.plan import Action, ActionKind, Plan
    from attune_dev.watching.eyes import Look

    Work = tuple[ActionKind, str]

MOST_TIMES = 2  # an action that touches its own sources would go on for ever


class Doubts:
    """Remembers what was touched while which work was done."""

    def __init__(self) -> None:
        self._now: frozenset[Work] | None = None
        self._by_path: dict[str, frozenset[Work] | None] = {}
        self._since_scan: frozenset[Work] | None = frozenset()
        self._times: Counter[str] = Counter()
        self._running = False

    def started(self, actions: Iterable[Action] | None) -> None:
        """Work starts; ``None`` where it may read everything."""
        self._running = True
        self._now = None if actions is None else _work(actions)
        self._since_scan = _both(self._since_scan, self._now)

    def ended(self) -> None:
        """It has ended."""
        self._running = False

    def calm(self) -> None:
        """Nothing is left to do: what comes next is no consequence of what was."""
        self._times.clear()

    def touched(self, paths: Iterable[str]) -> None:
        """Something happened to paths just now."""
        if self._running:
            for path in paths:
                self._by_path[path] = _both(self._by_path.get(path, frozenset()), self._now)

    def take(self, look: Look, plan: Callable[[Sequence[Change]], Plan]) -> frozenset[str]:
        """The paths that work has to be done again for, though they are as they were.

        Args:
            look: what has just been found.
            plan: tells what reads which path.
        """
        heard, self._by_path = self._by_path, {}
        works = {path: heard.get(path, frozenset()) for path in look.touched}
        if look.everything:
            works = {path: _both(work, self._since_scan) for path, work in works.items()}
            self._since_scan = self._now if self._running else frozenset()
        suspects = {
            path: work
            for path, work in works.items()
            if work != frozenset() and self._times[path] < MOST_TIMES
        }
        if not suspects:
            return frozenset()
        actions = plan([Change(path) for path in sorted(suspects)]).actions
        doubted = frozenset(
            path
            for action in actions
            for path in action.paths & suspects.keys()
            if (work := suspects[path]) is None or work & _work((action,))
        )
        self._times.update(doubted)
        return doubted


def _work(actions: Iterable[Action]) -> frozenset[Work]:
    return frozenset((action.kind, target) for action in actions for target in action.targets)


def _both(one: frozenset[Work] | None, other: frozenset[Work] | None) -> frozenset[Work] | None:
    """Both together; ``None`` is all that there is."""
    return None if one is None or other is None else one | other
