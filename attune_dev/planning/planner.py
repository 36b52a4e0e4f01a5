"""From changed paths, or a request, to the cheapest correct actions with a reason for each.

Pure: reads no file, no clock, no network. The same input gives the same plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import Action, ActionKind, Ignored, Plan
from attune_dev.model.workspace import Workspace
from attune_dev.planning.cargo_files import CargoFiles
from attune_dev.planning.classify import Classifier, Verdict
from attune_dev.planning.definitions import definition_changes
from attune_dev.planning.effects import Effects, Impact
from attune_dev.planning.graph import Graph, build_graph
from attune_dev.planning.ordering import Todo, absorb, ordered_actions
from attune_dev.planning.reasons import Reason, ReasonKind
from attune_dev.planning.sources import SERVICES
from attune_dev.planning.structure import structural

_ON_SERVICES = (
    ActionKind.BUILD,
    ActionKind.RERUN,
    ActionKind.RECREATE,
    ActionKind.RESTART,
)


@dataclass(frozen=True, slots=True)
class Request:
    """An action that someone asks for.

    Attributes:
        kind: which action.
        targets: what to do it with; packs, binaries or services.
        reason: why, as the plan tells it.
    """

    kind: ActionKind
    targets: tuple[str, ...]
    reason: str = "asked for"


def make_plan(
    workspace: Workspace,
    changes: Iterable[Change],
    *,
    previous: Workspace | None = None,
    tried: Sequence[Workspace] = (),
    services: frozenset[str] | None = None,
    graph: Graph | None = None,
) -> Plan:
    """Plans what makes everything current after files changed.

    Args:
        workspace: the repository as it is now.
        changes: what changed; each becomes a cause or is ignored with a reason.
        previous: the repository as it was when nothing was pending (not only as it was before the
            latest reload), or at the revision that the changes are counted from. Differences of
            lock files, manifests and service definitions are taken against it; without it a
            changed manifest or lock file concerns its whole package or workspace. What only the
            earlier graph knew (a deleted package) is planned by it.
        tried: states after ``previous`` that actions were begun for and not all done: some of
            what runs may come from each of them, so differences to them count as well.
        services: the services that are acted upon; all where it is ``None``.
        graph: ``build_graph(workspace)`` where the caller keeps it.
    """
    graph = graph or build_graph(workspace)
    told = sorted(set(changes), key=lambda c: (c.path, c.kind, c.moved_from or ""))
    states = () if previous is None else (previous, *tried)
    now = [_Judge(graph, state) for state in states] or [_Judge(graph, None)]
    # Seen from an earlier graph the difference is the same, only the other way round.
    before = [_Judge(build_graph(s), workspace) for s in states if s is not workspace]
    gathered = _Gathered(graph, services)
    ignored: list[Ignored] = []
    for change in told:
        # A file that is new was in nothing before: only the present graph knows about it.
        judges = now if change.kind is ChangeKind.CREATED else [*now, *before]
        verdict = _judge(judges, change)
        kept = gathered.add(change.path, verdict.impacts)
        if not kept:
            ignored.append(Ignored(change.path, verdict.unread or _INACTIVE))
    for state in states:
        differences = definition_changes(graph, state, now[0].effects)
        gathered.add_all(gathered.redefining(), differences)
    return Plan(tuple(told), gathered.actions(), tuple(ignored))


def plan_request(
    workspace: Workspace,
    kind: ActionKind,
    targets: Sequence[str],
    *,
    follow: bool = False,
    services: frozenset[str] | None = None,
    reason: str = "asked for",
    graph: Graph | None = None,
) -> Plan:
    """Plans one action that someone asks for.

    Args:
        workspace: the repository.
        kind: which action.
        targets: packs, binaries or services; they must exist.
        follow: whether what follows from it is planned too: a build is put in place, readers of a
            synced pack are restarted.
        services: the services that are acted upon; all where it is ``None``.
        reason: why, as the plan tells it.
        graph: ``build_graph(workspace)`` where the caller keeps it.
    """
    request = Request(kind, tuple(targets), reason)
    return plan_requests(workspace, [request], follow=follow, services=services, graph=graph)


def plan_requests(
    workspace: Workspace,
    requests: Iterable[Request],
    *,
    follow: bool = False,
    services: frozenset[str] | None = None,
    graph: Graph | None = None,
) -> Plan:
    """Plans several requests as one plan: no service twice, at most one build."""
    graph = graph or build_graph(workspace)
    effects = Effects(graph)
    gathered = _Gathered(graph, services)
    for request in requests:
        reason = Reason(ReasonKind.REQUESTED, request.reason)
        for target in request.targets:
            impact = Impact(request.kind, target, reason)
            found = effects.of_request(request.kind, target, reason) if follow else ()
            gathered.add_all(("",), (impact, *found))
    return Plan((), gathered.actions(), ())


_INACTIVE = "only services that are not selected read it"


class _Judge:
    """Classifies by one graph."""

    def __init__(self, graph: Graph, previous: Workspace | None) -> None:
        elsewhere = frozenset(previous.cargo.packages()) if previous is not None else frozenset()
        self.classifier = Classifier(graph, elsewhere)
        self.effects = self.classifier.effects
        self._cargo = CargoFiles(self.classifier, previous)

    def of(self, change: Change, path: str) -> Verdict:
        verdict = self.classifier.classify(path)
        cargo = self._cargo.judge(change, path)
        if cargo is not None and (cargo.impacts or not verdict.impacts):
            verdict = Verdict((*cargo.impacts, *verdict.impacts), cargo.unread)
        extra = structural(self.classifier.graph, change, path)
        return Verdict((*extra, *verdict.impacts), verdict.unread) if extra else verdict


def _judge(judges: Sequence[_Judge], change: Change) -> Verdict:
    """The verdict on a change by all graphs: the first explanation counts, all impacts do."""
    if len(judges) == 1 and change.moved_from is None:
        return judges[0].of(change, change.path)
    verdicts = [judge.of(change, path) for judge in judges for path in change.paths]
    impacts = tuple(dict.fromkeys(i for verdict in verdicts for i in verdict.impacts))
    return Verdict(impacts, verdicts[0].unread)


class _Gathered:
    """Impacts per thing to do, with the paths that cause them in groups."""

    def __init__(self, graph: Graph, services: frozenset[str] | None) -> None:
        self._graph = graph
        known = frozenset(graph.workspace.compose.services)
        self._services = known if services is None else known & services
        self._groups: dict[int, tuple[tuple[Impact, ...], list[str]]] = {}
        self._allowed: dict[int, tuple[tuple[Impact, ...], tuple[Impact, ...]]] = {}

    def add(self, path: str, impacts: tuple[Impact, ...]) -> bool:
        """Adds a cause; whether anything is to be done for it.

        Paths of one kind come with the very same impacts: they are told apart by identity.
        """
        if not impacts:
            return False
        known = self._allowed.get(id(impacts))
        if known is None:
            known = (impacts, tuple(i for i in impacts if self._allows(i)))
            self._allowed[id(impacts)] = known
        allowed = known[1]
        if allowed:
            self._groups.setdefault(id(impacts), (allowed, []))[1].append(path)
        return bool(allowed)

    def redefining(self) -> tuple[str, ...]:
        """The paths because of which the services are read again."""
        return tuple(
            path
            for impacts, paths in self._groups.values()
            if any(impact.reason.subject == SERVICES for impact in impacts)
            for path in paths
        )

    def add_all(self, paths: tuple[str, ...], impacts: tuple[Impact, ...]) -> None:
        """Adds one cause for several paths."""
        for path in paths:
            self.add(path, impacts)

    def actions(self) -> tuple[Action, ...]:
        """What is to be done, in order."""
        todos: dict[tuple[ActionKind, str], Todo] = {}
        groups: dict[int, tuple[str, ...]] = {}
        for place, (impacts, paths) in enumerate(self._groups.values()):
            groups[place] = tuple(dict.fromkeys(paths))
            for impact in impacts:
                todo = todos.setdefault((impact.kind, impact.target), Todo())
                todo.causes.setdefault(place, set()).add(impact.reason)
                todo.always = todo.always or impact.always
                anew = impact.kind is ActionKind.RECREATE and impact.always
                todo.anew = todo.anew or anew
        absorb(todos)
        return ordered_actions(self._graph, todos, groups)

    def _allows(self, impact: Impact) -> bool:
        if impact.kind is ActionKind.BUILD and not self._is_built(impact.target):
            return False
        if impact.kind in _ON_SERVICES:
            return impact.target in self._services
        if impact.kind is ActionKind.SYNC_PACKS:
            return bool(self._graph.packs)
        if impact.kind is ActionKind.BUILD_PACK_BINARIES:
            return impact.target in self._graph.pack_binaries
        return True

    def _is_built(self, service: str) -> bool:
        known = self._graph.workspace.compose.services.get(service)
        return known is not None and known.build is not None
