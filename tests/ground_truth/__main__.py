"""Runs the edits, one after the other, and writes the page: ``python -m tests.ground_truth``.

Broken off, it goes on where it stopped. ``--count N`` makes N further edits and ends, ``--only``
makes edits whose name holds a word (again), ``--fresh`` forgets all results.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from attune_dev.bench.machine import machine
from attune_dev.loading.workspace import active_services, load_workspace
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import Plan
from attune_dev.model.workspace import Workspace
from attune_dev.planning.graph import build_graph
from attune_dev.planning.planner import make_plan
from attune_dev.settings import load_settings
from attune_dev.state import state_directory
from tests.ground_truth.edit import Edit
from tests.ground_truth.edits import EDITS
from tests.ground_truth.files import of_folder
from tests.ground_truth.judge import Judgement, judge
from tests.ground_truth.observe import Observation, Observer
from tests.ground_truth.recompiled import Recompiled
from tests.ground_truth.sample import make_sample
from tests.ground_truth.table import page

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs/ground-truth.md"


@dataclass(frozen=True, slots=True)
class _Found:
    """What an edit led to, as it is kept."""

    observation: dict[str, Any]
    recompiled: list[str]
    seconds: float


class Run:
    """One run, kept below the state directory."""

    def __init__(self, place: Path) -> None:
        self._base = place / "base"
        self._work = place / "work"
        self._scratch = place / "scratch"
        self._kept = place / "results.json"
        self.results: dict[str, _Found] = {}
        self._scratch.mkdir(parents=True, exist_ok=True)
        if self._kept.is_file():
            kept = json.loads(self._kept.read_text())
            self.results = {name: _Found(**found) for name, found in kept.items()}
        self._observer = Observer(self._work, self._scratch)
        self._recompiled = Recompiled(self._scratch)
        self._before: Workspace | None = None

    def baseline(self) -> None:
        """Builds the sample as it is, where that is not done yet."""
        if "" in self.results:
            return
        make_sample(REPOSITORY, self._base)
        started = time.monotonic()
        self._copy()
        observation = self._observer.look()
        # once more, with the pack binary in place as every later look finds it
        observation = self._observer.look()
        self._recompiled.baseline(self._scratch / "context")
        self._keep("", observation, (), started)

    def make(self, edit: Edit) -> None:
        """Makes one edit on the sample, builds and looks."""
        started = time.monotonic()
        self._copy()
        edit.apply(self._work)
        observation = self._observer.look()
        same = observation.context == self.results[""].observation["context"]
        recompiled = () if same else self._recompiled.after(self._scratch / "context")
        self._keep(edit.name, observation, recompiled, started)

    def judged(self, edit: Edit) -> tuple[Judgement, Plan]:
        """Plans for an edit as it stands in the work folder and holds it against the results."""
        if self._before is None:
            self._copy()
            self._before = self._load()
        self._copy()
        edit.apply(self._work)
        after = self._load()
        plan = make_plan(
            after,
            _changes(self._base, self._work),
            previous=self._before,
            services=active_services(after.compose, ("*",)),
        )
        found = self.results[edit.name]
        graph = build_graph(after)
        shipped = {o.service: tuple(c.name for c in cs) for o, cs in graph.compiles.items()}
        return (
            judge(
                Observation(**self.results[""].observation),
                Observation(**found.observation),
                plan,
                found.recompiled,
                shipped,
                edit.unread,
            ),
            plan,
        )

    def _load(self) -> Workspace:
        return load_workspace(self._work, load_settings(self._work), tolerate=[])

    def _copy(self) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        shutil.copytree(self._base, self._work, symlinks=True)

    def _keep(
        self, name: str, observation: Observation, recompiled: Sequence[str], started: float
    ) -> None:
        seconds = round(time.monotonic() - started, 1)
        self.results[name] = _Found(asdict(observation), list(recompiled), seconds)
        text = json.dumps({name: asdict(found) for name, found in self.results.items()})
        self._kept.write_text(text)


def _changes(before: Path, after: Path) -> list[Change]:
    """What differs between two folders, found without the runner's own eyes."""
    old, new = of_folder(before), of_folder(after)
    found = [Change(p, ChangeKind.CREATED) for p in new.keys() - old.keys()]
    found += [Change(p, ChangeKind.DELETED) for p in old.keys() - new.keys()]
    found += [Change(p) for p in new.keys() & old.keys() if new[p] != old[p]]
    return found


def main() -> int:
    """Returns the exit status: 1 where a plan missed something."""
    parser = argparse.ArgumentParser(prog="python -m tests.ground_truth", description=__doc__)
    parser.add_argument("--count", type=int, default=len(EDITS))
    parser.add_argument("--only", default="")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--show", action="store_true", help="also print each plan")
    asked = parser.parse_args()
    place = state_directory(REPOSITORY) / "ground-truth"
    if asked.fresh:
        shutil.rmtree(place, ignore_errors=True)
    os.environ["COMPOSE_PROFILES"] = "*"
    run = Run(place)
    run.baseline()
    chosen = [e for e in EDITS if asked.only in e.name]
    todo = [e for e in chosen if asked.only or e.name not in run.results][: asked.count]
    for edit in todo:
        run.make(edit)
        print(f"{edit.name}: {run.results[edit.name].seconds} s", flush=True)
    whole = len(run.results) > len(EDITS)
    looked_at = chosen if whole else todo
    judged = [(edit, run.judged(edit)) for edit in looked_at]
    for edit, (each, plan) in judged:
        if each.missed or asked.show:
            print(f"== {edit.name}: missed {sorted(each.missed)}\n{plan.describe()}")
    if len(judged) == len(EDITS):
        seconds = sum(found.seconds for found in run.results.values())
        facts: Mapping[str, str] = {"run": f"{seconds:.0f} s", **machine()}
        PAGE.write_text(page([(edit, each) for edit, (each, _) in judged], facts), "utf-8")
        print(f"written: {PAGE.relative_to(REPOSITORY)}")
    return 1 if any(each.missed for _, (each, _) in judged) else 0


if __name__ == "__main__":
    sys.exit(main())
