"""Files that a build reads and we may not: BuildKit's client sends such a file empty, silently.

Whoever builds would get an image with an empty file in it, and be told that all is well.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from attune_dev.model.change import Change
from attune_dev.model.plan import ActionKind
from attune_dev.planning.planner import make_plan
from attune_dev.watching.scope import scope_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from attune_dev.model.workspace import Workspace
    from attune_dev.watching.scope import Scope


def unreadable_sources(
    root: Path, workspace: Workspace, services: Collection[str]
) -> tuple[str, ...]:
    """The files that images of services are built from and that may not be read, sorted.

    Args:
        root: repository root.
        workspace: what it says.
        services: those that are to be built.
    """
    changes = [Change(path) for path in sorted(_unreadable(root, scope_of(workspace)))]
    if not changes:
        return ()
    builds = make_plan(workspace, changes).of(ActionKind.BUILD)
    read = (action.paths for action in builds if set(action.targets).intersection(services))
    return tuple(sorted(frozenset[str]().union(*read) & {change.path for change in changes}))


def _unreadable(root: Path, scope: Scope) -> Iterator[str]:
    todo = [""]
    while todo:
        folder = todo.pop()
        prefix = f"{folder}/" if folder else ""
        try:
            entries = list(os.scandir(root / folder))
        except OSError:
            continue  # what is in there is told by whoever wants it
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if scope.descends(path):
                    todo.append(path)
            elif entry.is_file(follow_symlinks=False) and scope.wants_file(path):
                try:
                    os.close(os.open(entry.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW))
                except PermissionError:
                    yield path
                except OSError:
                    continue  # it has just gone, or become something else
