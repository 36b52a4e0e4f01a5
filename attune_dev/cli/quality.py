"""The project's own tests and checks; a repository that only uses the runner does not get them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import find_root
from attune_dev.docker import process

MOST_WORKERS = 4
"""Processes for the fast tests; starting more takes longer than it saves."""

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ruff format", ("-m", "ruff", "format", "--check", ".")),
    ("ruff", ("-m", "ruff", "check", ".")),
    ("mypy", ("-m", "mypy")),
    (
        "imports",
        ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    ),
    ("dockerfiles", ("-m", "attune_dev.cli.main", "dockerfiles", "--check")),
)


@command(
    name="test",
    names="paths",
    help={
        "paths": "test files or folders; all where none is named",
        "unit": "only the fast ones, that need neither Docker nor other programs",
        "full": "the long-running ones too",
        "match": "only tests whose name matches, as pytest's -k",
    },
)
def run_tests(
    _context: Any, paths: list[str], unit: bool = False, full: bool = False, match: str = ""
) -> None:
    """Runs the tests, those on the engine included."""
    root = find_root()
    words = [*(paths or ["tests/unit" if unit else "tests"])]
    marks = [mark for mark, off in (("not docker", unit), ("not full", not full)) if off]
    if marks:
        words += ["-m", " and ".join(marks)]
    if match:
        words += ["-k", match]
    if unit and not paths:
        words += ["-n", "auto", "--maxprocesses", str(MOST_WORKERS)]
    if not unit:
        from attune_dev.cli.project import require_setup

        require_setup(root)
    effort = {"ATTUNE_TEST_FULL": "1"} if full else {}
    _python(root, ["-m", "pytest", *words], effort)


@command()
def check(_context: Any) -> None:
    """Checks format, lint, types, imports, Dockerfiles."""
    root = find_root()
    failed = []
    for name, words in CHECKS:
        print(f"== {name}", flush=True)
        if process.attach([sys.executable, *words], cwd=root) != 0:
            failed.append(name)
    if failed:
        raise Exit(f"failed: {', '.join(failed)}", code=1)
    print("all checks passed")


def _python(root: Path, words: list[str], environ: dict[str, str]) -> None:
    # without byte code every run compiles all tests anew, a third of the fast ones' time
    keep = {"PYTHONDONTWRITEBYTECODE": ""}
    code = process.attach([sys.executable, *words], cwd=root, env=os.environ | keep | environ)
    if code != 0:
        raise Exit(code=1 if code > 0 else 128 - code)
