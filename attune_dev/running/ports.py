"""What the executor needs of packs, and how an action talks while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from attune_dev.docker.cancel import Cancel
from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attune_dev.docker.progress import BuildEvent


def _nothing(_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Talk:
    """How an action that runs tells, and is told to stop.

    Attributes:
        on_line: a line of output without control sequences; from any thread.
        on_build: progress of a build as data; from any thread.
        cancel: a request to stop.
    """

    on_line: Callable[[str], None] = _nothing
    on_build: Callable[[BuildEvent], None] = _nothing
    cancel: Cancel = field(default_factory=Cancel)


@dataclass(frozen=True, slots=True)
class ContentResult:
    """What was done to one pack or one pack binary.

    Attributes:
        name: the pack's folder name, or the binary's name.
        changed: whether its content is another one than before.
        detail: for people, short: ``3 files written, 1 deleted``.
        seconds: how long it took, 0 where it is not known by itself.
        current_since: seconds since the epoch when its content last changed where the services
            read it, 0 if unknown. Lets a restart be left out whose reader started later.
        failed: whether it could not be made current.
    """

    name: str
    changed: bool
    detail: str = ""
    seconds: float = 0.0
    current_since: float = 0.0
    failed: bool = False


class PartlyDone(ActionError):  # noqa: N818 - reads as what happened
    """Some targets could not be made current; the others were.

    Args:
        problem: what went wrong with those that were not.
        results: one per target; those that failed are unchanged.
    """

    def __init__(self, problem: ActionError, results: tuple[ContentResult, ...]) -> None:
        super().__init__(
            problem.what,
            why=problem.why,
            hint=problem.hint,
            file=problem.file,
            line=problem.line,
            column=problem.column,
        )
        self.results = results


class PacksPort(Protocol):
    """Packs in their volume.

    Both raise :class:`attune_dev.errors.ActionError` where it cannot be done, with everything
    left as it was, :class:`PartlyDone` where some could be done, and
    :class:`attune_dev.errors.Interrupted` after ``talk.cancel`` was requested.
    """

    def sync(self, packs: Sequence[str], talk: Talk) -> tuple[ContentResult, ...]:
        """Brings the volume to what the packs' folders hold.

        Args:
            packs: folder names, at least one; one that exists no more is removed.
            talk: where to tell.

        Returns:
            One result per pack, in the order asked for.
        """
        ...

    def build_binaries(self, names: Sequence[str], talk: Talk) -> tuple[ContentResult, ...]:
        """Compiles pack binaries, all in one call, checks them, and places them in their packs.

        Args:
            names: Cargo binaries, at least one.
            talk: where to tell.

        Returns:
            One result per binary, in the order asked for.
        """
        ...
