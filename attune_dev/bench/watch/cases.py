"""The suite ``watch``: latency, bursts, idle load, memory and the start."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
import uuid
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from attune_dev.bench.model import Case, Limit, Ratio, Suite
from attune_dev.bench.sample.clone import clone
from attune_dev.bench.sample.loop import Dev, developing
from attune_dev.bench.sample.stack import Stack
from attune_dev.bench.watch.load import busy_seconds, resident_mebibytes
from attune_dev.bench.watch.tools import ComposeWatch, InvDev, Tool, Watchexec
from attune_dev.bench.watch.trees import Project, make_project
from attune_dev.docker import process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZES = (1_000, 10_000, 50_000)
SAVES = 40
BURST = 20_000
IDLE_SECONDS = 60.0
SETTLE_SECONDS = 10.0
OURS, COMPOSE, WATCHEXEC = "inv dev", "docker compose watch", "watchexec"
_TOOLS: dict[str, Callable[[Project], Tool]] = {
    OURS: InvDev,
    COMPOSE: ComposeWatch,
    WATCHEXEC: Watchexec,
}


class Bench:
    """What the cases share: a tree and a tool on it, each made when it is first needed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stack = ExitStack()
        self._delays: dict[tuple[int, str], list[float]] = {}

    @contextmanager
    def around(self) -> Iterator[None]:
        """Ends everything afterwards."""
        with self._stack:
            self._folder = Path(
                self._stack.enter_context(tempfile.TemporaryDirectory(prefix="attune-dev-watch-"))
            )
            self.tool = cache(self._tool)
            self.sample = cache(self._sample)
            yield

    def _tool(self, files: int, column: str) -> Tool:
        folder = self._folder / f"{column.replace(' ', '-')}-{files}"
        project = make_project(folder, f"t-watch-{uuid.uuid4().hex[:8]}", files, self._root)
        self._stack.callback(project.remove)
        tool = _TOOLS[column](project)
        self._stack.callback(tool.stop)
        tool.wait_ready()
        return tool

    def _sample(self) -> Stack:
        stack = Stack(clone(self._folder / "attune"), f"t-watch-{uuid.uuid4().hex[:8]}")
        self._stack.callback(stack.remove)
        with developing(stack):
            pass  # up, and current with everything
        return stack

    def delays(self, files: int, column: str) -> list[float]:
        """Seconds from a save until the tool tells what it is going to do."""
        if (files, column) not in self._delays:
            tool = self.tool(files, column)
            self._delays[files, column] = [tool.save() for _ in range(SAVES)]
        return self._delays[files, column]

    def median(self, files: int, column: str) -> float:
        """Their median."""
        return statistics.median(self.delays(files, column))

    def worst(self, files: int, column: str) -> float:
        """Their 99th percentile, which for so few is the slowest."""
        return max(self.delays(files, column))

    def burst(self, column: str) -> float:
        """Seconds from the last of many writes until it is told what is done about all."""
        return self.tool(max(SIZES), column).burst(BURST)

    def plans(self) -> float:
        """How many plans the burst led to."""
        return self._after_burst(OURS).answers

    def memory(self, column: str) -> float:
        """MiB that the tool holds after the burst."""
        return resident_mebibytes(self._after_burst(column).pid)

    def _after_burst(self, column: str) -> Tool:
        """The tool on the largest tree; a run that was resumed has a new one."""
        tool = self.tool(max(SIZES), column)
        if not tool.answers:
            tool.burst(BURST)
        return tool

    def idle(self, files: int, column: str) -> float:
        """Percent of a core that the tool takes while nothing happens."""
        return _idle(self.tool(files, column).pid)

    def idle_sample(self) -> float:
        """The same on the sample workspace, six services with health checks."""
        with developing(self.sample()) as dev:
            return _idle(dev.pid)

    def start(self) -> float:
        """Seconds from the command to ``ready`` where all is up to date."""
        stack = self.sample()
        began = time.time()
        dev = Dev(stack)
        try:
            events = dev.wait_idle(120)
            return float(next(e["t"] for e in events if e["event"] == "ready")) - began
        finally:
            dev.stop()

    def compose_up(self) -> float:
        """Seconds that Compose takes to find the same stack up to date, without building."""
        stack = self.sample()
        began = time.monotonic()
        words = ["docker", "compose", "up", "-d", "--wait", "--no-build"]
        process.run(words, cwd=stack.root, env=stack.environ, timeout=300)
        return time.monotonic() - began


