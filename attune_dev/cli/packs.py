"""Packs: what is wrong with them, and how they and their volume compare."""

from __future__ import annotations

import json as json_module
import time
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from attune_dev.cli.build import JSON_HELP
from attune_dev.cli.command import command
from attune_dev.cli.project import Project, check_names, find_root, split_names
from attune_dev.errors import ExitCode
from attune_dev.model.plan import ActionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attune_dev.packs.check.problem import Problem
    from attune_dev.packs.check.run import PackCheck


@command(
    name="sync",
    names="packs",
    default=True,
    help={
        "packs": "packs to bring into the volume; all where none is named",
        "no_restart": "leave the services that read packs as they are",
        "json": JSON_HELP,
    },
)
def packs_sync(
    _context: Any, packs: list[str], no_restart: bool = False, json: bool = False
) -> None:
    """Makes the packs volume equal packs/, restarts readers.

    Changed, new and deleted files, modes and links; each pack is switched at once, so that no
    reader sees half of it. What someone else put into the volume is left alone and told.
    """
    from attune_dev.cli.act import run_plan, tell_nothing
    from attune_dev.packs import quick
    from attune_dev.planning.planner import plan_request

    wanted = split_names(packs)
    if quick.nothing_to_do(find_root(), wanted) is not None:
        tell_nothing(json=json)
        return
    project = Project.ready()
    known = project.packs()
    named = check_names("pack", wanted, known) or list(known)
    plan = plan_request(
        project.workspace,
        ActionKind.SYNC_PACKS,
        named,
        follow=not no_restart,
        services=project.running_services(),
    )
    run_plan(project, plan if named else None, json=json)
    if not no_restart and set(named) == set(known):
        quick.remember(project.root, project.workspace)


@command(
    name="check",
    names="packs",
    help={
        "packs": "packs to check; all where none is named",
        "fix": "set missing run bits and turn CRLF line ends into LF",
        "json": JSON_HELP,
    },
)
def packs_check(_context: Any, packs: list[str], fix: bool = False, json: bool = False) -> None:
    """Finds what services could not load or run.

    YAML against the schemas of packs, references, run bits and first lines of scripts. Errors stop
    the sync of their pack; warnings and unknown fields stop nothing. Starts no service.
    """
    from attune_dev.packs.check.repair import repair

    started = time.monotonic()
    project = Project(find_root())
    named = split_names(packs)
    checks = check_packs(project, named)
    repaired = repair(project.root, checks) if fix else ()
    if repaired:
        checks = check_packs(project, named)
    ok = not any(check.errors for check in checks)
    if json:
        document = {
            "version": 1,
            "ok": ok,
            "seconds": round(time.monotonic() - started, 3),
            "repaired": list(repaired),
            "targets": [_told(check) for check in checks],
        }
        print(json_module.dumps(document, indent=2))
    else:
        _tell(checks, repaired)
    if not ok:
        raise Exit(code=ExitCode.ACTION_FAILED)


def check_packs(project: Project, named: Sequence[str]) -> list[PackCheck]:
    """Checks packs of all folders, those that are bind-mounted included."""
    from attune_dev.cli.act import helper_image
    from attune_dev.packs.check.programs import Programs
    from attune_dev.packs.check.run import Checker
    from attune_dev.packs.scan import pack_names
    from attune_dev.running.content import binaries_of

    workspace = project.workspace
    folders = [folder.root for folder in workspace.packs_folders] + list(workspace.bound_packs)
    there = {name for folder in folders for name in pack_names(project.root / folder)}
    names = check_names("pack", named, there) or None
    binaries, types = binaries_of(workspace), project.settings.runner_types
    fits = Programs(lambda: helper_image(project), project.root)
    return [
        check
        for folder in folders
        for check in Checker(project.root, folder, binaries, types, fits).check(names)
    ]


def _told(check: PackCheck) -> dict[str, Any]:
    outcome = "errors" if check.errors else "warnings" if check.problems else "ok"
    return {
        "name": check.name,
        "folder": check.folder,
        "outcome": outcome,
        "seconds": round(check.seconds, 3),
        "files": check.files,
        "problems": [problem.to_dict(check.folder) for problem in check.problems],
    }


def _tell(checks: Sequence[PackCheck], repaired: Sequence[str]) -> None:
    from attune_dev.reporting.text import clean_line

    for line in repaired:
        print(clean_line(f"repaired {line}"))
    for check in checks:
        for problem in check.problems:
            print(clean_line(_line(check.folder, problem)))
    errors = sum(len(check.errors) for check in checks)
    warnings = sum(len(check.problems) for check in checks) - errors
    files = sum(check.files for check in checks)
    packs = f"{len(checks)} pack{'' if len(checks) == 1 else 's'}, {files} files"
    told = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    print(f"{packs}: {', '.join(told) or 'nothing wrong'}")


def _line(folder: str, problem: Problem) -> str:
    place = f"{folder}/{problem.place}".rstrip("/")
    told = f"{place}: {problem.severity.value}: {problem.message}"
    return f"{told}; {problem.fix}" if problem.fix else told
