"""What may be done at the same time, within a plan and beside other plans (pure).

One thing at a time is done to each output, and one compile at a time; what has nothing to do with
each other does not wait for each other. Beside work that compiles, work that does not may be done,
and the other way round: so a saved pack file is live before a long build ends, and whatever is
saved again while the like of it is done is taken up as one, after it.

Pack binaries that no change asks for, as at a start, are asked for when a build of images only
links or exports any more: then cargo is free, and what is left of the build runs beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.model.plan import ActionKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from attune_dev.model.plan import Action, Plan

COMPILER = "compiler"
PACK_BINARIES = "pack binaries"
COMPILES = frozenset({ActionKind.BUILD, ActionKind.BUILD_PACK_BINARIES})
_STARTS = frozenset({ActionKind.RERUN, ActionKind.RECREATE})
_REMAKES = _STARTS | {ActionKind.BUILD}


def outputs(action: Action) -> frozenset[str]:
    """What an action works on; two that share one of these are never done at the same time."""
    match action.kind:
        case ActionKind.RELOAD:
            return frozenset({"definitions"})
        case ActionKind.BUILD_PACK_BINARIES if _asked(action):
            return frozenset({PACK_BINARIES})
        case ActionKind.BUILD | ActionKind.BUILD_PACK_BINARIES:
            return frozenset({COMPILER})
        case ActionKind.SYNC_PACKS:
            return frozenset({"packs"})
        case ActionKind.RERUN | ActionKind.RECREATE | ActionKind.RESTART:
            return frozenset(f"service {name}" for name in action.targets)


def startable(
    actions: Iterable[Action],
    done: AbstractSet[int],
    running: Sequence[Action] = (),
    closing: AbstractSet[int] = frozenset(),
) -> tuple[Action, ...]:
    """The actions of a plan that can start now, in the plan's order.

    Of two that share an output the earlier one goes first, but services are compiled before pack
    binaries where both can be: more people wait for them.

    Args:
        actions: of the plan.
        done: ids of those that have ended, in whichever way.
        running: those that have started and not ended.
        closing: ids of builds that only link or export any more.
    """
    started = {action.id for action in running}
    taken = frozenset[str]().union(*map(outputs, running))
    found: list[Action] = []
    for action in sorted(actions, key=_turn):
        if action.id in done or action.id in started or not set(action.needs) <= done:
            continue
        if taken & outputs(action):
            continue
        builds = [o for o in (*running, *found) if o.kind is ActionKind.BUILD]
        if _asked(action) and any(build.id not in closing for build in builds):
            continue
        taken |= outputs(action)
        found.append(action)
    return tuple(sorted(found, key=lambda action: action.id))


def _asked(action: Action) -> bool:
    """Whether it compiles pack binaries that no change asks for."""
    return action.kind is ActionKind.BUILD_PACK_BINARIES and not action.paths


def _turn(action: Action) -> tuple[bool, int]:
    return action.kind is ActionKind.BUILD_PACK_BINARIES, action.id


def compiles(plan: Plan) -> bool:
    """Whether a plan compiles anything."""
    return any(action.kind in COMPILES for action in plan.actions)


def must_wait(plan: Plan, running: Iterable[Plan]) -> frozenset[str]:
    """The changed paths of a plan whose actions cannot be done beside plans that run.

    A plan for the others is free of them only when it has been asked about, too: with other
    changes, other plans are made.

    Returns:
        Nothing where the plan can run beside the others.
    """
    if reload := plan.of(ActionKind.RELOAD):
        return _paths(plan, reload)  # whoever runs goes by the definitions as they were
    waiting = frozenset[str]()
    for other in running:
        if not compiles(other) and not compiles(plan):
            return _paths(plan, plan.actions)
        waiting |= _paths(plan, [action for action in plan.actions if _clash(action, other)])
    return waiting


def _clash(action: Action, other: Plan) -> bool:
    """Whether an action must not be done while a plan is.

    A restart takes its turn with whatever is done to its service. But a service is not replaced
    while new code is made for it: that is put into the container that was there at first. And one
    whose definition has changed may have no container yet that could be restarted.
    """
    mine = frozenset(action.targets)
    return any(
        (action.kind in COMPILES and theirs.kind in COMPILES)
        or (action.kind in _REMAKES and theirs.kind in _REMAKES and mine & {*theirs.targets})
        or (action.kind is ActionKind.RESTART and theirs.kind in _STARTS and mine & {*theirs.anew})
        for theirs in other.actions
    )


def _paths(plan: Plan, actions: Iterable[Action]) -> frozenset[str]:
    """What caused the actions, with both ends of each move."""
    caused = frozenset[str]().union(*(action.paths for action in actions))
    ends = [change.paths for change in plan.changes if not caused.isdisjoint(change.paths)]
    return caused.union(*ends)
