"""Whatever happens: when the loop says that all is live, what runs is what is on disk."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from attune_dev.errors import ConfigError
from attune_dev.model.event import Event, Idle
from attune_dev.model.plan import Action, ActionKind
from attune_dev.watching.inbox import Asked, Message, Request, Rescan, Touched
from tests.unit.watching.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from attune_dev.watching.snapshot import Snapshot

SERVICES = ("api", "executor", "sensor")
PACK = "packs/core"
FILES = ("main.rs", "lib.rs", "deep/mod.rs")
HALF = {"?": "half done"}


class World:
    """A stage whose worker carries the files over into what runs."""

    def __init__(self, root: Path, state: Path, dice: random.Random) -> None:
        self.dice = dice
        self.running: dict[str, dict[str, str]] = {}
        self.checked = 0
        self.stage = self._stage(root, state)

    def _stage(self, root: Path, state: Path) -> Stage:
        stage = Stage(root, state)
        stage.worker.seconds = self.dice.choice([0.2, 1.0, 3.0])
        stage.worker.slow = {ActionKind.BUILD: self.dice.choice([0.5, 3.0, 8.0])}
        stage.worker.applies = self._apply
        stage.worker.at_start = self._read_early
        stage.worker.chance = lambda action: (
            bool(action.paths)
            and action.kind is not ActionKind.RELOAD
            and self.dice.random() < self.failing
        )
        stage.planning.opening_actions = (
            (ActionKind.SYNC_PACKS, "core"),
            *((ActionKind.BUILD, name) for name in SERVICES),
            *((ActionKind.RECREATE, name) for name in SERVICES),
        )
        stage.planning.trusting = True
        scan = stage.looker.scan

        def look_at_everything(known: Snapshot | None = None) -> Snapshot:
            self.unheard = False
            return scan(known)

        stage.looker.scan = look_at_everything  # type: ignore[method-assign]
        tell = stage._tell

        def check(event: Event) -> None:
            tell(event)
            if isinstance(event, Idle) and event.ok and not self.unheard:
                self.compare()

        object.__setattr__(stage.loop._parts, "tell", check)
        object.__setattr__(stage.loop._eyes, "_tell", check)
        return stage

    failing = 0.15
    unheard = False
    lost = 0

    def restart(self) -> None:
        self.stage = self._stage(self.stage.root, self.stage.state)

    def on_disk(self, service: str) -> dict[str, str]:
        folder = self.stage.root / (service if service == PACK else f"services/{service}")
        return {
            str(path.relative_to(folder)): path.read_text()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def _read_early(self) -> None:
        self.early = {name: self.on_disk(name) for name in (*SERVICES, PACK)}

    def _apply(self, action: Action) -> None:
        """A build reads the files; recreating puts what was built in place, maybe half of it."""
        for name in action.targets:
            if action.kind is ActionKind.SYNC_PACKS:
                early = self.dice.random() < 0.5
                self.running[PACK] = self.early[PACK] if early else self.on_disk(PACK)
            elif action.kind is ActionKind.BUILD:
                early = self.dice.random() < 0.5
                self.running[f"image {name}"] = self.early[name] if early else self.on_disk(name)
            elif action.kind is ActionKind.RECREATE:
                self.running[name] = self.running.get(f"image {name}", HALF)

    def compare(self) -> None:
        self.checked += 1
        for name in (*SERVICES, PACK):
            assert self.running.get(name) == self.on_disk(name)

    def write_something(self) -> Message | None:
        if self.dice.random() < 0.1:
            # An event is lost; the next look at everything finds it. That a file was another for
            # a moment cannot be known then, so these are only ever new.
            self.unheard = True
            self.lost += 1
            lost = self.stage.root / "services" / self.dice.choice(SERVICES) / "lost.rs"
            lost.write_text(f"lost {self.lost}")
            return None
        folder = self.dice.choice([*(f"services/{name}" for name in SERVICES), PACK])
        name = f"{folder}/{self.dice.choice(FILES)}"
        path = self.stage.root / name
        if self.dice.random() < 0.2 and path.exists():
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.dice.choice("abc"))
        return Touched(frozenset({name}))

    def something(self) -> Message | None:
        roll = self.dice.random()
        if roll < 0.8:
            return self.write_something()
        if roll < 0.85:
            self.failing = self.dice.choice([0.0, 0.0, 0.15, 0.6])
            return Asked(Request.RETRY)
        if roll < 0.88:
            return Rescan("too many changes at once")
        if roll < 0.92:
            self.stage.git.busy_until = self.stage.clock.time + self.dice.random() * 3
            return None
        broken = self.dice.random() < 0.3
        self.stage.planning.problem = ConfigError("broken") if broken else None
        (self.stage.root / "compose.yaml").write_text(self.dice.choice("xyz"))
        return Touched(frozenset({"compose.yaml"}))


class Killed(BaseException):
    pass


def kill() -> Message | None:
    raise Killed


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(4, 40))]
)
def test_what_runs_is_what_is_on_disk_when_all_is_live(tmp_path: Path, seed: int) -> None:
    root, state = tmp_path / "root", tmp_path / "state"
    state.mkdir()
    for name in SERVICES:
        (root / "services" / name).mkdir(parents=True)
        (root / "services" / name / "main.rs").write_text("first")
    (root / PACK).mkdir(parents=True)
    (root / PACK / "main.rs").write_text("first")
    (root / "compose.yaml").write_text("first")
    world = World(root, state, random.Random(seed))
    for _ in range(4):
        stage = world.stage
        moment = 101.0
        for _ in range(40):
            moment += world.dice.choice([0.01, 0.1, 0.5, 0.5, 4.0])
            stage.do(moment, world.something)
        stage.do(moment + world.dice.random(), kill)
        with pytest.raises(Killed):
            stage.run(until=moment + 10)
        world.write_something()  # while nobody watches
        world.restart()
    world.failing = 0.0
    stage = world.stage
    stage.run(until=190)
    assert stage.of(Idle)[-1].ok
    assert world.checked >= 1
