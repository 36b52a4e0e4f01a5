"""What was given new code is looked after for a few seconds more: some programs end late."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from attune_dev.docker.containers import Health, State
from attune_dev.errors import ActionError, AttuneDevError
from attune_dev.model.plan import ActionKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from attune_dev.docker.containers import ContainerState
    from attune_dev.docker.port import DockerPort
    from attune_dev.running.outcome import RunResult

SECONDS = 10.0
INTERVAL = 1.5
LOG_LINES = 20


class Probation:
    """Looks at services for ten seconds after they were given new code.

    Args:
        tell: is told of one that ended or became unhealthy, from another thread.
    """

    def __init__(self, tell: Callable[[AttuneDevError], None]) -> None:
        self._tell = tell
        self._looks: dict[str, int] = {}  # service to the number of the look that it is due
        self._number = 0

    def watch(self, port: DockerPort, services: Iterable[str]) -> None:
        """Starts looking after some services."""
        names = frozenset(services)
        self._number += 1
        self._looks |= dict.fromkeys(names, self._number)
        if names:
            look = (port, self._number)
            threading.Thread(target=self._look, args=look, name="probation", daemon=True).start()

    def spare(self, services: Iterable[str]) -> None:
        """Leaves some alone from now on: something is done to them."""
        for name in services:
            self._looks.pop(name, None)

    def end(self) -> None:
        """Leaves all alone: the engine is gone, and whatever ran with it."""
        self._looks.clear()

    def _look(self, port: DockerPort, number: int) -> None:
        try:
            before = {each.id: each for each in port.containers()}
            for _ in range(round(SECONDS / INTERVAL)):
                time.sleep(INTERVAL)
                names = {name for name, due in self._looks.copy().items() if due == number}
                before = {i: each for i, each in before.items() if each.service in names}
                if not before:
                    return
                for service, how in failures(before, port.containers()).items():
                    if self._looks.get(service) == number:  # still
                        self._tell(failure(port, service, how))
                    self.spare([service])
        except AttuneDevError:
            return  # the engine went away: others tell that


def failures(before: Mapping[str, ContainerState], now: Sequence[ContainerState]) -> dict[str, str]:
    """Which services did not stand the time, and how (pure).

    Args:
        before: containers by id, as they were at first.
        now: as they are; one that is gone was removed by somebody.
    """
    found: dict[str, str] = {}
    for container in now:
        known = before.get(container.id)
        if known is None:
            continue
        ended = container.state in (State.EXITED, State.DEAD) and not container.completed
        if ended or container.state is State.RESTARTING or container.restarts > known.restarts:
            status = f" with status {container.exit_code}" if container.exit_code else ""
            found[container.service] = f"ended{status} soon after its start"
        elif container.health is Health.UNHEALTHY and known.health is not Health.UNHEALTHY:
            found[container.service] = "became unhealthy soon after its start"
    return found


def failure(port: DockerPort, service: str, how: str) -> ActionError:
    """What to tell of it, with its last words."""
    log = port.logs(service, LOG_LINES)
    why = "\n".join(["its last log lines:", *log]) if log else "it logged nothing"
    return ActionError(f"{service} {how}", why=why, hint=rollback_hint(service))


def rollback_hint(service: str) -> str:
    """The step that brings back what ran before."""
    return f"correct it and save, or put back what ran before: ./inv rollback {service}"


def given_new_code(result: RunResult) -> tuple[str, ...]:
    """The services that a run has started anew, sorted."""
    return _changed(result, ActionKind.RECREATE, ActionKind.RESTART)


def renewed(result: RunResult) -> tuple[str, ...]:
    """The services that a run has given another program, image or definition, sorted."""
    return _changed(result, ActionKind.RECREATE)


def _changed(result: RunResult, *kinds: ActionKind) -> tuple[str, ...]:
    return tuple(
        sorted({n for each in result.results if each.action.kind in kinds for n in each.changed})
    )
