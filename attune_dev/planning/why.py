"""Why: everything that reads a path, and everything that a service is made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from attune_dev.model.cargo import DependencyKind
from attune_dev.model.change import Change
from attune_dev.model.compose import MountKind
from attune_dev.model.workspace import Workspace
from attune_dev.planning.classify import Classifier
from attune_dev.planning.effects import Effects
from attune_dev.planning.graph import CopySource, Graph, Owner, build_graph
from attune_dev.planning.pack_roles import PackRole
from attune_dev.planning.planner import make_plan
from attune_dev.planning.reasons import ReasonKind
from attune_dev.planning.render import shown

ARROW = " → "


def folders_by_name(workspace: Workspace) -> dict[str, str]:
    """Folders of what outputs are made of: packages and their binaries by name, and packs."""
    graph = build_graph(workspace)
    found: dict[str, str] = {}
    for folder in workspace.packs_folders:
        found |= {name: f"{folder.root}/{name}" for name in folder.packs}
    compiled = {binary.package for made in graph.compiles.values() for binary in made}
    for root in sorted({part for top in compiled for part in workspace.cargo.closure(top)}):
        package = graph.packages[root]
        found |= dict.fromkeys((package.name, *package.binaries), root)
    return found


def why_path(workspace: Workspace, path: str, files: Sequence[str] = ()) -> str:
    """Everything that reads a path, as chains down to the services, and what a change would do.

    Args:
        workspace: the repository.
        path: relative to the root.
        files: the files that it stands for, where it is a folder.
    """
    graph = build_graph(workspace)
    classifier = Classifier(graph)
    paths = files or (path,)
    plan = make_plan(workspace, [Change(each) for each in paths], graph=graph)
    lines = [shown(path)]
    chains = dict.fromkeys(chain for each in paths for chain in _chains(graph, classifier, each))
    lines += [f"  {ARROW.join(chain)}" for chain in chains]
    if not chains:
        lines += [f"  nobody: {reason}" for reason in dict.fromkeys(i.reason for i in plan.ignored)]
    if plan.actions:
        lines.append("a change would")
        lines += [f"  {a.kind.value} {' '.join(a.targets)}".rstrip() for a in plan.actions]
    return "\n".join(lines)


def why_service(workspace: Workspace, name: str) -> str:
    """Everything that a service is made of, with the chain that leads to it.

    Args:
        workspace: the repository.
        name: of a service; it must exist.
    """
    graph = build_graph(workspace)
    service = workspace.compose.services[name]
    kind = "one-shot service" if name in graph.relations.one_shots else "service"
    lines = [f"{kind} {name}"]
    lines += [f"  {line}" for line in _image_lines(graph, name)]
    for mount in service.mounts:
        how = "read-only" if mount.read_only else "writable"
        if mount.kind is MountKind.BIND:
            lines.append(f"  mounts {mount.source or '.'} at {mount.target}, {how}")
        elif mount.kind is MountKind.VOLUME:
            fillers = graph.relations.writers.get(mount.source, ())
            filled = {
                folder.filler: f"{folder.root}/"
                for folder in graph.packs.values()
                if folder.volume == mount.source
            }
            told = ", ".join(filled.get(filler, filler) for filler in fillers if filler != name)
            suffix = f", filled from {told}" if told else ""
            lines.append(f"  mounts volume {mount.source} at {mount.target}, {how}{suffix}")
    lines += [f"  reads {file} (config or secret)" for file in service.files]
    for dependency in service.depends_on:
        lines.append(f"  waits for {dependency.service}: {dependency.condition.value}")
    lines.append(f"  defined by {', '.join(workspace.compose.files) or 'Compose'}")
    return "\n".join(lines)


def _image_lines(graph: Graph, name: str) -> Iterator[str]:
    owner = Owner(service=name)
    image = graph.inputs.get(owner)
    service = graph.workspace.compose.services[name]
    if image is None:
        builders = [b for b, users in graph.relations.image_users.items() if name in users]
        built = f", built as {', '.join(builders)}" if builders else ""
        yield f"image {service.image or '(outside of the repository)'}{built}"
        return
    stages = f", stages {', '.join(image.stages)}" if image.stages else ""
    yield f"image from {image.dockerfile}{stages}, context {image.context or '.'}"
    if image.base_images:
        yield f"on {', '.join(image.base_images)}"
    for compiled in graph.compiles.get(owner, ()):
        yield f"binary {compiled.name}"
        for root in sorted(graph.workspace.cargo.closure(compiled.package)):
            chain = _dependency_chain(graph, compiled.package, root)
            yield f"  {root or '.'}  ({ARROW.join(chain)})"
    for entry in sorted({(e.path, e.compile_only) for e in _copies_of_owner(graph, owner)}):
        yield f"{'compiles from' if entry[1] else 'copies'} {entry[0] or '.'}"
    if image.ignore_file:
        yield f"without what {image.ignore_file} hides"


def _copies_of_owner(graph: Graph, owner: Owner) -> Iterator[CopySource]:
    for entries in graph.literal_copies.values():
        yield from (entry for entry in entries if entry.owner == owner)
    yield from (entry for entry in graph.glob_copies if entry.owner == owner)


def _chains(graph: Graph, classifier: Classifier, path: str) -> Iterator[tuple[str, ...]]:
    for owner, kind in classifier.readers.sources.images_of_file(path):
        yield (_role(kind), *_of_owner(graph, owner))
    if classifier.readers.sources.definitions(path):
        yield ("the services",)
    package = classifier.readers.folder_of(path).package
    copies = classifier.readers.seen_copies(path)
    for impact_owner, binary, _ in classifier.readers.compilers(path, copies):
        chain = _to_binary(graph, package, impact_owner, binary)
        yield (*chain, *_of_owner(graph, impact_owner, binary))
    for entry in classifier.readers.inputs(path, copies, claimed=True):
        how = "copied" if entry.final else "read by the build"
        yield (how, *_of_owner(graph, entry.owner))
    for root in (*graph.packs, *graph.workspace.bound_packs):
        if path.startswith(f"{root}/"):
            folder = graph.packs.get(root)
            pack = path[len(root) + 1 :].partition("/")[0]
            if folder is not None:
                readers = graph.relations.mounted_by.get(folder.volume, ())
                running = [r for r in readers if r not in graph.relations.one_shots]
                yield (f"pack {pack}", f"volume {folder.volume}", _named("service", running))
    mounted = classifier.readers.mounted_into(path)
    if mounted:
        yield ("mounted", _named("service", mounted))


def _role(kind: ReasonKind) -> str:
    """What a file is for an image, which is named next."""
    return kind.value.removesuffix(" {}").format("it")


def _to_binary(graph: Graph, package: str | None, owner: Owner, binary: str) -> tuple[str, ...]:
    for compiled in graph.compiles.get(owner, ()):
        if compiled.name == binary and package is not None:
            chain = _dependency_chain(graph, compiled.package, package)
            return (*(f"package {name}" for name in reversed(chain)), f"binary {binary}")
    return (f"binary {binary}",)


def _of_owner(graph: Graph, owner: Owner, binary: str = "") -> tuple[str, ...]:
    if owner.service:
        users = graph.relations.image_users.get(owner.service, (owner.service,))
        return (f"image of {owner.service}", _named("service", users))
    names = [binary] if binary else [compiled.name for compiled in graph.compiles[owner]]
    packs = {placed.pack for name in names for placed in graph.pack_binaries.get(name, ())}
    volumes = [folder.volume for folder in graph.packs.values()]
    mounted = {s for volume in volumes for s in graph.relations.mounted_by.get(volume, ())}
    readers = Effects(graph).readers(tuple(sorted(mounted)), PackRole.SENSOR)
    return (_named("pack", sorted(packs)), _named("volume", volumes), _named("service", readers))


def _named(word: str, names: Iterable[str]) -> str:
    listed = list(names)
    return f"{word}{'s' if len(listed) != 1 else ''} {', '.join(listed)}"


def _dependency_chain(graph: Graph, start: str, end: str) -> list[str]:
    """Names of the packages on a shortest way from one to another that it depends on."""
    came: dict[str, str | None] = {start: None}
    todo = deque([start])
    while todo:
        current = todo.popleft()
        if current == end:
            break
        for dependency in graph.packages[current].path_dependencies:
            known = dependency.package in graph.packages and dependency.package not in came
            if known and dependency.kind is not DependencyKind.DEV:
                came[dependency.package] = current
                todo.append(dependency.package)
    chain: list[str] = []
    step: str | None = end if end in came else None
    while step is not None:
        chain.append(graph.packages[step].name)
        step = came[step]
    return chain[::-1]
