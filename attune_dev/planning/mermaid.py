"""The graph as a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator

from attune_dev.model.cargo import DependencyKind
from attune_dev.model.workspace import Workspace
from attune_dev.planning.graph import Graph, build_graph


def mermaid(workspace: Workspace) -> str:
    """Packages, binaries, images, packs, volumes and services as a flowchart.

    Packages that reach no output are left out; files are not shown.

    Args:
        workspace: the repository.
    """
    graph = build_graph(workspace)
    edges = list(dict.fromkeys(_edges(graph)))
    names = list(dict.fromkeys(node for edge in edges for node in edge[:2]))
    ids = {node: f"n{place}" for place, node in enumerate(names)}
    lines = ["flowchart LR"]
    for kind, name in names:
        left, right = _SHAPES[kind]
        label = f"{name or '.'}".replace('"', "#quot;")
        lines.append(f'  {ids[(kind, name)]}{left}"{label}"{right}')
    lines += [f"  {ids[a]} -->{f'|{text}|' if text else ''} {ids[b]}" for a, b, text in edges]
    for kind in _SHAPES:
        members = [ids[node] for node in names if node[0] == kind]
        if members:
            lines.append(f"  class {','.join(members)} {kind}")
    return "\n".join(lines)


_Node = tuple[str, str]
_Edge = tuple[_Node, _Node, str]
_SHAPES = {
    "package": ("[", "]"),
    "binary": ("([", "])"),
    "image": ("[[", "]]"),
    "files": ("[/", "/]"),
    "pack": ("{{", "}}"),
    "volume": ("[(", ")]"),
    "service": ("(", ")"),
}


def _edges(graph: Graph) -> Iterator[_Edge]:
    yield from _package_edges(graph)
    yield from _image_edges(graph)
    yield from _pack_edges(graph)
    for path, services in sorted(graph.mounts.items()):
        for service in services:
            yield ("files", path), ("service", service), "mounted"
    yield from _volume_edges(graph)


def _image_edges(graph: Graph) -> Iterator[_Edge]:
    for owner, compiled in graph.compiles.items():
        for binary in compiled if owner.service else ():
            yield ("binary", binary.name), ("image", owner.service), ""
    for name, users in graph.relations.image_users.items():
        for user in users:
            yield ("image", name), ("service", user), ""


def _pack_edges(graph: Graph) -> Iterator[_Edge]:
    for name, places in graph.pack_binaries.items():
        for placed in places:
            yield ("binary", name), ("pack", placed.pack), ""
    for root, folder in graph.packs.items():
        for pack in folder.packs:
            yield ("pack", pack), ("volume", folder.volume), ""
        yield ("files", root), ("volume", folder.volume), "sync"


def _volume_edges(graph: Graph) -> Iterator[_Edge]:
    for volume, services in graph.relations.mounted_by.items():
        fillers = graph.relations.writers.get(volume, ())
        for filler in fillers:
            yield ("service", filler), ("volume", volume), "fills"
        for service in services:
            if service not in fillers:
                yield ("volume", volume), ("service", service), ""


def _package_edges(graph: Graph) -> Iterator[_Edge]:
    for root, package in graph.packages.items():
        for dependency in package.path_dependencies:
            normal = dependency.kind is not DependencyKind.DEV
            if normal and dependency.package in graph.compiled_by and root in graph.compiled_by:
                yield ("package", dependency.package), ("package", root), ""
    for compiled in graph.compiles.values():
        for binary in compiled:
            yield ("package", binary.package), ("binary", binary.name), ""
