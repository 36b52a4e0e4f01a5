"""What is told while work goes on: values that reporters fold, print or write down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attune_dev.errors import AttuneDevError
    from attune_dev.model.change import Change
    from attune_dev.model.plan import Action, Plan


@dataclass(frozen=True, slots=True)
class Ready:
    """The stack is up and changes are watched.

    Attributes:
        seconds: since the start.
        urls: service to address, for those that answer on the host.
    """

    seconds: float
    urls: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """Files changed.

    Attributes:
        changes: the net difference since the last look.
        note: where they come from if not from an edit just now, e.g. ``while nobody watched``.
    """

    changes: tuple[Change, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Files were saved, no byte changed."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be done and what is left alone."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Started:
    """An action starts; ``via`` is ``image`` or ``swap`` for a build."""

    action: Action
    via: str = ""


@dataclass(frozen=True, slots=True)
class NearlyDone:
    """A build only links or exports from here on."""

    action: Action


@dataclass(frozen=True, slots=True)
class Output:
    """A line that an action printed."""

    action: Action | None
    line: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an action is.

    Attributes:
        action: which.
        text: what it does right now, one line.
        done: how much of it is done, in units of ``total``.
        total: how much there is, 0 where that is not known.
        left: seconds that it will still take by what it took before, ``None`` without a past.
    """

    action: Action
    text: str
    done: int = 0
    total: int = 0
    left: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """An action ended.

    Attributes:
        action: which.
        ok: whether what it makes is current now.
        seconds: how long it took.
        outcome: ``succeeded``, ``unchanged``, ``failed``, ``skipped`` or ``cancelled``.
        via: ``image`` or ``swap`` for a build.
        detail: one line of what it did: ``4 built, 1 changed``.
        built: how many images or binaries a build made, for the summary.
        changed: targets whose content differs from before.
        error: what went wrong.
        broken: targets that are not current, where the others are; empty where all or none are.
    """

    action: Action
    ok: bool
    seconds: float
    outcome: str = ""
    via: str = ""
    detail: str = ""
    built: int = 0
    changed: tuple[str, ...] = ()
    error: AttuneDevError | None = None
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedWork:
    """An action that has not succeeded yet.

    Attributes:
        kind: what was tried, empty where no plan could be made.
        targets: of the action, sorted.
        at: when it failed, seconds since the epoch.
        paths: the changes that wait for it, sorted.
        error: what went wrong, ``None`` where it was only skipped.
    """

    kind: str
    targets: tuple[str, ...]
    at: float
    paths: tuple[str, ...] = ()
    error: AttuneDevError | None = None


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing runs and nothing can run without a new change.

    Attributes:
        ok: whether what runs is what is on disk.
        failed: targets whose last action failed, sorted.
        pending: paths that have not reached what runs, sorted.
        seconds: since the batch was taken up, 0 where nothing ran.
        work: what failed, oldest first.
    """

    ok: bool
    failed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    seconds: float = 0.0
    work: tuple[FailedWork, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something went wrong outside of an action, or an action's error in full."""

    error: AttuneDevError


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth one line that is neither progress nor an error."""

    text: str


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service as the engine sees it.

    Attributes:
        name: the service.
        state: ``running``, ``exited`` …, ``absent`` without a container.
        health: ``starting``, ``healthy``, ``unhealthy``, empty without a check.
        exit_code: of the last run, 0 while it runs.
        one_shot: whether it is to run once and end.
    """

    name: str
    state: str
    health: str = ""
    exit_code: int = 0
    one_shot: bool = False


@dataclass(frozen=True, slots=True)
class Services:
    """What runs, as the engine tells it, sorted by name."""

    states: tuple[ServiceState, ...]


@dataclass(frozen=True, slots=True)
class Paused:
    """Work is held back from now on, or no more."""

    on: bool


@dataclass(frozen=True, slots=True)
class EngineAway:
    """The engine does not answer; the loop waits for it."""

    why: str


@dataclass(frozen=True, slots=True)
class EngineBack:
    """The engine answers again."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The loop ends, with this exit code and for this reason."""

    code: int
    reason: str = ""


Event = (
    Ready
    | Changed
    | Unchanged
    | Planned
    | Started
    | Output
    | NearlyDone
    | Progress
    | Ended
    | Idle
    | Problem
    | Notice
    | Services
    | Paused
    | EngineAway
    | EngineBack
    | Stopped
)
