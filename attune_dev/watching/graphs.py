"""The graph while watching: derived again when what defines it changes, the last good one kept."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from attune_dev.loading.dep_info import read_dep_info
from attune_dev.model.plan import Action, ActionKind, Because, Plan
from attune_dev.planning.graph import Graph, build_graph
from attune_dev.planning.opening import opening_plan
from attune_dev.planning.planner import make_plan
from attune_dev.planning.sources import Sources
from attune_dev.planning.structure import defines_graph
from attune_dev.watching.scope import Scope, scope_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from attune_dev.model.change import Change
    from attune_dev.model.compose import ComposeProject
    from attune_dev.model.workspace import Workspace

Signature = tuple[int, int, int] | None
"""Time, size and inode of a file, ``None`` where it is not there."""


class GraphPlanning:
    """Plans for the loop (:class:`attune_dev.watching.parts.Planning`).

    Args:
        root: repository root.
        workspace: what the repository says.
        load: reads it again; with the services given, everything else.
        select: the services that are acted upon, by the workspace as it is.
        current: those of some services whose container needs nothing; asks the engine.
        urls: service and address, for those that answer; asks the engine.
        on_load: told each workspace that comes into force later.
        own: files that we write ourselves while we watch.
        left: the services that are to stay on the code that they run until it changes.
    """

    def __init__(
        self,
        root: Path,
        workspace: Workspace,
        load: Callable[[ComposeProject | None], Workspace],
        select: Callable[[Workspace], Collection[str]],
        current: Callable[[Collection[str]], Collection[str]],
        urls: Callable[[], tuple[tuple[str, str], ...]],
        on_load: Callable[[Workspace], None],
        own: frozenset[str] = frozenset(),
        left: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._root = root
        self._load = load
        self._select = select
        self._current = current
        self._urls = urls
        self._on_load = on_load
        self._own = own
        self._left = left
        self._graph: Graph = build_graph(workspace)
        self._applied = workspace
        self._tried: list[Workspace] = []
        self._read: dict[str, Signature] = {}
        self._unread: dict[str, Signature] = {}
        self._mended: dict[str, bytes] = {}

    def plan(self, changes: Sequence[Change], *, reread: bool = True) -> Plan:
        """See :class:`Planning`; a reload comes first where the graph is older than its files."""
        if reread and (plan := self._reload_first(changes)):
            return plan
        workspace = self._graph.workspace
        plan = make_plan(
            workspace,
            changes,
            previous=self._applied,
            tried=self._tried,
            services=frozenset(self._select(workspace)),
            graph=self._graph,
        )
        if plan and not any(workspace is state for state in (self._applied, *self._tried)):
            self._tried.append(workspace)  # from now on something may run that is made from it
        return plan

    def opening(self, _changes: Sequence[Change], *, first: bool) -> Plan:  # noqa: ARG002
        """See :class:`Planning`; a start checks everything, whatever is known of the last run."""
        services = self._select(self._graph.workspace)
        return opening_plan(self._graph, services, self._current(services), left=self._left())

    def reload(self) -> None:
        """See :class:`Planning`."""
        reading = dict(self._unread)
        definitions = Sources(self._graph)
        same = not any("" in definitions.definitions(path) for path in reading)
        workspace = self._load(self._graph.workspace.compose if same and reading else None)
        self._graph = build_graph(workspace)
        self._read |= reading
        self._unread.clear()
        self._on_load(workspace)

    def settled(self) -> None:
        """See :class:`Planning`; what the builds until now told of their inputs counts from now on.

        What they read was in a build's context, so it is watched already.
        """
        workspace = self._graph.workspace
        told = read_dep_info(self._root, workspace.cargo)
        if told != workspace.dep_info:
            workspace = replace(workspace, dep_info=told)
            self._graph = build_graph(workspace)
            self._on_load(workspace)
        self._applied = workspace
        self._tried.clear()

    def scope(self) -> Scope:
        """See :class:`Planning`."""
        return scope_of(self._graph.workspace, self._own)

    def writes(self, action: Action) -> tuple[str, ...]:
        """See :class:`Planning`: pack binaries are placed in the repository, lock files mended."""
        if action.kind is ActionKind.BUILD:
            return tuple(self._still_mended())
        if action.kind is not ActionKind.BUILD_PACK_BINARIES:
            return ()
        binaries = self._graph.pack_binaries
        placed = [place.path for name in action.targets for place in binaries.get(name, ())]
        return (*placed, *self._still_mended())

    def own_files(self) -> frozenset[str]:
        """See :class:`Planning`."""
        places = self._graph.pack_binaries.values()
        placed = frozenset(placed.path for placed_at in places for placed in placed_at)
        return placed.union(self._still_mended())

    def mended(self, path: str, content: bytes) -> None:
        """Told by a build right before it writes a lock file, from its own thread."""
        self._mended = {**self._mended, path: content}

    def _still_mended(self) -> list[str]:
        """Lock files that are as a build wrote them: an edit after that is the user's."""
        found = []
        for path, content in self._mended.items():
            with suppress(OSError):
                if (self._root / path).read_bytes() == content:
                    found.append(path)
        return found

    def urls(self) -> tuple[tuple[str, str], ...]:
        """See :class:`Planning`."""
        return self._urls()

    def _reload_first(self, changes: Sequence[Change]) -> Plan | None:
        stale: list[Because] = []
        named = sorted({(path, change.kind) for change in changes for path in change.paths})
        for path, kind in named:
            if not defines_graph(self._graph, path, kind):
                continue
            signature = self._signature(path)
            if path not in self._read or self._read[path] != signature:
                self._unread[path] = signature
                stale.append(Because(path, "is read again: the graph is derived from it"))
        if not stale:
            return None
        return Plan(tuple(changes), (Action(1, ActionKind.RELOAD, (), because=tuple(stale)),))

    def _signature(self, path: str) -> Signature:
        try:
            found = (self._root / path).lstat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
