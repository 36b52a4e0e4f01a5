"""Files that were others for a moment while an action could read them.

A file that is saved and put back while a build runs is the same at the next look, and yet the build
may have compiled what was there in between. Content cannot tell; the times of the file can.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.model.change import Change, ChangeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from attune_dev.model.plan import Action, ActionKind, Plan
    from attune_dev.planning.ledger import Edit
    from attune_dev.watching.eyes import Look

    Work = tuple[ActionKind, str]

MOST_TIMES = 2  # an action that touches its own sources would go on for ever


@dataclass(frozen=True, slots=True)
class Doubted:
    """What work may have read that was done meanwhile.

    Attributes:
        again: paths that it has to be done again for, though they are as they were.
        read: paths that may be others now: going back to what they were is a change, too.
    """

    again: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()


class Doubts:
    """Remembers what was touched while which work was done."""

    def __init__(self) -> None:
        self._running: dict[int, frozenset[Work] | None] = {}
        self._by_path: dict[str, frozenset[Work] | None] = {}
        self._since_scan: frozenset[Work] | None = frozenset()
        self._times: Counter[str] = Counter()

    def started(self, number: int, actions: Iterable[Action] | None) -> None:
        """A numbered piece of work starts; ``None`` where it may read everything."""
        self._running[number] = None if actions is None else _work(actions)
        self._since_scan = _both(self._since_scan, self._now())

    def ended(self, number: int) -> None:
        """It has ended."""
        self._running.pop(number, None)

    def _now(self) -> frozenset[Work] | None:
        """All that is done at the moment."""
        now: frozenset[Work] | None = frozenset()
        for work in self._running.values():
            now = _both(now, work)
        return now

    def calm(self) -> None:
        """Nothing is left to do: what comes next is no consequence of what was."""
        self._times.clear()

    def touched(self, paths: Iterable[str]) -> None:
        """Something happened to paths just now."""
        if self._running:
            now = self._now()
            for path in paths:
                self._by_path[path] = _both(self._by_path.get(path, frozenset()), now)

    def take(self, look: Look, plan: Callable[[Sequence[Change]], Plan]) -> Doubted:
        """What work may have read that was done meanwhile.

        Args:
            look: what has just been found.
            plan: tells what reads which path.
        """
        heard, self._by_path = self._by_path, {}
        changes = {path: Change(path) for path in look.touched} | _changes(look.edits)
        works = {path: heard.get(path, frozenset()) for path in changes}
        if look.everything:
            works = {path: _both(work, self._since_scan) for path, work in works.items()}
            self._since_scan = self._now()
        suspects = {path: work for path, work in works.items() if work != frozenset()}
        if not suspects:
            return Doubted()
        try:
            actions = plan([changes[path] for path in sorted(suspects)]).actions
        except Exception:  # noqa: BLE001 - it is told when it is planned in earnest
            return Doubted(read=frozenset(suspects))
        read = frozenset(
            path
            for action in actions
            for path in action.paths & suspects.keys()
            if (work := suspects[path]) is None or work & _work((action,))
        )
        again = frozenset(p for p in read & look.touched if self._times[p] < MOST_TIMES)
        self._times.update(again)
        return Doubted(again, read - look.touched)


def _changes(edits: Iterable[Edit]) -> dict[str, Change]:
    kinds = {True: ChangeKind.DELETED, False: ChangeKind.MODIFIED}
    return {edit.path: Change(edit.path, kinds[edit.after is None]) for edit in edits}


def _work(actions: Iterable[Action]) -> frozenset[Work]:
    return frozenset((action.kind, target) for action in actions for target in action.targets)


def _both(one: frozenset[Work] | None, other: frozenset[Work] | None) -> frozenset[Work] | None:
    """Both together; ``None`` is all that there is."""
    return None if one is None or other is None else one | other
