"""In which order services start (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from attune_dev.docker.bake import known_service
from attune_dev.errors import ConfigError
from attune_dev.model.compose import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from attune_dev.model.compose import ComposeProject, Dependency


@dataclass(frozen=True, slots=True)
class Wave:
    """Services that one Compose call can start, once what they wait for is there.

    Attributes:
        services: sorted.
        completed: one-shots that must have ended well before.
        healthy: services that must answer before.
    """

    services: tuple[str, ...]
    completed: tuple[str, ...] = ()
    healthy: tuple[str, ...] = ()


def start_waves(
    project: ComposeProject,
    services: Iterable[str],
    *,
    dependencies: bool = True,
    strict: bool = False,
) -> tuple[Wave, ...]:
    """Services in the order in which they start.

    Within one call Compose waits for conditions itself, but by the engine's view of health, which
    lags by the check's interval (30 s unless the Compose file says less). So services that wait
    for health or completion of others come in a later wave; a mere order needs none.

    Args:
        project: whose services.
        services: which ones.
        dependencies: whether all that they depend on is started too.
        strict: whether a mere order makes a later wave, too, for whoever starts the services of a
            wave all at once.

    Raises:
        UsageError: a service does not exist.
        ConfigError: they depend on each other in a circle.
    """
    wanted = set(services)
    graph: dict[str, tuple[Dependency, ...]] = {}
    todo = sorted(wanted)
    while todo:
        name = todo.pop()
        if name not in graph:
            waits = known_service(project, name).depends_on
            known = project.services if dependencies else wanted
            graph[name] = tuple(entry for entry in waits if entry.service in known)
            todo += [entry.service for entry in graph[name]]
    levels: dict[str, int] = {}
    for name in _ordered(graph):
        steps = (
            levels[e.service] + (strict or e.condition is not Condition.STARTED)
            for e in graph[name]
        )
        levels[name] = max(steps, default=0)
    members = [
        sorted(name for name, level in levels.items() if level == each)
        for each in range(max(levels.values(), default=-1) + 1)
    ]
    return tuple(_wave(names, graph) for names in members)


def _ordered(graph: Mapping[str, Iterable[Dependency]]) -> list[str]:
    names = {name: {entry.service for entry in waits} for name, waits in graph.items()}
    try:
        return list(TopologicalSorter(names).static_order())
    except CycleError as circle:
        told = " -> ".join(circle.args[1])
        raise ConfigError("services depend on each other in a circle", why=told) from None


def _wave(names: Iterable[str], graph: Mapping[str, Iterable[Dependency]]) -> Wave:
    waited = {(entry.service, entry.condition) for name in names for entry in graph[name]}
    return Wave(
        tuple(names),
        tuple(sorted(name for name, how in waited if how is Condition.COMPLETED)),
        tuple(sorted(name for name, how in waited if how is Condition.HEALTHY)),
    )
