"""Puts right what needs no thought: run bits and line ends."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from attune_dev.errors import ActionError
from attune_dev.packs.check.problem import Problem, Repair
from attune_dev.packs.check.run import PackCheck
from attune_dev.state import write_beside


def repair(root: Path, checks: Iterable[PackCheck]) -> tuple[str, ...]:
    """Repairs what the checks found and can be repaired.

    Returns:
        What was done, one line each: ``packs/core/actions/a.sh: run bit``.

    Raises:
        ActionError: a file cannot be changed.
    """
    done = []
    for check in checks:
        for problem in check.problems:
            if problem.repair is not Repair.NONE:
                place = f"{check.folder}/{problem.path}"
                _repair(root / place, place, problem)
                done.append(f"{place}: {problem.repair.value}")
    return tuple(done)


def _repair(path: Path, place: str, problem: Problem) -> None:
    try:
        real = path.resolve()
        if not real.is_relative_to(path.parents[1].resolve()):
            raise ActionError("a link leads out of the pack", hint="change it there", file=place)
        if problem.repair is Repair.RUN_BIT:
            mode = real.stat().st_mode
            # whoever may read it may run it, as git has it
            real.chmod(mode | (mode & 0o444) >> 2)
        else:
            write_beside(real, real.read_bytes().replace(b"\r\n", b"\n"), os.stat(real).st_mode)
    except OSError as trouble:
        why = trouble.strerror or str(trouble)
        raise ActionError("cannot be repaired", why=why, file=place) from None
