"""``inv build --cargo-check``: what the compiler complains about, before anything is built."""

from __future__ import annotations

import json as json_module
import time
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from attune_dev.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attune_dev.cli.project import Project


def check_first(project: Project, services: Sequence[str], profile: str, *, json: bool) -> None:
    """Runs ``cargo check`` in the builder and tells all complaints, one line each.

    Args:
        project: which.
        services: whose programs.
        profile: Cargo profile; the Dockerfiles decide where it is empty.
        json: whether standard output is kept for one document.

    Raises:
        Exit: there are errors; with ``json`` a document tells them.
    """
    from attune_dev.cli.act import cancellable, lock_keeper
    from attune_dev.cli.project import say
    from attune_dev.reporting.text import clean_line, counted, seconds_text
    from attune_dev.running.in_builder import cargo_check
    from attune_dev.running.ports import Talk
    from attune_dev.running.requests import profile_args
    from attune_dev.running.update import mended
    from attune_dev.watching.lock import acting

    started = time.monotonic()
    args = profile_args(project.workspace, profile)
    with cancellable() as cancel, acting(project.root, "inv build --cargo-check", say):
        talk = Talk(lambda line: say(f"  {line}"), cancel=cancel)
        checked = mended(
            lambda: cargo_check(project.root, project.workspace, services, talk=talk, args=args),
            lock_keeper(project),
            talk,
        )
    seconds = time.monotonic() - started
    for found in checked.found:
        say(clean_line(str(found)))
    errors = sum(found.level == "error" for found in checked.found)
    told = f"{counted(errors, 'error')}, {counted(len(checked.found) - errors, 'warning')}"
    say(f"cargo check: {told} in {seconds_text(seconds)}")
    if checked.failure is None:
        return
    if json:
        document = {
            "version": 1,
            "ok": False,
            "seconds": round(seconds, 3),
            "targets": [],
            "diagnostics": [found.to_dict() for found in checked.found],
        }
        print(json_module.dumps(document, indent=2))
    raise Exit("\n".join(checked.failure.lines()), code=ExitCode.ACTION_FAILED)
