"""Asking without doing: what a change would lead to, what something is made of."""

from __future__ import annotations

import json as json_module
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import Project, check_names
from attune_dev.errors import ExitCode, UsageError

ANY_WORD = staticmethod(lambda _word: True).__func__


@command(
    names="paths",
    is_name=ANY_WORD,
    help={
        "paths": "changed files or folders; what git calls changed where none is named",
        "since": "all that differs from this revision, uncommitted and untracked files included",
        "json": "one JSON document on standard output",
        "exit_code": "exit 10 when there is something to do",
    },
)
def plan(
    _context: Any,
    paths: list[str],
    since: str = "",
    json: bool = False,
    exit_code: bool = False,
) -> None:
    """Shows what a change would do, and why; does nothing.

    `plan crates/api/src/main.rs` asks for a file, `plan --since origin/main` for all that differs
    from a revision, `plan` for what is not committed. It needs no engine.
    """
    from attune_dev.loading.changes import asked_plan
    from attune_dev.planning.render import render_plan

    project = Project()
    made = asked_plan(project.root, project.settings, project.workspace, paths, since, Path.cwd())
    if json:
        print(json_module.dumps(made.to_dict(), indent=2))
    else:
        print(render_plan(made, *terminal(), provenance=project.workspace.provenance))
    if exit_code and made:
        raise Exit(code=ExitCode.SOMETHING_TO_DO)


@command(
    names="target",
    is_name=ANY_WORD,
    help={"target": "a file or folder, a service, or the name of a package, binary or pack"},
)
def why(_context: Any, target: list[str]) -> None:
    """Tells who reads a file, or what a service is made of."""
    from attune_dev.loading.changes import changes_from_paths, path_inside
    from attune_dev.planning.why import folders_by_name, why_path, why_service

    project = Project()
    if len(target) != 1:
        raise UsageError("name one file or one service", hint="./inv why api")
    word = target[0]
    if word in project.compose.services:
        print(why_service(project.workspace, word))
        return
    path = path_inside(project.root, word)
    if not os.path.lexists(project.root / path):
        folders = folders_by_name(project.workspace)
        if "/" not in word and "." not in word:  # else a file that is gone, or to come
            known = {*folders, *project.compose.services}
            check_names("file, service, package, binary or pack", [word], known)
        path = folders.get(word, path)
    files = changes_from_paths(project.root, [path], cwd=project.root)
    print(why_path(project.workspace, path or ".", [change.path for change in files]))


@command()
def graph(_context: Any) -> None:
    """Draws packages, images and services (Mermaid)."""
    from attune_dev.planning.mermaid import mermaid

    print(mermaid(Project().workspace))


def terminal() -> tuple[int, bool]:
    """Width in columns and whether colour is wanted."""
    width = shutil.get_terminal_size((100, 24)).columns
    dumb = os.environ.get("TERM") == "dumb"
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ and not dumb
    return width, colour
