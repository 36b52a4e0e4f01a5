"""Holds a plan against what differs (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from attune_dev.model.plan import ActionKind, Plan
from tests.ground_truth.observe import Observation

Output = tuple[str, str]
"""A kind of output (``image``, ``binary``, ``pack``, ``start``) and its name."""

_FILLED_FROM = ("init-packs", "packs")
_STARTS = (ActionKind.RERUN, ActionKind.RECREATE, ActionKind.RESTART)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a plan got right for one edit.

    Attributes:
        differs: outputs that are not what they were; ``start`` is a service whose container no
            longer is what its image, definition and mounts say.
        planned: outputs that the plan makes anew; starts are those that happen in any case.
        missed: what differs and is not planned. None of it is allowed.
        recompiled: binaries that cargo compiles again.
        compiled: binaries that the plan has compiled.
    """

    differs: frozenset[Output]
    planned: frozenset[Output]
    missed: frozenset[Output]
    recompiled: frozenset[str]
    compiled: frozenset[str]

    @property
    def beyond(self) -> frozenset[Output]:
        """Images, binaries and packs that are made anew though nothing of them differs."""
        return frozenset(o for o in self.planned - self.differs if o[0] != "start")


def judge(
    before: Observation,
    after: Observation,
    plan: Plan,
    recompiled: Iterable[str],
    shipped: Mapping[str, tuple[str, ...]],
    unread: Sequence[str] = (),
) -> Judgement:
    """Holds a plan against what two builds gave.

    Args:
        before: the baseline.
        after: the workspace after the edit.
        plan: for the edit.
        recompiled: binaries that cargo compiles again.
        shipped: binaries in the image of each service.
        unread: paths that mounts show and no service reads at its start.
    """
    made: set[Output] = {("image", name) for name in _targets(plan, ActionKind.BUILD)}
    compiled = {b for _, name in made for b in shipped.get(name, ())}
    for name in _targets(plan, ActionKind.BUILD_PACK_BINARIES):
        made.add(("binary", name))
        compiled.add(name)
    made |= {("pack", name) for name in _targets(plan, ActionKind.SYNC_PACKS)}
    differs = _differs(before, after, unread)
    any_start = {("start", n) for kind in _STARTS for n in _targets(plan, kind)}
    certain = {("start", name) for action in plan.actions if action.kind in _STARTS
               for name in action.always}  # fmt: skip
    return Judgement(
        differs=frozenset(differs),
        planned=frozenset(made | certain),
        missed=frozenset(differs - made - any_start),
        recompiled=frozenset(recompiled),
        compiled=frozenset(compiled),
    )


def _targets(plan: Plan, kind: ActionKind) -> set[str]:
    return {target for action in plan.of(kind) for target in action.targets}


def _differs(before: Observation, after: Observation, unread: Sequence[str]) -> set[Output]:
    images = _changed(before.images, after.images) & after.images.keys()
    found: set[Output] = {("image", name) for name in images}
    found |= {("binary", name) for name in _changed(before.binaries, after.binaries)}
    found |= {("pack", name) for name in _changed(before.packs, after.packs)}
    found |= {("start", name) for name in images}
    redefined = _changed(before.definitions, after.definitions) & after.definitions.keys()
    found |= {("start", name) for name in redefined}
    for name, places in after.mounts.items():
        for place, files in places.items():
            # the folder of packs that fills the volume is compared by what the volume then holds
            changed = _changed(before.mounts.get(name, {}).get(place, {}), files)
            counted = {path for path in changed if f"{place}/{path}" not in unread}
            if counted and (name, place) != _FILLED_FROM:
                found.add(("start", name))
    return found


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
