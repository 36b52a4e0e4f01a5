"""Who reads a path: mounts, packs, copies, compilers; what is alike for a folder is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from attune_dev.planning.effects import Effects
from attune_dev.planning.globs import folders_above, join, relative_to, within
from attune_dev.planning.graph import CopySource, Graph, Owner
from attune_dev.planning.hidden import ContextRules
from attune_dev.planning.image_ignore import IgnoreRules, reads
from attune_dev.planning.pack_roles import PackRole, pack_role
from attune_dev.planning.packages import Area, PackageFiles
from attune_dev.planning.reasons import ReasonKind
from attune_dev.planning.sources import Sources
from attune_dev.planning.unread import generated

Compiler = tuple[Owner, str, ReasonKind]
"""A build, a binary that it compiles, and how a path gets into it."""

Role = tuple[str, str, PackRole]
"""Folder of packs, pack, and the part that a file plays in it."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What is the same for all files of a folder.

    Attributes:
        name: the folder.
        generated: the generated folder that holds it.
        package: folder of the innermost package.
        mounts: services that bind-mount it or a folder above.
        copies: what copies it or a folder above.
        excluding: whether any of that leaves something out again.
        packs: folders of packs that hold it.
        included: compilers that include a folder above.
        rules: context rules that may hide files here.
        whole: whether someone mounts all of the repository writable.
        unread: whether nothing reads any folder around it.
    """

    name: str
    generated: str | None
    package: str | None
    mounts: tuple[str, ...]
    copies: tuple[CopySource, ...]
    excluding: bool
    packs: tuple[str, ...]
    included: tuple[Compiler, ...]
    rules: tuple[ContextRules, ...]
    whole: bool
    unread: bool


class Readers:
    """Answers who reads a path of one graph."""

    def __init__(self, graph: Graph, elsewhere: frozenset[str] = frozenset()) -> None:
        """Indexes a graph.

        Args:
            graph: the graph.
            elsewhere: folders of packages that another state of the repository has: what is in
                them is cargo's, though this graph does not know it.
        """
        self.graph = graph
        self.effects = Effects(graph)
        self.sources = Sources(graph)
        self.files = PackageFiles(graph, elsewhere - graph.packages.keys() - {""})
        self._folders: dict[str, Folder] = {}
        self._included = self._index_included()
        self._blind: dict[tuple[ContextRules, ...], frozenset[Owner]] = {}
        self._owners_of: dict[ContextRules, list[Owner]] = {}
        for owner, rules in graph.rules.items():
            self._owners_of.setdefault(rules, []).append(owner)
        self.globs = tuple(
            dict.fromkeys(
                entry.source
                for entries in (graph.glob_copies, *graph.literal_copies.values())
                for entry in entries
                if entry.source.exclude or entry in graph.glob_copies
            )
        )
        services = graph.workspace.compose.services
        self._declared = [
            (IgnoreRules.parse((glob,)), name)
            for name, service in services.items()
            for glob in service.override.reads
        ]
        self._excused = [
            (IgnoreRules.parse((glob,)), name)
            for name, service in services.items()
            for glob in service.override.ignore
        ]
        self.exact = frozenset(
            (
                *graph.mounts,
                *graph.literal_copies,
                *self._included,
                *self.sources.known,
                *self.files.own,
            )
        )

    def folder(self, name: str) -> Folder:
        """What is the same for all files of a folder."""
        known = self._folders.get(name)
        if known is None:
            known = self._folders[name] = self._look_at(name)
        return known

    def folder_of(self, path: str) -> Folder:
        """The same for the folder that holds a path."""
        return self.folder(path.rpartition("/")[0])

    def hidden(self, owner: Owner, path: str) -> str | None:
        """The rule that hides a path from a build."""
        rules = self.graph.rules.get(owner)
        return rules.hides(path) if rules is not None else None

    def declared(self, path: str) -> tuple[str, ...]:
        """Services that declare that they read a path."""
        return tuple(name for globs, name in self._declared if globs.ignores(path))

    def excused(self, path: str) -> frozenset[str]:
        """Services that declare that a path never concerns them."""
        if not self._excused:
            return frozenset()
        return frozenset(name for globs, name in self._excused if globs.ignores(path))

    def copies(self, path: str) -> tuple[CopySource, ...]:
        """All that copies a path, hidden or not."""
        folder = self.folder_of(path)
        # each names another path or glob, so none can be there twice
        found = folder.copies
        own = self.graph.literal_copies.get(path, ())
        own += tuple(e for e in self.graph.glob_copies if reads(e.source, path))
        if own:
            found += own
        if not folder.excluding and not any(entry.source.exclude for entry in own):
            return found
        return tuple(entry for entry in found if entry.takes(path))

    def seen_copies(self, path: str) -> tuple[CopySource, ...]:
        """All that copies a path and is not kept from seeing it."""
        blind = self._blind_to(path)
        found = self.copies(path)
        return tuple(e for e in found if e.owner not in blind) if blind else found

    def _blind_to(self, path: str) -> frozenset[Owner]:
        """The builds that a rule hides a path from."""
        hiding = tuple(rules for rules in self._owners_of if rules.hides(path) is not None)
        if hiding not in self._blind:
            owners = (owner for rules in hiding for owner in self._owners_of[rules])
            self._blind[hiding] = frozenset(owners)
        return self._blind[hiding]

    def inputs(self, path: str, copies: Iterable[CopySource], *, claimed: bool) -> list[CopySource]:
        """Those copies for which a file is an input as such, not only what cargo may compile.

        Args:
            path: the file.
            copies: all that copies it.
            claimed: whether it has a reader of another kind.
        """
        compiled = self.files.belongs(path) or self._is_included(path)
        return [
            entry
            for entry in copies
            if not entry.compile_only
            or (not compiled and self._counts(path, entry, claimed=claimed))
        ]

    def _is_included(self, path: str) -> bool:
        return path in self._included or bool(self.folder_of(path).included)

    def _counts(self, path: str, entry: CopySource, *, claimed: bool) -> bool:
        if not entry.broad:
            return True
        return not claimed and not self.files.beside_the_code(path)

    def compilers(self, path: str, copies: Iterable[CopySource]) -> tuple[Compiler, ...]:
        """The binaries that a path is compiled into, by who builds them."""
        folder = self.folder_of(path)
        found: dict[Compiler, None] = {}
        package = folder.package
        if package is not None:
            area = self.files.area(path, package)
            beside = bool(package) and area is Area.OTHER
            beside = beside and not self.sources.images_of_file(path)
            seen_by = {entry.owner for entry in copies} if beside else frozenset()
            only = self.files.only_for(path)
            for owner, binary in self.graph.compiled_by.get(package, ()):
                source = area is Area.SOURCE and (only is None or binary in only)
                if source or owner in seen_by:
                    found[(owner, binary, ReasonKind.COMPILES)] = None
        told = {(owner, binary) for owner, binary, _ in found}
        for compiler in (*folder.included, *self._included.get(path, ())):
            if compiler[:2] not in told:
                found[compiler] = None
                told.add(compiler[:2])
        blind = self._blind_to(path) if found else frozenset()
        return tuple(compiler for compiler in found if compiler[0] not in blind)

    def roles(self, path: str) -> tuple[Role, ...]:
        """The parts that a path plays in packs."""
        found = []
        for root in self.folder_of(path).packs:
            pack, _, inside = relative_to(path, root).partition("/")
            if inside:
                found.append((root, pack, pack_role(inside)))
        return tuple(found)

    def mounted_into(self, path: str) -> tuple[str, ...]:
        """Services that bind-mount a path or a folder above it."""
        exact = self.graph.mounts.get(path, ())
        return tuple(dict.fromkeys((*self.folder_of(path).mounts, *exact)))

    def mounts(self, path: str, roles: Iterable[Role]) -> tuple[str, ...]:
        """Those of them that must start anew when the path changes."""
        services = self.mounted_into(path)
        for root, _, role in roles:
            if services and root not in self.graph.packs:
                once = [s for s in services if s in self.graph.relations.one_shots]
                return (*once, *self.effects.readers(services, role))
        return self.sources.not_own_data(path, services) if services else ()

    def named_in_generated(self, path: str) -> bool:
        """Whether an output names something inside the generated folder, not around it."""
        inside = self.folder_of(path).generated or ""
        named = [entry.path for entry in self.copies(path)]
        named += [m for m in (path, *folders_above(path)) if m in self.graph.mounts]
        return self._is_included(path) or any(f"{name}/".startswith(inside) for name in named)

    def _look_at(self, name: str) -> Folder:
        above = (name, *folders_above(name)) if name else ("",)
        graph = self.graph
        packs = (*graph.packs, *graph.workspace.bound_packs)
        services = graph.workspace.compose.services
        package = next((folder for folder in above if folder in graph.packages), None)
        mounts = tuple(dict.fromkeys(s for f in above for s in graph.mounts.get(f, ())))
        copies = graph.literal_copies.get(name, ())
        included = self._included.get(name, ())
        if name:  # what holds of the folder above holds here, and is much the same everywhere
            outer = self.folder(name.rpartition("/")[0])
            copies = copies + outer.copies if copies else outer.copies
            included = (
                tuple(dict.fromkeys(included + outer.included)) if included else (outer.included)
            )
        packed = tuple(root for root in packs if within(name, root))
        written = generated(join(name, "x"), self.sources.target_folders)
        read = package is not None or mounts or copies or included or packed or written
        return Folder(
            name=name,
            generated=written,
            package=package,
            mounts=mounts,
            copies=copies,
            excluding=any(entry.source.exclude for entry in copies),
            packs=packed,
            included=included,
            unread=not (read or self.globs or self._declared),
            rules=tuple(rules for rules in self._owners_of if within(name, rules.context)),
            whole=any(
                not mount.read_only
                for service in graph.mounts.get("", ())
                for mount in services[service].mounts
                if mount.source == ""
            ),
        )

    def _index_included(self) -> dict[str, tuple[Compiler, ...]]:
        """What sources name, then what cargo's dep-info says beyond that."""
        found: dict[str, dict[Compiler, None]] = {}
        workspace = self.graph.workspace
        for root, paths in workspace.includes.items():
            for path in paths:
                for owner, name in self.graph.compiled_by.get(root, ()):
                    found.setdefault(path, {})[(owner, name, ReasonKind.INCLUDED)] = None
        for owner, compiled in self.graph.compiles.items():
            for binary in compiled:
                for path in workspace.dep_info.get(binary.name, ()):
                    if not self.files.is_source(path):
                        found.setdefault(path, {})[(owner, binary.name, ReasonKind.DEP_INFO)] = None
        return {path: tuple(compilers) for path, compilers in found.items()}
