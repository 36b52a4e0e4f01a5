"""Runs a suite: alternated, resumable, told as it goes."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from attune_dev.bench.model import Result, enough, figure_text
from attune_dev.errors import AttuneDevError, Interrupted
from attune_dev.state import STATE_DIRECTORY, keep_json, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from attune_dev.bench.model import Case, Cell, Suite

_SEPARATOR = "\t"


def run_suite(
    suite: Suite,
    root: Path,
    machine: Mapping[str, str],
    say: Callable[[str], None],
    *,
    fresh: bool = False,
) -> Result:
    """Measures every case of a suite; the columns alternate, so that a drift hits all of them.

    What is measured is kept at once: a run that was broken off goes on where it stopped, as long
    as the machine and the cases are the same.

    Args:
        suite: what to measure.
        root: repository root, below which the state is kept.
        machine: what is told of the machine.
        say: takes a line of progress.
        fresh: whether to begin anew where an earlier run was broken off.

    Raises:
        Interrupted: the user stopped it; what was measured is kept.
    """
    result = Result(suite, machine)
    name = f"bench-{suite.name}.json"
    identity = _identity(suite, machine)
    if not fresh and _resume(result, root / STATE_DIRECTORY / name, identity):
        say(f"{suite.name}: going on with the run that was broken off (--fresh begins anew)")
    started = time.monotonic() - result.seconds
    rounds = max((case.repeats for case in suite.cases), default=0)
    with suite.around():
        for turn in range(rounds):
            for case in suite.cases:
                samples = result.samples.setdefault(case.cell, [])
                if len(samples) > turn or enough(case, samples) or case.cell in result.failures:
                    continue
                _measure(case, result, say)
                result.seconds = time.monotonic() - started
                keep_json(root, name, _document(result, identity))
    result.seconds = time.monotonic() - started
    keep_json(root, name, {})
    return result


def _measure(case: Case, result: Result, say: Callable[[str], None]) -> None:
    samples = result.samples[case.cell]
    turn = f"{len(samples) + 1}/{case.repeats}"
    try:
        value = case.measure()
    except Interrupted:
        raise
    except AttuneDevError as problem:
        result.failures[case.cell] = "; ".join([problem.what, *problem.why.splitlines()[:1]])
        say(f"{case.row} | {case.column}: failed: {problem.what}")
        return
    samples.append(value)
    say(f"{case.row} | {case.column} {turn}: {figure_text(value, case.unit)}")


def _identity(suite: Suite, machine: Mapping[str, str]) -> str:
    """What must be the same for figures to belong to one run."""
    parts = [*(f"{k}={v}" for k, v in sorted(machine.items())), *map(repr, _cells(suite))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _cells(suite: Suite) -> list[Cell]:
    return [case.cell for case in suite.cases]


def _document(result: Result, identity: str) -> dict[str, Any]:
    return {
        "identity": identity,
        "seconds": result.seconds,
        "samples": {_SEPARATOR.join(cell): values for cell, values in result.samples.items()},
    }


def _resume(result: Result, path: Path, identity: str) -> bool:
    try:
        document = read_json(path)
    except (OSError, ValueError):
        return False
    if not isinstance(document, dict) or document.get("identity") != identity:
        return False
    kept = {
        (row, column): list(map(float, values))
        for key, values in document["samples"].items()
        for row, _, column in [key.partition(_SEPARATOR)]
    }
    if not any(kept.values()):
        return False
    result.samples.update(kept)
    result.seconds = float(document["seconds"])
    return True
