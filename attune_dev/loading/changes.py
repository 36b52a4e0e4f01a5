"""Paths that someone names, as changes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from attune_dev.errors import UsageError
from attune_dev.loading.earlier import load_earlier
from attune_dev.loading.git import changes_since, is_repository, tracked_below
from attune_dev.loading.workspace import active_services
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import Plan
from attune_dev.model.workspace import Workspace
from attune_dev.planning.graph import Graph, build_graph
from attune_dev.planning.planner import make_plan
from attune_dev.planning.sources import Sources
from attune_dev.planning.structure import defines_graph
from attune_dev.settings import Settings

_SKIPPED = frozenset({".git", ".attune-dev", "node_modules", "__pycache__", ".venv"})


def changes_from_paths(
    root: Path, paths: Iterable[str], *, cwd: Path | None = None
) -> tuple[Change, ...]:
    """The files that paths name, each as modified, or as deleted where it does not exist.

    A folder stands for all files in it; one that does not exist, for what git tracks below it.

    Args:
        root: repository root.
        paths: absolute or relative to ``cwd``.
        cwd: the working folder; ours where it is ``None``.

    Raises:
        UsageError: a path is outside of the repository.
    """
    found: dict[str, Change] = {}
    for path in paths:
        for change in _changes(root, path_inside(root, path, cwd)):
            found[change.path] = change
    return tuple(found[path] for path in sorted(found))


def path_inside(root: Path, path: str, cwd: Path | None = None) -> str:
    """The path relative to the root; links in it stay, but the way to the root may hold some.

    Args:
        root: repository root.
        path: absolute or relative to ``cwd``.
        cwd: the working folder; ours where it is ``None``.

    Raises:
        UsageError: it is outside of the repository.
    """
    given = Path(os.path.normpath((cwd or Path.cwd()) / path))
    base = Path(os.path.normpath(Path.cwd() / root))
    resolved = given.parent.resolve() / given.name
    for full, folder in ((given, base), (resolved, base.resolve())):
        if full.is_relative_to(folder):
            inside = full.relative_to(folder).as_posix()
            return "" if inside == "." else inside
    raise UsageError(f"`{path}` is outside of {root}", hint="name paths of this repository")


def _changes(root: Path, path: str) -> Iterator[Change]:
    full = root / path
    if full.is_dir() and not full.is_symlink():
        yield from (Change(file) for file in _files_below(root, path))
    elif os.path.lexists(full):
        yield Change(path)
    else:
        gone = tracked_below(root, path) or (path,)
        yield from (Change(file, ChangeKind.DELETED) for file in gone)


def _files_below(root: Path, path: str) -> Iterator[str]:
    for current, folders, files in os.walk(root / path):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        inside = os.path.relpath(current, root)
        prefix = "" if inside == "." else f"{inside}/"
        links = [name for name in folders if Path(current, name).is_symlink()]
        yield from (f"{prefix}{name}" for name in (*sorted(files), *links))


def asked_plan(
    root: Path,
    settings: Settings,
    workspace: Workspace,
    paths: Sequence[str],
    since: str = "",
    cwd: Path | None = None,
) -> Plan:
    """What ``inv plan`` is asked: the plan for named paths, or for all that differs.

    Without paths, all that differs from the revision counts. Paths narrow it down where a
    revision is named, too.

    Args:
        root: repository root.
        settings: tell the Compose profiles that are on.
        workspace: as it is now.
        paths: files or folders; none for all that git calls changed.
        since: a revision; the last commit where it is empty.
        cwd: the folder that ``paths`` are relative to; ours where it is ``None``.

    Raises:
        UsageError: a path is outside of the repository, there is no such revision, or this is no
            git repository.
    """
    ref = since or "HEAD"
    if paths:
        changes = changes_from_paths(root, paths, cwd=cwd)
        if since:
            differing = {change.path: change for change in changes_since(root, ref)}
            changes = tuple(differing[c.path] for c in changes if c.path in differing)
    else:
        changes = changes_since(root, ref)
    graph = build_graph(workspace)
    return make_plan(
        workspace,
        changes,
        previous=_previous(root, settings, workspace, graph, changes, ref),
        services=active_services(workspace.compose, settings.profiles),
        graph=graph,
    )


def _previous(
    root: Path,
    settings: Settings,
    workspace: Workspace,
    graph: Graph,
    changes: Sequence[Change],
    ref: str,
) -> Workspace | None:
    """The earlier workspace, where a change is of the kind that only a difference tells."""
    paths = [path for change in changes for path in change.paths]
    derived = any(defines_graph(graph, p, change.kind) for change in changes for p in change.paths)
    if not derived or not is_repository(root):
        return None
    definitions = Sources(graph)
    same_compose = not any("" in definitions.definitions(path) for path in paths)
    return load_earlier(root, ref, settings, workspace, same_compose=same_compose)
