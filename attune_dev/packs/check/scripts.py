"""What an entry point is as a file: there, runnable, with a first line that the kernel can use."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from attune_dev.packs.check.facts import Facts, Kind, Word
from attune_dev.packs.check.problem import Problem, Repair, Severity
from attune_dev.packs.check.runners import Runs, runs

HEAD = 512
SCRIPT_LIMIT = 5_000_000
PROGRAM = b"\x7fELF"

Fits = Callable[[Path], str]


def anywhere(_: Path) -> str:
    """Takes every program to run where it has to."""
    return ""


def check_entry_point(
    pack: Path, facts: Facts, folder: str, made: Collection[str], fits: Fits = anywhere
) -> Iterator[Problem]:
    """What is wrong with the script or program that an action or a sensor names.

    Args:
        pack: the pack's folder.
        facts: of the YAML file.
        folder: where its entry points are, ``actions`` or ``sensors``.
        made: names of Cargo binaries that are compiled and placed here.
        fits: why a program could not run in the services' image, empty where it can.
    """
    how = runs(facts.kind, facts.runner.text if facts.runner else "")
    entry = facts.entry_point
    if entry is None:
        if how is not Runs.OTHERWISE and not facts.elsewhere:
            fix = f"add `entry_point: NAME`, the {_called(facts.kind)} in {folder}/"
            yield Problem(facts.path, 1, 1, "`entry_point` is missing", fix)
        return
    if how is Runs.OTHERWISE or facts.elsewhere:
        return
    if entry.text.startswith("/") or ".." in entry.text.split("/"):
        what = f"`entry_point` leaves {folder}/: {entry.text}"
        yield _at(facts, entry, what, "name a file in this folder")
        return
    name = entry.text.removeprefix("./").removeprefix(f"{folder}/")
    path = f"{folder}/{name}"
    try:
        status = os.stat(pack / path)
    except (OSError, ValueError):
        if how is Runs.ITSELF and name.rpartition("/")[2] in made:
            return  # `inv pack-binaries` makes it
        yield _missing(facts, entry, path, pack, how)
        return
    if not stat.S_ISREG(status.st_mode):
        yield _at(facts, entry, f"the entry point {path} is no file", "name a file")
        return
    yield from _check_file(pack, path, status.st_mode, how, fits)


def check_workflow(pack: Path, facts: Facts) -> Iterator[Problem]:
    """Whether the workflow that an action names is there."""
    word = facts.workflow
    if word is None:
        return
    places = (f"actions/{word.text}", word.text)
    if not any((pack / place).is_file() for place in places):
        yield _at(facts, word, f"there is no {places[0]}", "correct the name, or add the file")


def _check_file(pack: Path, path: str, mode: int, how: Runs, fits: Fits) -> Iterator[Problem]:
    head = _head(pack / path)
    if head is None:
        yield Problem(path, 0, 0, "the entry point cannot be read", "give yourself the right to")
        return
    first, newline, _ = head.partition(b"\n")
    shebang, program = head.startswith(b"#!"), head.startswith(PROGRAM)
    runnable = bool(mode & stat.S_IXUSR)
    if not runnable and (how is not Runs.BY_INTERPRETER or shebang):
        severity = Severity.WARNING if how is Runs.BY_INTERPRETER else Severity.ERROR
        fix = "set it with `chmod +x`, or `inv packs.check --fix`"
        yield Problem(path, 0, 0, "the run bit is missing", fix, severity, Repair.RUN_BIT)
    if program and (why := fits(pack / path)):
        yield Problem(path, 0, 0, why, "build it for the image that runs it")
    if not program and not shebang and how is not Runs.BY_INTERPRETER:
        yield _no_shebang(path, how)
    if first.endswith(b"\r") and newline and (shebang or how is Runs.BY_SHELL):
        message = "the first line ends with a carriage return: the kernel and the shell take it in"
        fix = "save it with LF line ends, or `inv packs.check --fix`"
        yield Problem(path, 1, len(first), message, fix, repair=Repair.LINE_ENDS)


def _no_shebang(path: str, how: Runs) -> Problem:
    if how is Runs.BY_SHELL:
        message, line = "the first line names no interpreter", "#!/bin/sh"
        return Problem(path, 1, 1, message, f"let it begin with `{line}`")
    message = "it is neither a program nor a script with an interpreter in its first line"
    return Problem(path, 1, 1, message, "build it, or let it begin with `#!`")


def _missing(facts: Facts, entry: Word, path: str, pack: Path, how: Runs) -> Problem:
    near = _near(pack / path)
    fix = f"did you mean `{near}`?" if near else "correct the name, or add the file"
    if how is Runs.ITSELF and facts.kind is Kind.SENSOR and not near:
        fix = "correct the name, add the file, or name a Cargo binary of the workspace"
    # a program of an action may be one that the runtime knows by its name
    known = how is Runs.ITSELF and facts.kind is Kind.ACTION
    severity = Severity.WARNING if known else Severity.ERROR
    return _at(facts, entry, f"there is no {path}", fix, severity)


def _near(path: Path) -> str:
    import difflib

    try:
        names = [e.name for e in os.scandir(path.parent) if not e.name.endswith((".yaml", ".yml"))]
    except OSError:
        return ""
    return next(iter(difflib.get_close_matches(path.name, names, 1)), "")


def _head(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return None


def _called(kind: Kind) -> str:
    return "program" if kind is Kind.SENSOR else "script"


def _at(
    facts: Facts, word: Word, message: str, fix: str, severity: Severity = Severity.ERROR
) -> Problem:
    return Problem(facts.path, word.line, word.column, message, fix, severity)
