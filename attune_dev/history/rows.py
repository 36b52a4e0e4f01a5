"""What is kept of a run: plain values, as they stand in the store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TargetRow:
    """What became of one target of an action.

    Attributes:
        name: service, pack or binary.
        outcome: ``compiled``, ``cached``, ``unchanged``, ``recreated`` …
        changed: whether it is another one than before.
        seconds: how long it took, 0 where it is not known by itself.
        size: bytes of an image, 0 for everything else.
    """

    name: str
    outcome: str
    changed: bool
    seconds: float = 0.0
    size: int = 0


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action of a run.

    Attributes:
        kind: ``build``, ``sync-packs`` …
        outcome: ``succeeded``, ``unchanged``, ``failed``, ``skipped`` or ``cancelled``.
        seconds: how long it took.
        via: how a build was done, ``image`` or ``swap``.
        profile: Cargo profile of a build, empty where the Dockerfiles decide.
        steps: build steps that count, 0 for other actions.
        cached: those of them that came from the cache.
        compiled: names of the Cargo packages that were compiled, in the order they started.
        error: why it failed, one line.
        targets: what it was for.
    """

    kind: str
    outcome: str
    seconds: float
    via: str = ""
    profile: str = ""
    steps: int = 0
    cached: int = 0
    compiled: tuple[str, ...] = ()
    error: str = ""
    targets: tuple[TargetRow, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of a plan.

    Attributes:
        started: seconds since the epoch.
        seconds: how long it took.
        ok: whether everything that it makes is current.
        actions: in the plan's order.
    """

    started: float
    seconds: float
    ok: bool
    actions: tuple[ActionRow, ...] = ()
