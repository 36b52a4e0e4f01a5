"""What doubles have in common: they record calls, and fail when they are told to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attune_dev.errors import AttuneDevError


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a double received: the method and whom it was about."""

    name: str
    targets: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.name, *self.targets))


@dataclass
class Script:
    """Recorded calls, and the failures that were ordered."""

    calls: list[Call] = field(default_factory=list)
    _failures: dict[str, list[AttuneDevError]] = field(default_factory=lambda: defaultdict(list))
    _hooks: dict[str, list[Callable[[], None]]] = field(default_factory=lambda: defaultdict(list))

    def fail(self, name: str, error: AttuneDevError) -> None:
        """Lets the next call of ``name`` fail; more than one queue up."""
        self._failures[name].append(error)

    def during(self, name: str, hook: Callable[[], None]) -> None:
        """Has ``hook`` called in the midst of the next call of ``name``."""
        self._hooks[name].append(hook)

    def record(self, name: str, targets: Sequence[str] = ()) -> None:
        """Writes a call down, then does what was ordered for it."""
        self.calls.append(Call(name, tuple(targets)))
        for hook in self._hooks.pop(name, ()):
            hook()
        if self._failures[name]:
            raise self._failures[name].pop(0)

    @property
    def told(self) -> list[str]:
        """The calls as text, for comparison."""
        return [str(call) for call in self.calls]