def suite(root: Path) -> Suite:
    """The suite for this repository."""
    bench = Bench(root)
    cases: list[Case] = []
    absent = "" if shutil.which("watchexec") else "not installed; cargo install watchexec-cli"
    columns = ((OURS, ""), (COMPOSE, ""), (WATCHEXEC, absent))
    for files in SIZES:
        for column, cannot in columns:
            measure = partial(bench.median, files, column)
            cases.append(Case(_saved(files), column, measure, repeats=1, cannot=cannot))
    for files in SIZES:
        measure = partial(bench.worst, files, OURS)
        cases.append(Case(f"{_saved(files)}, p99", OURS, measure, repeats=1))
    for column, cannot in columns:
        measure = partial(bench.burst, column)
        cases.append(Case(_BURST, column, measure, cannot=cannot))
    cases.append(Case("plans of the burst", OURS, bench.plans, unit="", repeats=1))
    for column, cannot in columns:
        measure = partial(bench.memory, column)
        cases.append(Case(_MEMORY, column, measure, "MiB", repeats=1, cannot=cannot))
    for files in (min(SIZES), max(SIZES)):
        for column, cannot in columns:
            measure = partial(bench.idle, files, column)
            cases.append(Case(_idle_of(files), column, measure, "%", repeats=1, cannot=cannot))
    cases.append(Case(_IDLE, OURS, bench.idle_sample, "%", repeats=1))
    cases.append(Case(_START, OURS, bench.start))
    cases.append(Case(_START, "docker compose up", bench.compose_up))
    return Suite("watch", "The watch loop", tuple(cases), _aims(), bench.around, _NOTES)


_BURST = f"{BURST:,} files written at once → plan"
_MEMORY = f"memory, {max(SIZES):,} files"
_IDLE = "idle, the sample stack"
_START = "start, all up to date → ready"
_NOTES = (
    "save → plan includes the quiet time that each tool waits for: 150 ms here, 500 ms in Compose",
    f"the median and the slowest of {SAVES} saves; each restarts or syncs a container",
    f"idle: percent of a core over {IDLE_SECONDS:.0f} s, with all processes that belong to it",
    "docker compose up: what Compose alone takes to find the same stack up to date",
)


def _idle_of(files: int) -> str:
    return f"idle, {files:,} files"


def _saved(files: int) -> str:
    return f"save → plan, {files:,} files"


def _aims() -> tuple[Ratio | Limit, ...]:
    each = [
        limit
        for files in SIZES
        for limit in (
            Limit(f"{_saved(files)}, median", (_saved(files), OURS), 0.2),
            Limit(f"{_saved(files)}, p99", (f"{_saved(files)}, p99", OURS), 0.3),
        )
    ]
    return (
        *each,
        Limit("a burst", (_BURST, OURS), 3.0),
        Limit("one plan for the burst", ("plans of the burst", OURS), 1, ""),
        Limit("memory", (_MEMORY, OURS), 120, "MiB"),
        Limit("idle", (_IDLE, OURS), 0.5, "%"),
        Limit("idle on the largest tree", (_idle_of(max(SIZES)), OURS), 0.5, "%"),
        Limit("start", (_START, OURS), 3.0),
        Ratio("faster than Compose", (_saved(1_000), COMPOSE), (_saved(1_000), OURS), 2),
    )


def _idle(pid: int) -> float:
    time.sleep(SETTLE_SECONDS)
    before = busy_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return 100 * (busy_seconds(pid) - before) / IDLE_SECONDS
