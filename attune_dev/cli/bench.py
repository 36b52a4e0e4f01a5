"""Measuring: the figures that this project is judged by."""

from __future__ import annotations

import json as json_module
from typing import Any

from invoke.exceptions import Exit

from attune_dev.bench.suites import SUITES
from attune_dev.cli.command import command
from attune_dev.cli.project import check_names, find_root, require_setup, say, split_names
from attune_dev.errors import ExitCode, UsageError


@command(
    names="suites",
    is_name=SUITES.__contains__,
    help={
        "suites": "what to measure; all where none is named",
        "json": "one JSON document on standard output",
        "markdown": "the tables as Markdown",
        "fresh": "begin anew where an earlier run was broken off",
    },
)
def bench(
    _context: Any,
    suites: list[str],
    json: bool = False,
    markdown: bool = False,
    fresh: bool = False,
) -> None:
    """Measures, side by side, with ratios; can be broken off.

    Each table is measured in one run, its columns in turn, so that a busy machine hits all of them.
    What is measured is kept at once: after Ctrl-C the same line goes on where it stopped.
    """
    from attune_dev.bench.machine import machine
    from attune_dev.bench.render import to_json, to_markdown, to_text
    from attune_dev.bench.run import run_suite
    from attune_dev.bench.suites import make_suite

    if json and markdown:
        raise UsageError("--json and --markdown exclude each other", hint="take one of them")
    named = check_names("suite", split_names(suites), SUITES) or list(SUITES)
    root = find_root()
    require_setup(root)
    where = machine()
    results = []
    for name in named:
        result = run_suite(make_suite(name, root), root, where, say, fresh=fresh)
        results.append(result)
        if not json:
            print((to_markdown if markdown else to_text)(result) + "\n", flush=True)
    ok = all(result.ok for result in results)
    if json:
        document = {
            "version": 1,
            "ok": ok,
            "seconds": round(sum(result.seconds for result in results), 3),
            "targets": [to_json(result) for result in results],
        }
        print(json_module.dumps(document, indent=2))
    if not ok:
        raise Exit(code=ExitCode.ACTION_FAILED)
