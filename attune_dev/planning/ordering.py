"""From things to do to a plan: absorption, order by need, and as few actions as that allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from attune_dev.model.plan import Action, ActionKind, Because, number
from attune_dev.planning.graph import Graph, Owner
from attune_dev.planning.reasons import COMPILE_KINDS, Reason, ReasonKind, render_reasons

Item = tuple[ActionKind, str]
"""A kind of action and its one target."""

STARTS = (ActionKind.RERUN, ActionKind.RECREATE, ActionKind.RESTART)
_PLACE = {kind: place for place, kind in enumerate(ActionKind)}


@dataclass(slots=True)
class Todo:
    """Why one thing is to be done.

    Attributes:
        causes: group of paths (by its number) to the reasons that these paths give.
        always: whether one of them holds whatever the actions before it change.
        restart: whether it stands for a restart, too.
        anew: whether a recreate has to make a new container, whatever is built before it.
    """

    causes: dict[int, set[Reason]] = field(default_factory=dict)
    always: bool = False
    restart: bool = False
    anew: bool = False

    def absorb(self, other: Todo) -> None:
        """Takes over the causes of what need not be done beside this."""
        for group, reasons in other.causes.items():
            self.causes.setdefault(group, set()).update(reasons)
        self.always = self.always or other.always


def absorb(todos: dict[Item, Todo]) -> None:
    """Leaves one start per service: a recreate or a new run is a restart, too."""
    for kind, target in list(todos):
        weaker = {
            ActionKind.RERUN: (ActionKind.RECREATE, ActionKind.RESTART),
            ActionKind.RECREATE: (ActionKind.RESTART,),
        }.get(kind, ())
        for other in weaker:
            absorbed = todos.pop((other, target), None)
            if absorbed is not None:
                todos[(kind, target)].absorb(absorbed)
                restarts = other is ActionKind.RESTART or absorbed.restart
                todos[(kind, target)].restart = todos[(kind, target)].restart or restarts


def ordered_actions(
    graph: Graph, todos: Mapping[Item, Todo], groups: Mapping[int, tuple[str, ...]]
) -> tuple[Action, ...]:
    """The actions that do all of it, in an order that respects every need.

    Targets of one kind that need the same actions share one; all builds share one.

    Args:
        graph: tells the needs.
        todos: what to do.
        groups: paths of each group of causes; a group without paths speaks for itself.
    """
    needs = Needs(graph, todos)
    placed: dict[Item, tuple[ActionKind, frozenset[Item]]] = {}
    members: dict[tuple[ActionKind, frozenset[Item]], list[Item]] = {}
    leader: dict[tuple[ActionKind, frozenset[Item]], Item] = {}
    for item in needs.in_order():
        wanted = frozenset(leader[placed[need]] for need in needs.of(item))
        key = (item[0], frozenset() if item[0] is ActionKind.BUILD else wanted)
        members.setdefault(key, []).append(item)
        leader.setdefault(key, item)
        placed[item] = key
    ids = {key: place for place, key in enumerate(members, start=1)}
    actions = []
    for key, items in members.items():
        wanted_ids = {ids[placed[need]] for item in items for need in needs.of(item)}
        actions.append(
            Action(
                id=ids[key],
                kind=key[0],
                targets=tuple(sorted(target for _, target in items if target)),
                needs=tuple(sorted(wanted_ids - {ids[key]})),
                because=_because([todos[item] for item in items], groups),
                always=tuple(sorted(item[1] for item in items if todos[item].always and item[1])),
                anew=tuple(sorted(item[1] for item in items if todos[item].anew)),
                restarts=tuple(sorted(item[1] for item in items if todos[item].restart)),
                compiles=tuple(sorted(t for k, t in items if _only_compiled(k, todos[(k, t)]))),
            )
        )
    return number(actions)


def _only_compiled(kind: ActionKind, todo: Todo) -> bool:
    """Whether a build has no cause that reaches what it makes otherwise than through cargo."""
    kinds = {reason.kind for reasons in todo.causes.values() for reason in reasons}
    building = kind in (ActionKind.BUILD, ActionKind.BUILD_PACK_BINARIES)
    return building and bool(kinds) and kinds <= COMPILE_KINDS


def _because(todos: Iterable[Todo], groups: Mapping[int, tuple[str, ...]]) -> tuple[Because, ...]:
    reasons: dict[int, set[Reason]] = {}
    for todo in todos:
        for group, why in todo.causes.items():
            reasons.setdefault(group, set()).update(why)
    of_path: dict[str, tuple[int, ...]] = {}
    for group in reasons:
        for path in groups[group]:
            of_path[path] = (*of_path.get(path, ()), group)
    told: dict[tuple[int, ...], str] = {}
    for together in set(of_path.values()):
        found = {reason for group in together for reason in reasons[group]}
        told[together] = render_reasons(found)
    return tuple(Because(path, told[of_path[path]]) for path in sorted(of_path))


class Needs:
    """Which of the things to do must be done before which."""

    def __init__(self, graph: Graph, todos: Mapping[Item, Todo]) -> None:
        self._graph = graph
        self._relations = graph.relations
        self._items = frozenset(todos)
        self._todos = todos
        self._starts = {target: (kind, target) for kind, target in sorted(todos) if kind in STARTS}
        self._binary_packs = {
            name: {(_pack_of(graph, placed.path)) for placed in places}
            for name, places in graph.pack_binaries.items()
        }
        self._needs = {item: frozenset(self._find(item)) - {item} for item in sorted(todos)}

    def of(self, item: Item) -> frozenset[Item]:
        """What an item needs."""
        return self._needs[item]

    def in_order(self) -> list[Item]:
        """All items: needs first, then by kind, then by name."""
        sorter = TopologicalSorter(self._needs)
        sorter.prepare()
        done: list[Item] = []
        ready: set[Item] = set()
        while sorter.is_active():
            ready.update(sorter.get_ready())
            # Of what could be next only the earliest kind goes, so that kinds stay together.
            first = min(_PLACE[kind] for kind, _ in ready)
            batch = sorted(item for item in ready if _PLACE[item[0]] == first)
            done += batch
            ready.difference_update(batch)
            sorter.done(*batch)
        return done

    def _find(self, item: Item) -> set[Item]:
        kind, target = item
        if kind is ActionKind.RELOAD:
            return set()
        if kind is ActionKind.BUILD_PACK_BINARIES:
            found: set[Item] = set()
        elif kind is ActionKind.SYNC_PACKS:
            found = {
                (ActionKind.BUILD_PACK_BINARIES, name)
                for name, packs in self._binary_packs.items()
                if target in packs
            }
        elif kind is ActionKind.BUILD:
            found = self._of_build(target)
        else:
            found = self._of_start(item)
        found &= self._items
        return found or {(ActionKind.RELOAD, "")} & self._items

    def _of_build(self, service: str) -> set[Item]:
        """An image that packs are copied into needs the pack binaries first."""
        owner = Owner(service=service)
        found: set[Item] = set()
        for kind, name in self._items:
            if kind is ActionKind.BUILD_PACK_BINARIES:
                for placed in self._graph.pack_binaries.get(name, ()):
                    copied = self._graph.copies_of(placed.path)
                    if any(e.owner == owner and not e.compile_only for e in copied):
                        found.add((kind, name))
        return found

    def _of_start(self, item: Item) -> set[Item]:
        """The image, what the service waits for, and the fills that make its start necessary."""
        service = item[1]
        relations = self._relations
        found = {(ActionKind.BUILD, name) for name in relations.images_of.get(service, ())}
        waits_for = relations.waits_for.get(service, frozenset())
        found |= {self._starts[name] for name in waits_for if name in self._starts}
        for reasons in self._todos[item].causes.values():
            for reason in reasons:
                if reason.kind is ReasonKind.READS_PACK:
                    found.add((ActionKind.SYNC_PACKS, reason.subject))
                elif reason.kind is ReasonKind.FILLED and reason.subject in self._starts:
                    found.add(self._starts[reason.subject])
        return found


def _pack_of(graph: Graph, path: str) -> str:
    for root in graph.packs:
        if path.startswith(f"{root}/"):
            return path[len(root) + 1 :].partition("/")[0]
    return ""
