"""How long the planner takes: to load, to plan, and as a command; and how that grows."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from attune_dev.bench.model import Case, Growth, Limit, Suite
from attune_dev.bench.planner.generated import (
    CRATES,
    PACKS,
    SERVICES,
    changed_paths,
    write_workspace,
)
from attune_dev.docker import process
from attune_dev.loading.workspace import load_workspace
from attune_dev.planning.planner import make_plan
from attune_dev.settings import Settings

if TYPE_CHECKING:
    from attune_dev.model.workspace import Workspace

SIZES = (1, 2, 4)
PATHS = 10_000
REPEATS = 5
COMMAND_REPEATS = 9
LINEAR = 4.8  # of four times the size; a fifth more is what caches and memory cost
_LOAD, _PLAN, _COMMAND = "load the workspace", "plan 10,000 changed paths", "inv plan, the sample"


def suite(root: Path) -> Suite:
    """The suite for a repository, whose own ``inv plan`` is measured, too."""
    worlds = _Worlds()
    cases = [
        Case(row, f"{size}×", partial(measure, size), repeats=REPEATS)
        for row, measure in ((_LOAD, worlds.load), (_PLAN, worlds.plan))
        for size in SIZES
    ]
    cases.append(Case(_COMMAND, "1×", partial(_command, root), repeats=COMMAND_REPEATS))
    return Suite(
        "planner",
        "The planner: on a generated workspace, and on the sample as a command",
        tuple(cases),
        aims=(
            Limit("loads a large workspace", (_LOAD, "1×"), 1.0),
            Limit("plans for 10,000 paths", (_PLAN, "1×"), 0.3),
            Limit("answers on the sample", (_COMMAND, "1×"), 0.6),
            Growth("loading grows with the size", (_LOAD, "4×"), (_LOAD, "1×"), LINEAR),
            Growth("planning grows with the size", (_PLAN, "4×"), (_PLAN, "1×"), LINEAR),
        ),
        around=worlds.around,
        notes=(
            f"1× is {CRATES} crates, {SERVICES} services and {PACKS} packs.",
            "2× and 4× have as many times the crates, services, packs, edges and changed paths.",
            "Loading includes `docker compose config`; planning includes making the graph.",
        ),
    )


@dataclass
class _Worlds:
    """The generated workspaces, on disk for as long as the suite runs."""

    _root: Path = Path()
    _loaded: dict[int, Workspace] = field(default_factory=dict)

    @contextmanager
    def around(self) -> Iterator[None]:
        with tempfile.TemporaryDirectory(prefix="attune-dev-bench-") as folder:
            self._root = Path(folder)
            for size in SIZES:
                write_workspace(self._root / str(size), size)
            yield

    def load(self, size: int) -> float:
        started = time.perf_counter()
        self._loaded[size] = load_workspace(self._root / str(size), Settings())
        return time.perf_counter() - started

    def plan(self, size: int) -> float:
        if size not in self._loaded:
            self.load(size)
        changes = changed_paths(size, PATHS * size)
        started = time.perf_counter()
        make_plan(self._loaded[size], changes)
        return time.perf_counter() - started


def _command(root: Path) -> float:
    """Wall time of ``inv plan`` for one file, the interpreter's start included."""
    argv = [sys.executable, "-m", "attune_dev.cli.main", "plan", "crates/common/src/lib.rs"]
    process.run(argv, cwd=root)  # the disk is warm then
    return process.run(argv, cwd=root).seconds
