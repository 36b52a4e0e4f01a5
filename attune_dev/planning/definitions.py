"""What differs between two readings of the Compose files."""

from __future__ import annotations

from collections.abc import Iterator

from attune_dev.model.plan import ActionKind
from attune_dev.model.workspace import Workspace
from attune_dev.planning.effects import Effects, Impact
from attune_dev.planning.graph import Graph, Owner
from attune_dev.planning.reasons import Reason, ReasonKind


def definition_changes(graph: Graph, previous: Workspace, effects: Effects) -> tuple[Impact, ...]:
    """What to do about services that are new, defined or built in another way, or gone.

    Args:
        graph: of the present workspace.
        previous: the earlier workspace.
        effects: of the present graph.
    """
    return tuple(dict.fromkeys(_changes(graph, previous, effects)))


def _changes(graph: Graph, previous: Workspace, effects: Effects) -> Iterator[Impact]:
    before = previous.compose.services
    now = graph.workspace.compose.services
    for name, service in now.items():
        reason = Reason(ReasonKind.DEFINITION, name)
        earlier = before.get(name)
        built_anew = earlier is None or earlier.build_digest != service.build_digest
        if built_anew and Owner(service=name) in graph.inputs:
            yield from effects.of_build(Owner(service=name), reason)
        if earlier is None or earlier.digest != service.digest:
            yield from effects.of_definition(name, reason)
    for name in before:
        if name not in now:
            yield Impact(ActionKind.RELOAD, "", Reason(ReasonKind.REMOVED, name))
