"""The plan that brings a stack up, current with everything, whatever was done before."""

from __future__ import annotations

from collections.abc import Collection

from attune_dev.model.compose import ComposeProject
from attune_dev.model.plan import ActionKind, Plan
from attune_dev.planning.graph import Graph
from attune_dev.planning.planner import Request, plan_requests

REASON = "checked at start"


def opening_plan(
    graph: Graph,
    services: Collection[str],
    current: Collection[str],
    *,
    binaries: bool = True,
    left: Collection[str] = (),
) -> Plan:
    """Plans a start: everything is checked, nothing is assumed.

    What lies in the engine may be anybody's: images built from another branch, a volume filled by
    hand. Checking all of it by content costs about a second where all is well.

    Args:
        graph: the graph of the workspace.
        services: the services that are to run, with what they need.
        current: those of them whose container runs, or ended well, on the present image and
            definition.
        binaries: whether pack binaries are compiled, too.
        left: those of them that are to stay on the code that they run.
    """
    compose = graph.workspace.compose
    packs = {name for folder in graph.workspace.packs_folders for name in folder.packs}
    due = [name for name in services if name not in left]
    built = [name for name in due if compose.services[name].build is not None]
    absent = [name for name in due if name not in current]
    wanted = (
        Request(
            ActionKind.BUILD_PACK_BINARIES, tuple(graph.pack_binaries) if binaries else (), REASON
        ),
        Request(ActionKind.SYNC_PACKS, tuple(sorted(packs)), REASON),
        Request(ActionKind.BUILD, tuple(sorted(built)), REASON),
        Request(ActionKind.RECREATE, _running(graph, absent), "not running as it should"),
    )
    return plan_requests(
        graph.workspace,
        [request for request in wanted if request.targets],
        follow=True,
        services=frozenset(services),
        graph=graph,
    )


def with_needs(compose: ComposeProject, services: Collection[str]) -> tuple[str, ...]:
    """The services and all that they wait for, sorted."""
    known = compose.services
    found: set[str] = set()
    todo = list(services)
    while todo:
        name = todo.pop()
        if name not in found and name in known:
            found.add(name)
            todo += [dependency.service for dependency in known[name].depends_on]
    return tuple(sorted(found))


def _running(graph: Graph, services: Collection[str]) -> tuple[str, ...]:
    compose = graph.workspace.compose
    return tuple(sorted(name for name in services if not compose.one_shot(name)))
