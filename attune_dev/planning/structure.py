"""Changes after which there are other packages or packs than before."""

from __future__ import annotations

from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import ActionKind
from attune_dev.planning.effects import Impact
from attune_dev.planning.globs import within
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


def defines_graph(graph: Graph, path: str) -> bool:
    """Whether the graph must be derived again once a path has changed.

    More than a plan's ``reload`` tells of: also manifests, Dockerfiles, ignore files, new roots of
    cargo targets and the sensors' YAML, which names pack binaries.
    """
    name = path.rpartition("/")[2]
    if name in _GRAPH_FILES or path in graph.workspace.compose.files:
        return True
    if any(path in (image.dockerfile, image.ignore_file) for image in graph.inputs.values()):
        return True
    if "Dockerfile" in name or "Containerfile" in name or name.endswith(".dockerignore"):
        return True
    if name.endswith((".yaml", ".yml")):
        stem = name.rpartition(".")[0].removesuffix(".override")
        return stem in ("compose", "docker-compose") or any(within(path, r) for r in graph.packs)
    return path.endswith(".rs") and (name in _TARGET_ROOTS or "/src/bin/" in path)


_GRAPH_FILES = frozenset(
    {
        ".dockerignore",
        ".env",
        ".gitignore",
        "Cargo.lock",
        "Cargo.toml",
        "attune-dev.toml",
        "config.toml",
        "pyproject.toml",
        "rust-toolchain",
        "rust-toolchain.toml",
    }
)
_TARGET_ROOTS = frozenset({"main.rs", "lib.rs", "build.rs"})
