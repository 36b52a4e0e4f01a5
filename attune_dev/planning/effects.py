"""What follows from an output that is no longer current: the cheapest actions, in full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from attune_dev.model.packs import PackBinary, PacksFolder
from attune_dev.model.plan import ActionKind
from attune_dev.planning.graph import Graph, Owner
from attune_dev.planning.pack_roles import PackRole, restarted_words
from attune_dev.planning.reasons import Reason, ReasonKind


@dataclass(frozen=True, slots=True)
class Impact:
    """One thing to do because of a path.

    Attributes:
        kind: what is done.
        target: to what.
        reason: why.
        always: whether it is needed whatever the actions before it change.
    """

    kind: ActionKind
    target: str
    reason: Reason
    always: bool = True


class Effects:
    """The consequences of outputs in one graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._relations = graph.relations
        self._readers: dict[tuple[tuple[str, ...], PackRole], tuple[str, ...]] = {}
        self._words = {
            name: " ".join((name, *self._binaries_of(name)))
            for name in graph.workspace.compose.services
        }

    def of_build(self, owner: Owner, reason: Reason) -> tuple[Impact, ...]:
        """An image, or the pack binaries of a Dockerfile, must be built again."""
        if owner.service:
            return tuple(dict.fromkeys(self._image(owner.service, reason, set())))
        names = {compiled.name for compiled in self._graph.compiles[owner]}
        return tuple(
            impact for name in sorted(names) for impact in self.of_pack_binary(name, reason)
        )

    def of_pack_binary(self, name: str, reason: Reason) -> tuple[Impact, ...]:
        """A pack binary must be compiled again, placed, synced, and its readers restarted."""
        found = [Impact(ActionKind.BUILD_PACK_BINARIES, name, reason)]
        for placed in self._graph.pack_binaries.get(name, ()):
            folder = self._folder_of(placed)
            if folder is not None:
                pack = placed.path[len(folder.root) :].strip("/").split("/")[0]
                why = Reason(ReasonKind.PACK_BINARY, name)
                found.append(Impact(ActionKind.SYNC_PACKS, pack, why))
                found += self._restarts(folder, PackRole.SENSOR, pack, always=False)
        return tuple(dict.fromkeys(found))

    def of_pack(self, folder: PacksFolder, pack: str, role: PackRole) -> tuple[Impact, ...]:
        """A file of a pack must reach the volume, and those who read it must notice."""
        found = [Impact(ActionKind.SYNC_PACKS, pack, Reason(ReasonKind.PACK, pack))]
        found += self._restarts(folder, role, pack, always=False)
        return tuple(found)

    def of_mount(self, service: str) -> tuple[Impact, ...]:
        """A bind-mounted file changed: the service sees it, but must start anew."""
        return self._start(service, Reason(ReasonKind.MOUNTED, service), ActionKind.RESTART)

    def of_definition(self, service: str, reason: Reason) -> tuple[Impact, ...]:
        """The definition of a service changed."""
        return self._start(service, reason, ActionKind.RECREATE)

    def of_declared(self, service: str, reason: Reason) -> tuple[Impact, ...]:
        """A path that ``x-attune-dev`` declares: built into the image, else read at start."""
        if Owner(service=service) in self._graph.inputs:
            return self.of_build(Owner(service=service), reason)
        return self._start(service, reason, ActionKind.RESTART)

    def of_request(self, kind: ActionKind, target: str, reason: Reason) -> tuple[Impact, ...]:
        """What follows from an action that someone asks for."""
        if kind is ActionKind.BUILD:
            return self.of_build(Owner(service=target), reason)
        if kind is ActionKind.BUILD_PACK_BINARIES:
            return self.of_pack_binary(target, reason)
        if kind is ActionKind.RERUN:
            return tuple(dict.fromkeys(self._after_run(target, {target}, always=True)))
        if kind is ActionKind.SYNC_PACKS:
            return tuple(
                impact
                for folder in self._graph.packs.values()
                for impact in self._restarts(folder, PackRole.CONTENT, target, always=False)
            )
        return ()

    def readers(self, services: tuple[str, ...], role: PackRole) -> tuple[str, ...]:
        """Those of the long-running readers of packs that a file of this role concerns."""
        known = self._readers.get((services, role))
        if known is None:
            known = self._readers[(services, role)] = self._find_readers(services, role)
        return known

    def _find_readers(self, services: tuple[str, ...], role: PackRole) -> tuple[str, ...]:
        running = [name for name in services if name not in self._relations.one_shots]
        words = restarted_words(role)
        if words is None:
            meant = set()
        else:
            fitting = [n for n in running if any(word in self._words[n] for word in words)]
            meant = set(fitting or running)
        declared = self._graph.workspace.compose.services
        said = {name: declared[name].override.on_pack(role.value) for name in running}
        return tuple(
            n for n in running if (n in meant if said[n] is None else said[n] == "restart")
        )

    def _start(self, service: str, reason: Reason, kind: ActionKind) -> tuple[Impact, ...]:
        if service not in self._relations.one_shots:
            return (Impact(kind, service, reason),)
        found = [Impact(ActionKind.RERUN, service, reason)]
        found += self._after_run(service, {service}, always=True)
        return tuple(dict.fromkeys(found))

    def _image(self, service: str, reason: Reason, seen: set[str]) -> Iterator[Impact]:
        if service in seen:
            return
        seen.add(service)
        yield Impact(ActionKind.BUILD, service, reason)
        for user in self._relations.image_users.get(service, ()):
            if user in self._relations.one_shots:
                yield Impact(ActionKind.RERUN, user, reason, always=False)
                yield from self._after_run(user, {user}, always=False)
            else:
                yield Impact(ActionKind.RECREATE, user, reason, always=False)
        for above, bases in self._relations.built_from.items():
            if service in bases:
                yield from self._image(above, Reason(ReasonKind.BUILT_FROM, service), seen)

    def _after_run(self, filler: str, seen: set[str], *, always: bool) -> Iterator[Impact]:
        reason = Reason(ReasonKind.FILLED, filler)
        for service in self._relations.after_run(filler):
            if service not in self._relations.one_shots:
                yield Impact(ActionKind.RESTART, service, reason, always)
            elif service not in seen:
                seen.add(service)
                yield Impact(ActionKind.RERUN, service, reason, always)
                yield from self._after_run(service, seen, always=always)

    def _restarts(
        self, folder: PacksFolder, role: PackRole, pack: str, *, always: bool
    ) -> list[Impact]:
        services = self._relations.mounted_by.get(folder.volume, ())
        reason = Reason(ReasonKind.READS_PACK, pack)
        return [
            Impact(ActionKind.RESTART, name, reason, always)
            for name in self.readers(services, role)
        ]

    def _folder_of(self, binary: PackBinary) -> PacksFolder | None:
        for root, folder in self._graph.packs.items():
            if binary.path.startswith(f"{root}/"):
                return folder
        return None

    def _binaries_of(self, service: str) -> tuple[str, ...]:
        compiled = self._graph.compiles.get(Owner(service=service), ())
        return tuple(binary.name for binary in compiled)
