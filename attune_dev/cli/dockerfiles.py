"""``inv dockerfiles``: the crate-dependent parts of the Dockerfiles, from the workspace."""

from __future__ import annotations

from typing import Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import Project
from attune_dev.errors import ExitCode, UsageError


@command(
    help={
        "check": "write nothing; show what is out of date and exit with 1",
        "strategy": "once, shared or locked; as the files are where it is not given",
    }
)
def dockerfiles(_context: Any, check: bool = False, strategy: str = "") -> None:
    """Renders what of the Dockerfiles depends on the crates.

    Nobody lists manifests or binaries by hand. `once` compiles everything in one cargo call,
    `shared` each service out of its own crates with a target cache of its own, `locked` the same
    in one target cache for all. Only the part between the two marked lines is written.
    """
    from attune_dev.loading.rendered import render_dockerfiles, write_change
    from attune_dev.planning.rendered import Strategy

    if strategy and strategy not in list(Strategy):
        raise UsageError(f"no strategy `{strategy}`", hint=f"one of {', '.join(Strategy)}")
    project = Project()
    changes = render_dockerfiles(
        project.root, project.workspace, Strategy(strategy) if strategy else None
    )
    if check:
        stale = [change for change in changes if change.needed]
        for change in stale:
            print(change.diff(), end="")
        if stale:
            again = f"inv dockerfiles{f' --strategy {strategy}' if strategy else ''}"
            names = ", ".join(change.path for change in stale)
            raise Exit(f"out of date: {names}\n  fix: {again}", code=ExitCode.ACTION_FAILED)
        print(f"up to date: {', '.join(change.path for change in changes)}")
        return
    for change in changes:
        if change.needed:
            write_change(project.root, change)
        done = "rendered" if change.needed else "unchanged"
        how = f", strategy {change.strategy}" if change.strategy else ""
        print(f"{change.path}: {done}{how}")
