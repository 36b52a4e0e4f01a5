"""Keeps what YAML files say between runs: parsing is what a check spends its time on."""

from __future__ import annotations

import json
import os
import stat
import time
from dataclasses import astuple
from pathlib import Path
from typing import Any

from attune_dev.packs.check.facts import Facts, Kind, Word, read_facts
from attune_dev.packs.check.problem import Problem, Repair, Severity
from attune_dev.packs.scan import TICK_NS
from attune_dev.state import STATE_DIRECTORY, keep_json

FILE = "packs-facts.json"
VERSION = 3

Stamp = tuple[int, int, int]


class KnownFacts:
    """Facts by file, good as long as inode, ctime and size stay.

    Args:
        root: repository root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: dict[str, Any] | None = None
        self._facts: dict[str, tuple[Stamp, Facts]] = {}
        self._fresh: dict[str, Any] = {}

    def facts(self, pack: Path, path: str) -> Facts:
        """What a file says.

        Args:
            pack: the pack's folder.
            path: relative to it.
        """
        file = pack / path
        key = f"{pack.parent.name}/{pack.name}/{path}"
        try:
            found = os.stat(file)
        except (OSError, ValueError):
            return read_facts(file, path)
        stamp = (found.st_ino, found.st_ctime_ns, found.st_size)
        known = self._facts.get(key) or self._loaded(key, path)
        if known is not None and known[0] == stamp:
            self._facts[key] = known
            return known[1]
        facts = read_facts(file, path)
        settled = time.time_ns() - max(found.st_ctime_ns, found.st_mtime_ns) > TICK_NS
        if settled and stat.S_ISREG(found.st_mode):
            self._facts[key] = (stamp, facts)
            self._fresh[key] = [*stamp, *_plain(facts)]
        return facts

    def save(self) -> None:
        """Keeps what was read anew; where that cannot be written, nothing is said."""
        if not self._fresh:
            return
        kept = {**(self._kept or {}), **self._fresh}
        met = {key.rpartition("/")[0] for key in self._facts}
        # of folders that were looked at only what is there; the others keep theirs
        files = {k: kept[k] for k in kept if k in self._facts or k.rpartition("/")[0] not in met}
        self._kept, self._fresh = files, {}
        keep_json(self._root, FILE, {"version": VERSION, "files": files})

    def _loaded(self, key: str, path: str) -> tuple[Stamp, Facts] | None:
        if self._kept is None:
            self._kept = _load(self._root)
        try:
            inode, ctime, size, *fields = self._kept[key]
            return (int(inode), int(ctime), int(size)), _facts(path, fields)
        except (KeyError, ValueError, TypeError):
            return None


def _load(root: Path) -> dict[str, Any]:
    try:
        document = json.loads((root / STATE_DIRECTORY / FILE).read_bytes())
        files = document["files"] if document["version"] == VERSION else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return files if isinstance(files, dict) else {}


def _plain(facts: Facts) -> list[Any]:
    _, kind, problems, *rest = astuple(facts)
    return [kind.value, [[*p[:5], p[5].value, p[6].value] for p in problems], *rest]


def _facts(path: str, fields: list[Any]) -> Facts:
    kind, problems, ref, runner, entry_point, elsewhere, workflow, triggers, names, calls = fields
    return Facts(
        path,
        Kind(kind),
        tuple(_problem(problem) for problem in problems),
        ref=_word(ref),
        runner=_word(runner),
        entry_point=_word(entry_point),
        elsewhere=bool(elsewhere),
        workflow=_word(workflow),
        triggers=tuple(Word(*word) for word in triggers),
        names=tuple(names),
        calls=tuple(Word(*word) for word in calls),
    )


def _problem(fields: list[Any]) -> Problem:
    path, line, column, message, fix, severity, repair = fields
    return Problem(path, line, column, message, fix, Severity(severity), Repair(repair))


def _word(fields: list[Any] | None) -> Word | None:
    return None if fields is None else Word(*fields)
