"""What became of a plan, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from attune_dev.model.event_json import error_to_dict
from attune_dev.model.plan import ActionKind
from attune_dev.running.meter import BuildFigures

if TYPE_CHECKING:
    from attune_dev.errors import AttuneDevError
    from attune_dev.model.plan import Action, Plan


class Outcome(StrEnum):
    """How an action ended.

    ``UNCHANGED``: what it makes was current already. ``SKIPPED``: what it needs has failed.
    ``CANCELLED``: a request to stop came first.
    """

    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What an action did to one of its targets.

    Attributes:
        name: service, pack or binary.
        outcome: one word: ``compiled``, ``cached``, ``recreated``, ``synced``, ``unchanged`` …
        changed: whether it is another one than before.
        seconds: how long it took, 0 where it is not known by itself.
        size: bytes of an image, 0 for everything else.
        detail: what changed, for people: ``3 files written, 1 deleted``.
    """

    name: str
    outcome: str
    changed: bool
    seconds: float = 0.0
    size: int = 0
    detail: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The target as ``--json`` shows it."""
        told: dict[str, Any] = {
            "name": self.name,
            "outcome": self.outcome,
            "seconds": round(self.seconds, 3),
        }
        if self.size:
            told["size"] = self.size
        if self.detail:
            told["detail"] = self.detail
        return told


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What became of an action.

    Attributes:
        action: which.
        outcome: how it ended.
        seconds: how long it took.
        targets: what it did to each target; empty where it failed or did not run.
        error: why it failed.
        because: why it was skipped or had nothing to do.
        via: how a build was done, ``image`` or ``swap``.
        current_since: seconds since the epoch when what it makes last changed, 0 if unknown;
            a container that started later has it.
        figures: steps and packages of a build.
        partly: whether it failed for some targets only; the others are current.
    """

    action: Action
    outcome: Outcome
    seconds: float = 0.0
    targets: tuple[TargetResult, ...] = ()
    error: AttuneDevError | None = None
    because: str = ""
    via: str = ""
    current_since: float = 0.0
    figures: BuildFigures = field(default_factory=BuildFigures)
    partly: bool = False

    @property
    def ok(self) -> bool:
        """Whether what the action makes is current now."""
        return self.outcome in (Outcome.SUCCEEDED, Outcome.UNCHANGED)

    @property
    def broken(self) -> tuple[str, ...]:
        """The targets that are not current: those that failed alone, where it failed in part."""
        if self.ok:
            return ()
        failed = tuple(target.name for target in self.targets if target.outcome == "failed")
        return failed or self.action.targets

    @property
    def done(self) -> tuple[str, ...]:
        """The targets that did not fail."""
        return tuple(target.name for target in self.targets if target.outcome != "failed")

    @property
    def changed(self) -> tuple[str, ...]:
        """The targets that are others than before."""
        return tuple(target.name for target in self.targets if target.changed)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of a plan.

    Attributes:
        plan: which.
        results: one per action, in the plan's order.
        started: seconds since the epoch.
        seconds: how long it took.
    """

    plan: Plan
    results: tuple[ActionResult, ...]
    started: float = 0.0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything that the plan makes is current now."""
        return all(result.ok for result in self.results)

    @property
    def cancelled(self) -> bool:
        """Whether a request to stop ended it."""
        return any(result.outcome is Outcome.CANCELLED for result in self.results)

    @property
    def succeeded(self) -> frozenset[int]:
        """Ids of the actions that succeeded or had nothing to do."""
        return frozenset(result.action.id for result in self.results if result.ok)

    @property
    def failed(self) -> tuple[str, ...]:
        """Targets of the actions that failed or were skipped for it, sorted."""
        broken = (r for r in self.results if r.outcome in (Outcome.FAILED, Outcome.SKIPPED))
        return tuple(sorted({name for result in broken for name in result.broken}))

    @property
    def error(self) -> AttuneDevError | None:
        """The first error."""
        return next((result.error for result in self.results if result.error), None)

    def summary(self) -> str:
        """One line of what was done: ``4 built, 1 changed, 1 restarted``."""
        counts: dict[str, int] = {}
        for result in self.results:
            if not result.ok:
                key = result.outcome.value
                counts[key] = counts.get(key, 0) + max(1, len(result.broken))
                if not result.partly:
                    continue
            verb = _VERBS.get(result.action.kind)
            if result.action.kind in _BUILDS:
                counts["built"] = counts.get("built", 0) + len(result.done)
                counts["changed"] = counts.get("changed", 0) + len(result.changed)
            elif verb and result.changed:
                counts[verb] = counts.get(verb, 0) + len(result.changed)
        ordered = [f"{counts[word]} {word}" for word in _ORDER if word in counts]
        return ", ".join(ordered) or "nothing to do"

    def to_dict(self) -> dict[str, Any]:
        """The result as ``--json`` shows it (version 1), targets in the plan's order."""
        targets = []
        for result in self.results:
            reasons = [cause.reason for cause in result.action.because]
            why = result.because or "; ".join(reasons)
            told = result.targets or tuple(
                TargetResult(name, result.outcome.value, changed=False)
                for name in result.action.targets
            )
            targets += [
                target.to_dict() | {"action": result.action.kind.value, "because": why}
                for target in told
            ]
        document: dict[str, Any] = {
            "version": 1,
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
            "targets": targets,
        }
        if errors := [_error(result) for result in self.results if result.error]:
            document["errors"] = errors
        if builds := [_build(result) for result in self.results if result.figures.steps]:
            document["builds"] = builds
        return document


def _error(result: ActionResult) -> dict[str, Any]:
    """Why an action failed, as ``--json`` shows it; the same words as an event ``error`` has."""
    action, error = result.action, result.error
    told = {"action": action.kind.value, "targets": list(result.broken)}
    return told if error is None else told | error_to_dict(error)


def _build(result: ActionResult) -> dict[str, Any]:
    """The figures of a build as ``--json`` shows them."""
    figures = result.figures
    return {
        "action": result.action.kind.value,
        "seconds": result.seconds,
        "steps": figures.steps,
        "cached": figures.cached,
        "compiled": list(figures.compiled),
    }


_BUILDS = (ActionKind.BUILD, ActionKind.BUILD_PACK_BINARIES)
_VERBS = {
    ActionKind.SYNC_PACKS: "synced",
    ActionKind.RERUN: "run again",
    ActionKind.RECREATE: "restarted",
    ActionKind.RESTART: "restarted",
}
_ORDER = (
    "built",
    "changed",
    "synced",
    "run again",
    "restarted",
    "failed",
    "skipped",
    "cancelled",
)
