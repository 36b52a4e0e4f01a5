"""Changes after which there are other packages or packs than before."""

from __future__ import annotations

from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import ActionKind
from attune_dev.planning.effects import Impact
from attune_dev.planning.globs import relative_to, within
from attune_dev.planning.graph import Graph
from attune_dev.planning.reasons import Reason, ReasonKind

_PACKS = (Impact(ActionKind.RELOAD, "", Reason(ReasonKind.DEFINES, "the packs")),)
_PACK_FILES = ("pack.yaml", "pack.yml")


def structural(graph: Graph, change: Change, path: str) -> tuple[Impact, ...]:
    """A reload where a pack comes, goes or takes another name."""
    if change.kind is ChangeKind.MODIFIED or not path.endswith(_PACK_FILES):
        return ()
    parts = path.split("/")
    return _PACKS if any(_is_pack_file(parts, root) for root in graph.packs) else ()


def _is_pack_file(parts: list[str], root: str) -> bool:
    depth = len(root.split("/")) if root else 0
    return within("/".join(parts), root) and len(parts) == depth + 2


def defines_graph(graph: Graph, path: str, kind: ChangeKind | None = None) -> bool:
    """Whether the graph must be derived again once a path has changed.

    More than a plan's ``reload`` tells of: also manifests, Dockerfiles, ignore files, new roots of
    cargo targets and the sensors' YAML, which names pack binaries.

    Args:
        graph: as it is.
        path: relative to the root.
        kind: how the path changed: a root of a target that is only modified changes nothing.
    """
    name = path.rpartition("/")[2]
    if name in _GRAPH_FILES or path in (*graph.workspace.compose.files, *_SETTINGS):
        return True
    if path in graph.workspace.compose.candidates or path.endswith(".cargo/config.toml"):
        return True
    if any(path in (image.dockerfile, image.ignore_file) for image in graph.inputs.values()):
        return True
    if "Dockerfile" in name or "Containerfile" in name or name.endswith(".dockerignore"):
        return True
    if name.endswith((".yaml", ".yml")):
        return any(_defines_pack(path, root) for root in graph.packs)
    if kind is ChangeKind.MODIFIED or not path.endswith(".rs"):
        return False
    return name in _TARGET_ROOTS or "/src/bin/" in f"/{path}"


def _defines_pack(path: str, root: str) -> bool:
    if not within(path, root):
        return False
    inside = relative_to(path, root).split("/")
    return inside[1:] in (["pack.yaml"], ["pack.yml"]) or inside[1:2] == ["sensors"]


_SETTINGS = ("attune-dev.toml", "pyproject.toml")
_GRAPH_FILES = frozenset(
    {
        ".dockerignore",
        ".env",
        ".gitignore",
        "Cargo.lock",
        "Cargo.toml",
        "rust-toolchain",
        "rust-toolchain.toml",
    }
)
_TARGET_ROOTS = frozenset({"main.rs", "lib.rs", "build.rs"})
