"""In which order services start (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from attune_dev.docker.bake import known_service
from attune_dev.errors import ConfigError
from attune_dev.model.compose import ComposeProject, Condition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


@dataclass(frozen=True, slots=True)
class Wave:
    """Services that can start together, once what they wait for is there.

    Attributes:
        services: sorted.
        completed: one-shots that must have ended well before.
        healthy: services that must answer before.
    """

    services: tuple[str, ...]
    completed: tuple[str, ...] = ()
    healthy: tuple[str, ...] = ()


def start_waves(project: ComposeProject, services: Iterable[str]) -> tuple[Wave, ...]:
    """Services and all they depend on, in waves.

    Raises:
        UsageError: a service does not exist.
        ConfigError: they depend on each other in a circle.
    """
    graph: dict[str, set[str]] = {}
    todo = list(services)
    while todo:
        name = todo.pop()
        if name not in graph:
            wanted = known_service(project, name).depends_on
            graph[name] = {entry.service for entry in wanted if entry.service in project.services}
            todo += sorted(graph[name])
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as circle:
        names = " -> ".join(circle.args[1])
        raise ConfigError("services depend on each other in a circle", why=names) from None
    waves = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        waves.append(_wave(project, ready, graph))
        sorter.done(*ready)
    return tuple(waves)


def _wave(project: ComposeProject, ready: list[str], known: Collection[str]) -> Wave:
    waited = {
        (entry.service, entry.condition)
        for name in ready
        for entry in project.services[name].depends_on
        if entry.service in known
    }
    return Wave(
        tuple(ready),
        tuple(sorted(name for name, how in waited if how is Condition.COMPLETED)),
        tuple(sorted(name for name, how in waited if how is Condition.HEALTHY)),
    )
