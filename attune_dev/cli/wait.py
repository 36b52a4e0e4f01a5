"""``inv dev.wait``: for scripts and coding agents that want all that they saved to be live."""

from __future__ import annotations

import json as json_module
from typing import Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import find_root
from attune_dev.errors import ActionError, EnvironmentLacksError, ExitCode, UsageError


@command(
    help={
        "idle": "wait until nothing is left to do; this is what it does without it, too",
        "timeout": "seconds to wait at most",
        "json": "one JSON document on standard output",
    }
)
def wait(_context: Any, idle: bool = True, timeout: str = "", json: bool = False) -> None:  # noqa: ARG001
    """Waits until what is saved by now is live.

    Exit code 0 where it is, 1 with the errors where something failed or time is up, 3 where no
    `inv dev` runs in this project.
    """
    from attune_dev.reporting.text import clean_line
    from attune_dev.watching.questions import Unanswered, ask

    root = find_root()
    limit = _seconds(timeout)
    try:
        answer = ask(root, limit)
    except Unanswered as silence:
        if silence.running:
            raise ActionError(
                f"not idle within {limit:g} s", hint="look at what it does, or wait longer"
            ) from None
        raise EnvironmentLacksError(
            "no `inv dev` runs in this project", why=f"looked in {root}", hint="./inv dev"
        ) from None
    if json:
        print(json_module.dumps(answer, indent=2))
    else:
        for line in _lines(answer):
            print(clean_line(line))
    if not answer["ok"]:
        raise Exit(code=ExitCode.ACTION_FAILED)


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"--timeout takes seconds, not `{text}`")
    return seconds


def _lines(answer: dict[str, Any]) -> list[str]:
    from attune_dev.reporting.words import clock_of, failing_text

    if answer["ok"]:
        return ["live"]
    lines = [f"nothing is done: {answer['held']}"] if answer["held"] else []
    for error in answer["errors"]:
        who = ", ".join(error["targets"]) or "the plan"
        lines.append(f"{who}: {failing_text(error['action'], 0, clock_of(error['at'])[:5])}")
        if "message" in error:
            where = ":".join(str(error[k]) for k in ("file", "line") if k in error)
            lines.append(f"error: {error['message']}" + (f" ({where})" if where else ""))
            lines += [f"  {line}" for line in error.get("why", "").splitlines()]
    pending = answer["pending"]
    if pending:
        lines.append(f"not live: {', '.join(pending)}")
    return lines or ["not all is live"]
