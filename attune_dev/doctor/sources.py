"""Whether images are older than what they are made from.

The loop keeps a record of the files that the outputs were last made from. What differs from it was
saved since; unless a build that is in the history began after that save, nobody has taken it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.doctor.report import Finding, NotKnown
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import ActionKind
from attune_dev.planning.graph import build_graph
from attune_dev.planning.planner import make_plan
from attune_dev.state import STATE_DIRECTORY
from attune_dev.watching.record import UNKNOWN, Record
from attune_dev.watching.scope import scope_of
from attune_dev.watching.snapshot import Snapshotter, edits_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from attune_dev.history.rows import RunRow
    from attune_dev.model.workspace import Workspace
    from attune_dev.planning.ledger import Edit

MOST_NAMES = 3
DONE = frozenset(("succeeded", "unchanged"))


def of_sources(
    root: Path, workspace: Workspace, services: Iterable[str], runs: Sequence[RunRow]
) -> Iterator[Finding]:
    """Finds services whose image was made from other files than there are.

    Args:
        root: repository root.
        workspace: as it is now.
        services: those that are on.
        runs: of the history, newest first.

    Raises:
        NotKnown: there is no record.
    """
    known = Record(root / STATE_DIRECTORY).load()
    if known is None:
        raise NotKnown("there is no record of an `inv dev` here")
    chosen = frozenset(services)
    now = Snapshotter(root, scope_of(workspace)).scan(known)
    edits = edits_between(known, now)
    by_service: dict[str, list[str]] = {}
    graph = build_graph(workspace)
    for edit in edits:
        changes = [Change(edit.path, _kind(edit))]
        plan = make_plan(workspace, changes, services=chosen, graph=graph)
        for name in {name for action in plan.of(ActionKind.BUILD) for name in action.targets}:
            if _saved(root, edit.path) > _last_build(runs, name):
                by_service.setdefault(name, []).append(edit.path)
    for name, paths in sorted(by_service.items()):
        what = f"its image is older than {_named(paths)}"
        yield Finding(name, what, f"./inv up {name}")


def _kind(edit: Edit) -> ChangeKind:
    if edit.after is None:
        return ChangeKind.DELETED
    return ChangeKind.CREATED if edit.before in {None, UNKNOWN} else ChangeKind.MODIFIED


def _last_build(runs: Sequence[RunRow], service: str) -> float:
    """When the last build of a service began that ended well; 0 if none is known."""
    for run in runs:
        for action in run.actions:
            built = action.kind == ActionKind.BUILD.value and action.outcome in DONE
            if built and any(target.name == service for target in action.targets):
                return run.started
    return 0.0


def _saved(root: Path, path: str) -> float:
    """When something was last done to a file; for one that is gone, to the folder it was in."""
    place = root / path
    while place != root:
        try:
            return place.lstat().st_ctime
        except OSError:
            place = place.parent
    return 0.0


def _named(paths: Sequence[str]) -> str:
    more = len(paths) - MOST_NAMES
    return ", ".join(paths[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
