"""Calls that would wait for each other, made as one.

Compose calls on one project exclude each other, for two at once may both make its network. What one
call can do for both takes half the time of two in turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.errors import AttuneDevError

if TYPE_CHECKING:
    from attune_dev.docker.port import OnLine

GATHER_SECONDS = 0.1
"""How long a call waits for others that begin at the same moment."""

_locks: dict[str, threading.RLock] = {}
_locks_guard = threading.Lock()

Act = Callable[[frozenset[str], "OnLine"], frozenset[str]]
"""Does something to services, and returns those that it changed."""


def project_lock(name: str) -> threading.RLock:
    """The lock of a project's Compose calls, one in this process.

    Args:
        name: of the project.
    """
    with _locks_guard:
        return _locks.setdefault(name, threading.RLock())


@dataclass(eq=False, slots=True)
class _Call:
    services: frozenset[str]
    on_line: OnLine
    changed: frozenset[str] | None = None


class Joint:
    """Makes one call out of those that wait.

    Args:
        lock: excludes whatever else must not go on beside it.
    """

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self._waiting: list[_Call] = []
        self._guard = threading.Lock()

    def call(self, services: frozenset[str], on_line: OnLine, act: Act) -> frozenset[str]:
        """Does something to services, along with others that are waiting to.

        Where that fails, each is done by itself, so that everyone meets his own failure only.

        Args:
            services: to which.
            on_line: is told the lines that speak of them.
            act: does it; the same for all calls.

        Returns:
            Those that were changed; what nobody has named is among those of one of the calls.

        Raises:
            AttuneDevError: it failed for these services alone.
        """
        mine = _Call(services, on_line)
        with self._guard:
            self._waiting.append(mine)
        time.sleep(GATHER_SECONDS)
        with self._lock:
            return self._do(mine, act) if mine.changed is None else mine.changed

    def _do(self, mine: _Call, act: Act) -> frozenset[str]:
        with self._guard:
            others = [call for call in self._waiting if call is not mine]
            self._waiting.clear()
        if others:
            everyone = [mine, *others]

            def tell(line: str) -> None:
                about = [c for c in everyone if any(name in line for name in c.services)]
                for call in about or everyone[:1]:
                    call.on_line(line)

            try:
                changed = act(frozenset().union(*(call.services for call in everyone)), tell)
            except AttuneDevError:
                pass
            else:
                for call in others:
                    call.changed = changed & call.services
                return changed.difference(*(call.services - mine.services for call in others))
        return act(mine.services, mine.on_line)
