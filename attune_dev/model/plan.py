"""What the planner decides, as values: actions with causes, and what was left alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from attune_dev.model.change import Change


class ActionKind(StrEnum):
    """The closed set of actions, in the order in which a plan lists them."""

    RELOAD = "reload"
    BUILD_PACK_BINARIES = "build-pack-binaries"
    SYNC_PACKS = "sync-packs"
    BUILD = "build"
    RERUN = "rerun"
    RECREATE = "recreate"
    RESTART = "restart"


@dataclass(frozen=True, slots=True, order=True)
class Because:
    """One cause of an action.

    Attributes:
        path: the changed path; empty where the cause is a request or another action.
        reason: why this path leads to this action, one line.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a plan: exactly one kind of call to the world.

    Attributes:
        id: one-based, in the plan's order.
        kind: what is done.
        targets: packs, binaries or services, sorted; empty for ``reload``.
        needs: ids of the actions that must have succeeded before.
        because: causes, sorted.
        always: targets with a cause of their own. The others are here only because of what an
            action in ``needs`` may change: where it changed nothing (the same image id, the same
            bytes in the volume) they are left as they run.
        anew: targets of a recreate that need a new container, whatever was built: their definition
            changed. Not every one that has a cause of its own does; a restart may be all it is.
        restarts: targets of a recreate that stand for a restart, too: where the container stays,
            because image and definition are the same, it is restarted.
        compiles: targets of a build for which nothing but compiled code changes: another way than
            through the image can bring it.
    """

    id: int
    kind: ActionKind
    targets: tuple[str, ...]
    needs: tuple[int, ...] = ()
    because: tuple[Because, ...] = ()
    always: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    compiles: tuple[str, ...] = ()

    @property
    def paths(self) -> frozenset[str]:
        """The changed paths that caused it."""
        return frozenset(cause.path for cause in self.because if cause.path)

    def to_dict(self) -> dict[str, Any]:
        """The action as ``inv plan --json`` shows it."""
        return {
            "id": self.id,
            "action": self.kind.value,
            "targets": list(self.targets),
            "needs": list(self.needs),
            "because": [{"path": c.path, "reason": c.reason} for c in self.because],
        }


@dataclass(frozen=True, slots=True, order=True)
class Ignored:
    """A change that leads to nothing, and the rule that says so."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to a set of changes.

    Attributes:
        changes: what was asked about, sorted.
        actions: in an order that respects ``needs``.
        ignored: changes that cause no action, sorted.
    """

    changes: tuple[Change, ...] = ()
    actions: tuple[Action, ...] = ()
    ignored: tuple[Ignored, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.actions)

    def of(self, kind: ActionKind) -> tuple[Action, ...]:
        """The actions of one kind."""
        return tuple(action for action in self.actions if action.kind is kind)

    def numbered_after(self, last: int) -> Plan:
        """The same plan with higher ids, so that two that run at once share none.

        Args:
            last: the highest id that is in use, 0 where none is.
        """
        if not last:
            return self
        moved = (
            replace(each, id=each.id + last, needs=tuple(need + last for need in each.needs))
            for each in self.actions
        )
        return replace(self, actions=tuple(moved))

    def to_dict(self) -> dict[str, Any]:
        """The plan as ``inv plan --json`` prints it (version 1)."""
        return {
            "version": 1,
            "changes": [change.to_dict() for change in self.changes],
            "actions": [action.to_dict() for action in self.actions],
            "ignored": [{"path": i.path, "reason": i.reason} for i in self.ignored],
        }

    def describe(self) -> str:
        """The plan as text, one action per line; tests compare it literally.

        Example:
            ``[2] -> #4 recreate api, crates/api/src/main.rs: compiles attune-api``
        """
        lines = [_describe(action) for action in self.actions]
        lines += [f"ignored {i.path}: {i.reason}" for i in self.ignored]
        return "\n".join(lines)


def _describe(action: Action) -> str:
    needs = ",".join(str(need) for need in action.needs)
    causes = "; ".join(_cause(c) for c in action.because)
    targets = " ".join(action.targets)
    head = f"[{needs}] -> #{action.id} {action.kind.value}" + (f" {targets}" if targets else "")
    return f"{head}, {causes}" if causes else head


def _cause(cause: Because) -> str:
    return f"{cause.path}: {cause.reason}" if cause.path else cause.reason


def number(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions as they are, checked for ids that ascend from one.

    Raises:
        ValueError: an id is out of order or a need points forward.
    """
    listed = tuple(actions)
    for expected, action in enumerate(listed, start=1):
        if action.id != expected or any(need >= action.id for need in action.needs):
            raise ValueError(f"action {action.id} is out of order")
    return listed
