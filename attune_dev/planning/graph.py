"""The graph from files to what runs, as indexes that answer per path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from attune_dev.model.cargo import Package
from attune_dev.model.compose import MountKind
from attune_dev.model.dockerfile import ImageInputs, SourcePattern
from attune_dev.model.packs import PackBinary, PacksFolder
from attune_dev.model.workspace import Workspace
from attune_dev.planning.bindings import Bindings, Compiled
from attune_dev.planning.globs import folders_above, is_literal, join
from attune_dev.planning.hidden import ContextRules
from attune_dev.planning.image_ignore import reads
from attune_dev.planning.relations import Relations, relate


@dataclass(frozen=True, slots=True)
class Owner:
    """Who builds: the image of a service, or a Dockerfile that compiles pack binaries.

    Attributes:
        service: the service, empty for pack binaries.
        dockerfile: the Dockerfile of pack binaries, empty for services.
    """

    service: str = ""
    dockerfile: str = ""


@dataclass(frozen=True, slots=True)
class CopySource:
    """One path or glob of a build context that a build takes.

    Attributes:
        owner: whose build.
        path: relative to the root; may hold wildcards.
        compile_only: whether it only feeds a cargo compile: cargo decides what it reads of it.
        broad: whether it holds packages and other things alike.
        final: whether the image holds it afterwards.
        source: as the build says it.
    """

    owner: Owner
    path: str
    compile_only: bool
    broad: bool
    final: bool
    source: SourcePattern

    def takes(self, path: str) -> bool:
        """Whether a path that is within the pattern is not excluded again."""
        return not self.source.exclude or reads(self.source, path)


@dataclass(frozen=True, slots=True)
class Graph:
    """A workspace with the indexes that planning needs.

    Attributes:
        workspace: what it was built from.
        relations: between services.
        packages: by folder.
        compiles: what each owner compiles.
        compiled_by: package folder to the owners that compile it, with the binary's name.
        compiled_with: package folder to the owners whose cargo calls compile it, shipped or not:
            cargo settles features for all that one call compiles.
        host_built: package folder to the binaries that images copy from the host.
        pack_binaries: by name.
        literal_copies: path without wildcards to what copies it.
        glob_copies: the others.
        mounts: repository path to the services that bind-mount it.
        packs: root of a packs folder (or of a bind-mounted folder of packs) to it.
        inputs: what each owner's build reads.
        rules: each owner's context rules.
    """

    workspace: Workspace
    relations: Relations
    packages: Mapping[str, Package]
    compiles: Mapping[Owner, tuple[Compiled, ...]]
    compiled_by: Mapping[str, tuple[tuple[Owner, str], ...]]
    compiled_with: Mapping[str, tuple[Owner, ...]]
    host_built: Mapping[str, tuple[tuple[str, str], ...]]
    pack_binaries: Mapping[str, tuple[PackBinary, ...]]
    literal_copies: Mapping[str, tuple[CopySource, ...]]
    glob_copies: tuple[CopySource, ...]
    mounts: Mapping[str, tuple[str, ...]]
    packs: Mapping[str, PacksFolder]
    inputs: Mapping[Owner, ImageInputs]
    rules: Mapping[Owner, ContextRules] = field(default_factory=dict)

    def copies_of(self, path: str) -> tuple[CopySource, ...]:
        """All that copies a path or a folder above it."""
        found = [
            entry
            for name in (path, *folders_above(path))
            for entry in self.literal_copies.get(name, ())
        ]
        found += [entry for entry in self.glob_copies if reads(entry.source, path)]
        return tuple(entry for entry in dict.fromkeys(found) if entry.takes(path))


def build_graph(workspace: Workspace) -> Graph:
    """Builds the graph of a workspace; pure, and linear in its size."""
    inputs = {Owner(service=name): image for name, image in workspace.images.items()}
    inputs |= {Owner(dockerfile=p): image for p, image in workspace.pack_binary_images.items()}
    pack_binaries = find_pack_binaries(workspace)
    bindings = Bindings(workspace.cargo)
    compiles = {
        owner: _compiled(workspace, bindings, owner, image, pack_binaries)
        for owner, image in inputs.items()
    }
    closures = _Closures(workspace)
    literal, globs = _copies(workspace, inputs, compiles, closures)
    return Graph(
        workspace=workspace,
        relations=relate(workspace),
        packages=closures.packages,
        compiles=compiles,
        compiled_by=_compiled_by(compiles, closures),
        compiled_with=_compiled_with(bindings, inputs, compiles, closures),
        host_built=_host_built(workspace, bindings, closures),
        pack_binaries=pack_binaries,
        literal_copies=literal,
        glob_copies=globs,
        mounts=_mounts(workspace),
        packs={folder.root: folder for folder in workspace.packs_folders},
        inputs=inputs,
        rules=_rules(workspace, inputs),
    )


class _Closures:
    """Closures of packages, each computed once."""

    def __init__(self, workspace: Workspace) -> None:
        self._cargo = workspace.cargo
        self.packages = workspace.cargo.packages()
        self._known: dict[str, frozenset[str]] = {}

    def of(self, root: str) -> frozenset[str]:
        if root not in self._known:
            self._known[root] = self._cargo.closure(root)
        return self._known[root]


def find_pack_binaries(workspace: Workspace) -> dict[str, tuple[PackBinary, ...]]:
    """The binaries that packs carry and that a package of the repository compiles, by name."""
    found: dict[str, list[PackBinary]] = {}
    for folder in workspace.packs_folders:
        for _, pack in sorted(folder.packs.items()):
            for binary in pack.binaries:
                if binary.package is not None:
                    found.setdefault(binary.name, []).append(binary)
    return {name: tuple(found[name]) for name in sorted(found)}


def _compiled(
    workspace: Workspace,
    bindings: Bindings,
    owner: Owner,
    image: ImageInputs,
    pack_binaries: Mapping[str, tuple[PackBinary, ...]],
) -> tuple[Compiled, ...]:
    if owner.service:
        service = workspace.compose.services.get(owner.service)
        named = service.override.packages if service else None
        return bindings.shipped(image, named)
    return tuple(
        Compiled(name, placed.package)
        for name, places in pack_binaries.items()
        for placed in places[:1]
        if placed.package is not None
    )


def _compiled_by(
    compiles: Mapping[Owner, tuple[Compiled, ...]], closures: _Closures
) -> dict[str, tuple[tuple[Owner, str], ...]]:
    found: dict[str, dict[tuple[Owner, str], None]] = {}
    for owner, binaries in compiles.items():
        for binary in binaries:
            for root in closures.of(binary.package):
                found.setdefault(root, {})[(owner, binary.name)] = None
    return {root: tuple(found[root]) for root in found}


def _compiled_with(
    bindings: Bindings,
    inputs: Mapping[Owner, ImageInputs],
    compiles: Mapping[Owner, tuple[Compiled, ...]],
    closures: _Closures,
) -> dict[str, tuple[Owner, ...]]:
    found: dict[str, dict[Owner, None]] = {}
    for owner, image in inputs.items():
        together = {*bindings.compiled(image), *compiles[owner]}
        for binary in sorted(together):
            for root in closures.of(binary.package):
                found.setdefault(root, {})[owner] = None
    return {root: tuple(owners) for root, owners in found.items()}


def _host_built(
    workspace: Workspace, bindings: Bindings, closures: _Closures
) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for service, image in workspace.images.items():
        for binary, path in bindings.host_built(image):
            for root in closures.of(binary.package):
                found.setdefault(root, set()).add((service, path))
    return {root: tuple(sorted(found[root])) for root in found}


def _copies(
    workspace: Workspace,
    inputs: Mapping[Owner, ImageInputs],
    compiles: Mapping[Owner, tuple[Compiled, ...]],
    closures: _Closures,
) -> tuple[dict[str, tuple[CopySource, ...]], tuple[CopySource, ...]]:
    literal: dict[str, dict[CopySource, None]] = {}
    globs: dict[CopySource, None] = {}
    holding = {above for root in closures.packages for above in (root, *folders_above(root))}
    for owner, image in inputs.items():
        lines = workspace.compile_lines.get(owner.service or owner.dockerfile, frozenset())
        for source in image.sources:
            if source.context.startswith("/"):
                continue
            path = _source_path(source)
            broad = path in holding
            only = bool(compiles[owner]) and not source.final and source.line in lines
            entry = CopySource(owner, path, only, broad, source.final, source)
            if is_literal(path):
                literal.setdefault(path, {})[entry] = None
            else:
                globs[entry] = None
    return (
        {path: tuple(entries) for path, entries in literal.items()},
        tuple(globs),
    )


def _source_path(source: SourcePattern) -> str:
    parts = [part for part in source.pattern.split("/") if part not in ("", ".")]
    return join(source.context, "/".join(parts))


def _mounts(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    fills = {folder.filler: folder.root for folder in workspace.packs_folders}
    for name, service in workspace.compose.services.items():
        for mount in service.mounts:
            inside = mount.kind is MountKind.BIND and not mount.source.startswith("/")
            if inside and fills.get(name) != mount.source:
                found.setdefault(mount.source, {})[name] = None
    return {path: tuple(services) for path, services in found.items()}


def _rules(workspace: Workspace, inputs: Mapping[Owner, ImageInputs]) -> dict[Owner, ContextRules]:
    made: dict[tuple[str, str], ContextRules] = {}
    found: dict[Owner, ContextRules] = {}
    for owner, image in inputs.items():
        file = workspace.ignore_files.get(image.ignore_file)
        if file is not None:
            key = (file.path, image.context)
            if key not in made:
                made[key] = ContextRules(file.path, image.context, file.lines)
            found[owner] = made[key]
    return found
