"""Restarts containers by the engine's own call, all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from attune_dev.docker.swapping import STOP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attune_dev.docker.containers import ContainerState


class Client(Protocol):
    """Calls the docker client."""

    def __call__(self, what: str, words: Sequence[str], *, seconds: float) -> object:
        """Runs it; raises our errors."""
        ...


def restart_together(
    containers: Sequence[ContainerState], docker: Client, on_line: Callable[[str], None]
) -> None:
    """Restarts containers at once; each gets the time to end that it was made with.

    Args:
        containers: which.
        docker: the client.
        on_line: told each that has restarted.

    Raises:
        ActionError: the engine refused one of them; the others have restarted.
    """

    def restart(container: ContainerState) -> None:
        # older clients say ten seconds where nothing is said
        patience = container.stop_seconds
        words = [] if patience is None else ["-t", str(patience)]
        docker("restart", ["restart", *words, container.id], seconds=STOP_SECONDS)
        on_line(f"Container {container.name} Restarted")

    with ThreadPoolExecutor(max_workers=8) as pool:
        done = [pool.submit(restart, container) for container in containers]
    for one in done:
        one.result()
