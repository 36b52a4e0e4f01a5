"""Waiting for services to answer: the check itself is run, the engine's view lags behind it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from attune_dev.docker.cancel import Cancel
from attune_dev.docker.containers import ContainerState, State
from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

FIRST_DELAY = 0.05
LONGEST_DELAY = 0.5
SETTLE_SECONDS = 0.3
LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One try of a health check: whether it passed, and what it said."""

    ok: bool
    output: str = ""


class HealthSource(Protocol):
    """Where the wait looks."""

    def containers(self) -> tuple[ContainerState, ...]:
        """The project's containers."""
        ...

    def check(self, container: ContainerState) -> CheckResult:
        """Runs a container's health check once."""
        ...

    def logs(self, service: str, lines: int = ...) -> tuple[str, ...]:
        """The last lines of a service's log."""
        ...


class _Wait:
    """The state of one wait: who is done, who failed how at the last try."""

    def __init__(self, source: HealthSource, services: Iterable[str]) -> None:
        self.source = source
        self.waiting = sorted(set(services))
        self.said: dict[str, str] = {}
        self._restarts: dict[str, int] = {}
        self._seen: dict[tuple[str, float], float] = {}

    def look(self, now: float) -> None:
        found: dict[str, list[ContainerState]] = {name: [] for name in self.waiting}
        for container in self.source.containers():
            if container.service in found:
                found[container.service].append(container)
        for name, containers in found.items():
            if not containers:
                raise ActionError(
                    f"{name} has no container", why="it was never started", hint="./inv up"
                )
            for container in containers:
                self._ended(container)
        with ThreadPoolExecutor(max_workers=8) as pool:
            passed = list(pool.map(lambda cs: all(self._ready(c, now) for c in cs), found.values()))
        done = {name for name, ok in zip(found, passed, strict=True) if ok}
        self.waiting = [name for name in self.waiting if name not in done]

    def _ended(self, container: ContainerState) -> None:
        before = self._restarts.setdefault(container.id, container.restarts)
        looping = container.state is State.RESTARTING or container.restarts > before
        ended = container.state in (State.EXITED, State.DEAD)
        if looping or (ended and not container.completed):
            how = f"ended with status {container.exit_code}"
            raise self.failure(container.service, f"{container.service} {how}")

    def _ready(self, container: ContainerState, now: float) -> bool:
        if container.completed:
            return True
        if not container.running:
            return False
        if container.health_check is None:
            since = self._seen.setdefault((container.id, container.started), now)
            return now - since >= SETTLE_SECONDS
        result = self.source.check(container)
        self.said[container.service] = result.output
        return result.ok

    def failure(self, service: str, what: str) -> ActionError:
        said = self.said.get(service, "").strip()
        told = [f"its health check says: {said}"] if said else []
        log = self.source.logs(service, LOG_LINES)
        told += ["its last log lines:", *log] if log else ["it logged nothing"]
        return ActionError(what, why="\n".join(told), hint=f"./inv logs {service}")


def wait_healthy(
    source: HealthSource,
    services: Sequence[str],
    timeout: float,
    *,
    cancel: Cancel | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Waits until each service passes its health check; one without a check must keep running.

    Args:
        source: where to look.
        services: whom to wait for.
        timeout: seconds.
        cancel: ends the wait early.
        clock: seconds that only grow.

    Raises:
        ActionError: a service ended, keeps restarting, has no container, or time ran out.
        Interrupted: the wait was cancelled.
    """
    cancel = cancel or Cancel()
    wait = _Wait(source, services)
    deadline = clock() + timeout
    delay = FIRST_DELAY
    while True:
        cancel.check()
        wait.look(clock())
        if not wait.waiting:
            return
        if clock() >= deadline:
            late = wait.waiting
            what = f"{', '.join(late)} did not become healthy within {timeout:g} s"
            raise wait.failure(late[0], what)
        cancel.sleep(delay)
        delay = min(delay * 1.5, LONGEST_DELAY)
