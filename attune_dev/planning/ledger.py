"""The ledger of pending changes: what was seen on disk and has not reached what runs.

A change leaves the ledger only when every action that it caused, and that started after the change
was seen, has succeeded, or when the plan says that nothing reads it. So a failed build stays
pending when another file is saved next, and a save during a build is not lost.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from attune_dev.model.change import Change, ChangeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from attune_dev.model.plan import Plan

EMPTY_DIGESTS = frozenset({"", "empty", "empty+x"})


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """A difference of one path between two looks at the disk.

    Attributes:
        path: relative to the root.
        before: digest of the earlier content, ``None`` where there was no file.
        after: digest of the later content, ``None`` where there is no file.
    """

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A pending path.

    Attributes:
        path: relative to the root.
        base: digest that what runs was made from, ``None`` where there was no file.
        digest: digest that was seen last, ``None`` where there is no file.
        seen_at: when it was seen.
        tried: whether an action that it caused has started without settling it, so that what
            runs may hold something between ``base`` and ``digest``.
    """

    path: str
    base: str | None
    digest: str | None
    seen_at: float
    tried: bool = False

    @property
    def kind(self) -> ChangeKind:
        """How the path changed, as the user would tell it."""
        if self.digest is None:
            return ChangeKind.DELETED
        return ChangeKind.CREATED if self.base is None else ChangeKind.MODIFIED


@dataclass(frozen=True, slots=True)
class Ledger:
    """Pending changes by path. Every method returns a new ledger.

    Attributes:
        entries: by path.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.entries)

    @property
    def paths(self) -> tuple[str, ...]:
        """The pending paths, sorted."""
        return tuple(sorted(self.entries))

    def absorb(self, edits: Iterable[Edit], at: float) -> Ledger:
        """Takes what was seen into account.

        A path that is back to what runs leaves the ledger, unless an action has tried it.

        Args:
            edits: differences since the last look.
            at: when they were seen, on the scale of ``settle``'s ``started_at``.
        """
        entries = dict(self.entries)
        for edit in edits:
            known = entries.get(edit.path)
            base = edit.before if known is None else known.base
            tried = known is not None and known.tried
            if edit.after == base and not tried:
                entries.pop(edit.path, None)
            else:
                entries[edit.path] = Entry(edit.path, base, edit.after, at, tried)
        return Ledger(entries)

    def changes(self, paths: AbstractSet[str] | None = None) -> tuple[Change, ...]:
        """The pending changes for the planner, moves recognised.

        Args:
            paths: which ones; all where it is ``None``.
        """
        chosen = [e for p, e in self.entries.items() if paths is None or p in paths]
        return describe(Edit(e.path, e.base, e.digest) for e in chosen)

    def doubt(self, digests: Mapping[str, str | None], at: float) -> Ledger:
        """Takes paths in that are as they were, but may have been read when they were others.

        Args:
            digests: path to digest as it is.
            at: when that was noticed.
        """
        entries = dict(self.entries)
        for path, now in digests.items():
            known = entries.get(path, Entry(path, now, now, at))
            entries[path] = replace(known, seen_at=at, tried=True)
        return Ledger(entries)

    def begin(self, plan: Plan) -> Ledger:
        """Notes that the actions of a plan start: from here on, going back is a change too."""
        caused = _caused(plan)
        ends = [c.paths for c in plan.changes if not caused.keys().isdisjoint(c.paths)]
        return self.touched({*caused}.union(*ends))

    def touched(self, paths: Iterable[str]) -> Ledger:
        """Notes that actions start that these paths caused."""
        entries = dict(self.entries)
        for path in paths:
            if path in entries:
                entries[path] = replace(entries[path], tried=True)
        return Ledger(entries)

    def settle(self, plan: Plan, succeeded: AbstractSet[int], started_at: float) -> Ledger:
        """Lets go of what has reached what runs.

        Args:
            plan: what was executed, the one that ``begin`` was told.
            succeeded: ids of the actions that succeeded or had nothing to do.
            started_at: when the first action started; what was seen later stays.
        """
        caused = _caused(plan)
        ignored = {item.path for item in plan.ignored}
        entries = dict(self.entries)
        for path, partners in _ends(plan.changes).items():
            entry = entries.get(path)
            if entry is None:
                continue
            actions = frozenset[int]().union(*(caused.get(end, frozenset()) for end in partners))
            seen_before = entry.seen_at < started_at
            left_alone = not actions and bool(ignored & partners)
            if seen_before and (left_alone or (actions and actions <= succeeded)):
                del entries[path]
        return Ledger(entries)

    def settle_all(self, started_at: float) -> Ledger:
        """Lets go of all that was seen before something that makes everything current started."""
        return Ledger({p: e for p, e in self.entries.items() if not e.seen_at < started_at})

    def settle_written(self, digests: Mapping[str, str | None]) -> Ledger:
        """Lets go of paths that an action wrote and later actions took, as they were then.

        Args:
            digests: path to the digest it had when it was taken.
        """
        kept = {
            path: entry
            for path, entry in self.entries.items()
            if path not in digests or digests[path] != entry.digest
        }
        return Ledger(kept)


def describe(edits: Iterable[Edit]) -> tuple[Change, ...]:
    """Edits as changes: a deletion and a creation of the same content are one move.

    Empty files are never paired: they are all alike. Of several candidates the one with the same
    file name is taken first, then the first in order.
    """
    deleted: dict[str, list[str]] = defaultdict(list)
    created: list[Edit] = []
    told: list[Change] = []
    for edit in sorted(edits, key=lambda e: e.path):
        if edit.before is None and edit.after is not None:
            created.append(edit)
        elif edit.after is None:
            if edit.before is not None and edit.before not in EMPTY_DIGESTS:
                deleted[edit.before].append(edit.path)
            else:
                told.append(Change(edit.path, ChangeKind.DELETED))
        else:
            told.append(Change(edit.path, ChangeKind.MODIFIED))
    # Names that stay the same are paired first, so that a second copy cannot take the place.
    for edit in sorted(created, key=lambda e: (not _same_name(e, deleted), e.path)):
        origin = _origin(edit, deleted)
        if origin is None:
            told.append(Change(edit.path, ChangeKind.CREATED))
        else:
            told.append(Change(edit.path, ChangeKind.MOVED, origin))
    told += [Change(path, ChangeKind.DELETED) for left in deleted.values() for path in left]
    return tuple(sorted(told, key=lambda c: c.path))


def _same_name(edit: Edit, deleted: Mapping[str, list[str]]) -> bool:
    candidates = deleted.get(edit.after or "", ())
    return any(_name(candidate) == _name(edit.path) for candidate in candidates)


def _origin(edit: Edit, deleted: Mapping[str, list[str]]) -> str | None:
    candidates = deleted.get(edit.after or "", [])
    for index, candidate in enumerate(candidates):
        if _name(candidate) == _name(edit.path):
            return candidates.pop(index)
    return candidates.pop(0) if candidates else None


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _caused(plan: Plan) -> dict[str, frozenset[int]]:
    """Which actions each path caused, those that only follow from them included."""
    caused: dict[str, set[int]] = defaultdict(set)
    for action in plan.actions:
        for path in action.paths:
            caused[path].add(action.id)
    return {path: frozenset(ids) for path, ids in caused.items()}


def _ends(changes: Iterable[Change]) -> dict[str, frozenset[str]]:
    """Each changed path with all ends of its change: a move stands or falls as a whole."""
    return {path: frozenset(change.paths) for change in changes for path in change.paths}
