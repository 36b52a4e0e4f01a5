"""What a path concerns: an ordered table of rules, the first match per output decides.

A file can concern several outputs: it is mounted here, copied there and belongs to a pack. Each
output has its own rules. Only where no output reads the file do the rules speak that say why not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from attune_dev.planning.effects import Effects, Impact
from attune_dev.planning.globs import folders_above, join, relative_to, within
from attune_dev.planning.graph import CopySource, Graph, Owner
from attune_dev.planning.image_ignore import IgnoreRules, reads
from attune_dev.planning.pack_roles import PackRole, pack_role
from attune_dev.planning.packages import Area, PackageFiles, is_document
from attune_dev.planning.reasons import Reason, ReasonKind
from attune_dev.planning.sources import Sources
from attune_dev.planning.unread import editor_temporary, generated
from attune_dev.planning.why_not import explain_unread


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a path concerns.

    Attributes:
        impacts: what is to be done, empty where nothing reads it.
        unread: the rule by which nothing reads it.
    """

    impacts: tuple[Impact, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class _Folder:
    """What is the same for all files of a folder."""

    generated: str | None
    package: str | None
    mounts: tuple[str, ...]
    copies: tuple[CopySource, ...]
    packs: tuple[str, ...]


class Classifier:
    """Answers per path; what it finds out about folders and kinds of files it keeps."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.effects = Effects(graph)
        self.sources = Sources(graph)
        self._files = PackageFiles(graph)
        self._folders: dict[str, _Folder] = {}
        self._verdicts: dict[object, tuple[Impact, ...]] = {}
        self._included = self._index_included()
        self._declared = [
            (IgnoreRules.parse((glob,)), name)
            for name, service in graph.workspace.compose.services.items()
            for glob in service.override.reads
        ]
        self._excused = [
            (IgnoreRules.parse((glob,)), name)
            for name, service in graph.workspace.compose.services.items()
            for glob in service.override.ignore
        ]

    def classify(self, path: str) -> Verdict:
        """What a path concerns, cargo's own manifests aside (see ``cargo_files``)."""
        folder = self._folder(path.rpartition("/")[0])
        rule = editor_temporary(path)
        if rule is not None:
            return Verdict(unread=f"an editor's temporary file, by the rule {rule}")
        if folder.generated is not None and not self._named_in_generated(path, folder):
            return Verdict(unread=f"generated: tools write {folder.generated}")
        impacts = self._impacts(path, folder)
        if impacts:
            kept = self._excuse(path, impacts)
            if kept:
                return Verdict(kept)
            return Verdict(unread="x-attune-dev says that it never concerns who could read it")
        return Verdict(unread=explain_unread(self, path, folder.package))

    def _impacts(self, path: str, folder: _Folder) -> tuple[Impact, ...]:
        roles = self._roles(path, folder)
        mounts = self._mounts(path, folder, roles)
        image = self.sources.images_of_file(path)
        copies = self._copies(path, folder)
        claimed = bool(mounts or roles or image or self.sources.definitions(path))
        key = (
            self.sources.definitions(path),
            image,
            mounts,
            roles,
            self._owners([e for e in copies if self._counts(path, e, claimed=claimed)]),
            self._compilers(path, folder, copies),
            tuple(name for globs, name in self._declared if globs.ignores(path)),
        )
        if not any(key):
            return ()
        if key not in self._verdicts:
            self._verdicts[key] = tuple(dict.fromkeys(self._expand(*key)))
        return self._verdicts[key]

    @staticmethod
    def _owners(entries: Iterable[CopySource]) -> tuple[tuple[Owner, bool], ...]:
        """Each owner once, with whether its image holds the file in the end."""
        found: dict[Owner, bool] = {}
        for entry in entries:
            found[entry.owner] = found.get(entry.owner, False) or entry.final
        return tuple(found.items())

    def _expand(
        self,
        definitions: tuple[str, ...],
        image: tuple[tuple[Owner, ReasonKind], ...],
        mounts: tuple[str, ...],
        roles: tuple[tuple[str, str, PackRole], ...],
        copies: tuple[tuple[Owner, bool], ...],
        compilers: tuple[tuple[Owner, str, ReasonKind], ...],
        declared: tuple[str, ...],
    ) -> Iterable[Impact]:
        yield from self.sources.of_definitions(definitions, self.effects)
        for owner, kind in image:
            yield from self.effects.of_build(owner, Reason(kind, owner.service or "pack binaries"))
        for root, pack, role in roles:
            folder = self.graph.packs.get(root)
            if folder is not None:
                yield from self.effects.of_pack(folder, pack, role)
        for service in mounts:
            yield from self.effects.of_mount(service)
        for owner, binary, kind in compilers:
            yield from self._of_compiler(owner, binary, kind)
        for owner, final in copies:
            kind = ReasonKind.COPIED if final else ReasonKind.BUILD_READS
            yield from self.effects.of_build(owner, Reason(kind, owner.service or "pack binaries"))
        for service in declared:
            yield from self.effects.of_declared(service, Reason(ReasonKind.DECLARED, service))

    def _of_compiler(self, owner: Owner, binary: str, kind: ReasonKind) -> tuple[Impact, ...]:
        if owner.service:
            return self.effects.of_build(owner, Reason(kind, binary))
        return self.effects.of_pack_binary(binary, Reason(kind, binary))

    def compilers_of(self, package: str, kind: ReasonKind, path: str = "") -> tuple[Impact, ...]:
        """What must be done when the code of a package changes.

        Args:
            package: its folder.
            kind: the reason to give.
            path: where it is given, builds from which a ``.dockerignore`` hides it are left out.
        """
        return tuple(
            dict.fromkeys(
                impact
                for owner, binary in self.graph.compiled_by.get(package, ())
                if not path or self.hidden(owner, path) is None
                for impact in self._of_compiler(owner, binary, kind)
            )
        )

    def hidden(self, owner: Owner, path: str) -> str | None:
        """The rule that hides a path from a build."""
        rules = self.graph.rules.get(owner)
        return rules.hides(path) if rules is not None else None

    def copies(self, path: str) -> tuple[CopySource, ...]:
        """All that copies a path, hidden or not."""
        folder = self._folder(path.rpartition("/")[0])
        found = dict.fromkeys(folder.copies)
        found |= dict.fromkeys(self.graph.literal_copies.get(path, ()))
        found |= dict.fromkeys(e for e in self.graph.glob_copies if reads(e.source, path))
        return tuple(entry for entry in found if entry.takes(path))

    def mounted_into(self, path: str) -> tuple[str, ...]:
        """Services that bind-mount a path or a folder above it."""
        folder = self._folder(path.rpartition("/")[0])
        return tuple(dict.fromkeys((*folder.mounts, *self.graph.mounts.get(path, ()))))

    def compiling(self, path: str) -> tuple[tuple[Owner, str], ...]:
        """The builds, with their binaries, that compile a path."""
        folder = self._folder(path.rpartition("/")[0])
        if editor_temporary(path) is not None or folder.generated is not None:
            return ()
        found = self._compilers(path, folder, self._copies(path, folder))
        return tuple((owner, binary) for owner, binary, _ in found)

    def copied_as_such(self, path: str) -> tuple[CopySource, ...]:
        """What copies a path other than for cargo to compile it."""
        folder = self._folder(path.rpartition("/")[0])
        seen = self._copies(path, folder)
        return tuple(entry for entry in seen if self._counts(path, entry, claimed=True))

    def packages_above(self, path: str) -> tuple[str, ...]:
        """Folders of the packages that hold a path, innermost first."""
        return tuple(name for name in folders_above(path) if name in self.graph.packages)

    def _copies(self, path: str, folder: _Folder) -> tuple[CopySource, ...]:
        if not folder.copies and not self.graph.glob_copies:
            found = self.graph.literal_copies.get(path, ())
        else:
            found = self.copies(path)
        return tuple(entry for entry in found if self.hidden(entry.owner, path) is None)

    def _counts(self, path: str, entry: CopySource, *, claimed: bool) -> bool:
        """Whether a copied file is an input as such, not only as something cargo may compile."""
        if not entry.compile_only:
            return True
        if self._files.belongs(path) or path in self._included:
            return False
        if not entry.broad:
            return True
        return not claimed and not self._files.beside_the_code(path, entry.owner)

    def _compilers(
        self, path: str, folder: _Folder, copies: tuple[CopySource, ...]
    ) -> tuple[tuple[Owner, str, ReasonKind], ...]:
        found: dict[tuple[Owner, str, ReasonKind], None] = {}
        package = folder.package
        if package is not None:
            area = self._files.area(path, package)
            seen_by = {entry.owner for entry in copies}
            only = self._files.only_for(path)
            for owner, binary in self.graph.compiled_by.get(package, ()):
                other = bool(package) and area is Area.OTHER and owner in seen_by
                source = area is Area.SOURCE and (only is None or binary in only)
                if source or other:
                    found[(owner, binary, ReasonKind.COMPILES)] = None
        for owner, binary in self._included.get(path, ()):
            if (owner, binary, ReasonKind.COMPILES) not in found:
                found[(owner, binary, ReasonKind.INCLUDED)] = None
        return tuple(key for key in found if self.hidden(key[0], path) is None)

    def _mounts(
        self, path: str, folder: _Folder, roles: tuple[tuple[str, str, PackRole], ...]
    ) -> tuple[str, ...]:
        services = folder.mounts
        exact = self.graph.mounts.get(path)
        if exact:
            services = tuple(dict.fromkeys((*services, *exact)))
        if not services:
            return ()
        for root, _, role in roles:
            if root not in self.graph.packs:
                once = [s for s in services if s in self.graph.relations.one_shots]
                return (*once, *self.effects.readers(services, role))
        return self.sources.not_own_data(path, services)

    def _roles(self, path: str, folder: _Folder) -> tuple[tuple[str, str, PackRole], ...]:
        found = []
        for root in folder.packs:
            pack, _, inside = relative_to(path, root).partition("/")
            if inside:
                found.append((root, pack, pack_role(inside)))
        return tuple(found)

    def _folder(self, folder: str) -> _Folder:
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = self._look_at(folder)
        return known

    def _look_at(self, folder: str) -> _Folder:
        above = (folder, *folders_above(folder)) if folder else ("",)
        graph = self.graph
        packs = (*graph.packs, *graph.workspace.bound_packs)
        return _Folder(
            generated=generated(join(folder, "x"), self.sources.target_folders),
            package=next((name for name in above if name in graph.packages), None),
            mounts=tuple(dict.fromkeys(s for name in above for s in graph.mounts.get(name, ()))),
            copies=tuple(
                dict.fromkeys(e for name in above for e in graph.literal_copies.get(name, ()))
            ),
            packs=tuple(root for root in packs if within(folder, root)),
        )

    def _named_in_generated(self, path: str, folder: _Folder) -> bool:
        """Whether an output names something inside the generated folder, not around it."""
        named = [e.path for e in self.copies(path)]
        named += [m for m in (path, *folders_above(path)) if m in self.graph.mounts]
        inside = folder.generated or ""
        return path in self._included or any(f"{name}/".startswith(inside) for name in named)

    def _index_included(self) -> dict[str, tuple[tuple[Owner, str], ...]]:
        found: dict[str, dict[tuple[Owner, str], None]] = {}
        workspace = self.graph.workspace
        for root, paths in workspace.includes.items():
            for path in paths:
                for pair in self.graph.compiled_by.get(root, ()):
                    found.setdefault(path, {})[pair] = None
        for owner, compiled in self.graph.compiles.items():
            for binary in compiled:
                for path in workspace.dep_info.get(binary.name, ()):
                    if not self._files.is_source(path):
                        found.setdefault(path, {})[(owner, binary.name)] = None
        return {path: tuple(pairs) for path, pairs in found.items()}

    def _excuse(self, path: str, impacts: tuple[Impact, ...]) -> tuple[Impact, ...]:
        if not self._excused:
            return impacts
        names = {name for globs, name in self._excused if globs.ignores(path)}
        return tuple(i for i in impacts if i.target not in names)


__all__ = ["Classifier", "Verdict", "is_document"]
