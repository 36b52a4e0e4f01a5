"""Restarts containers by the engine's own call, all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from attune_dev.docker.swapping import STOP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attune_dev.docker.containers import ContainerState
    from attune_dev.docker.health import CheckResult


class Client(Protocol):
    """Calls the docker client."""

    def __call__(self, what: str, words: Sequence[str], *, seconds: float) -> object:
        """Runs it; raises our errors."""
        ...


def restart_together(
    containers: Sequence[ContainerState],
    docker: Client,
    check: Callable[[ContainerState], CheckResult],
    on_line: Callable[[str], None],
) -> frozenset[str]:
    """Restarts containers at once; each gets the time to end that it was made with.

    The health check of each is tried once as soon as it has restarted: others may still be at it.

    Args:
        containers: which.
        docker: the client.
        check: tries a container's health check.
        on_line: told each that has restarted.

    Returns:
        The services of which every container has passed its check.

    Raises:
        ActionError: the engine refused one of them; the others have restarted.
    """

    def restart(container: ContainerState) -> bool:
        # older clients say ten seconds where nothing is said
        patience = container.stop_seconds
        words = [] if patience is None else ["-t", str(patience)]
        docker("restart", ["restart", *words, container.id], seconds=STOP_SECONDS)
        on_line(f"Container {container.name} Restarted")
        return container.health_check is not None and check(container).ok

    with ThreadPoolExecutor(max_workers=8) as pool:
        started = [pool.submit(restart, container) for container in containers]
    passed = [one.result() for one in started]
    late = {c.service for c, ok in zip(containers, passed, strict=True) if not ok}
    return frozenset(c.service for c in containers) - late
