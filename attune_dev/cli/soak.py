"""``inv soak``: random edits on a stack of its own, for as long as one likes."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import find_root, require_setup, say
from attune_dev.errors import ActionError, ExitCode, UsageError


@command(
    help={
        "minutes": "how long edits go on; what was begun is finished",
        "seed": "replays the edits of an earlier soak",
    }
)
def soak(_context: Any, minutes: str = "10", seed: str = "") -> None:
    """Edits at random, compares at each rest.

    It runs in a clone with a project of its own, and kills the loop now and then. At each rest
    what runs must be what is on disk: the code of every service, the packs in their volume, the
    definitions of the containers.
    """
    from attune_dev.bench.sample.clone import clone
    from attune_dev.bench.sample.stack import Stack
    from attune_dev.bench.soak.run import Soak

    length, number = _number(minutes, "minutes"), _seed(seed)
    require_setup(find_root())
    say(f"seed {number}")
    with tempfile.TemporaryDirectory(prefix="attune-dev-soak-") as folder:
        stack = Stack(clone(Path(folder) / "attune"), f"t-soak-{secrets.token_hex(4)}")
        running = Soak(stack, number, say)
        try:
            tally = running.run(length)
        except ActionError as problem:
            again = f"./inv soak --seed {number}"
            raise ActionError(problem.what, why=problem.why, hint=f"to replay: {again}") from None
        finally:
            stack.remove()
    print(tally.summary())
    if tally.faults:
        raise Exit(code=ExitCode.ACTION_FAILED)


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(f"--{name} takes a number, not `{text}`")
    return value


def _seed(text: str) -> int:
    if not text:
        return secrets.randbelow(1_000_000)
    if not text.isdecimal():
        raise UsageError(f"--seed takes a number, not `{text}`")
    return int(text)
