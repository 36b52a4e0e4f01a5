"""Rows of the table: edits, from the save to what is served."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from attune_dev.bench.builds.ways import (
    SERVICES,
    ComposeWatch,
    Loop,
    OldWay,
    Strategy,
    Way,
)
from attune_dev.bench.model import Case, Limit, Ratio, Suite
from attune_dev.docker import process
from attune_dev.errors import AttuneDevError

FOUR = ("api", "executor", "notifier", "worker-shell")
CRATES = {"worker-shell": "worker", "worker-python": "worker"}
IMAGE_WAYS = ("old way", "locked", "shared", "once")
WAYS = (*IMAGE_WAYS, "inv dev", "docker compose watch")
SPARE_CRATES = ("fastrand", "hex", "humantime")
NO_PACKS = "no rule can write to a volume"
NO_IMAGES = "makes no images by request"
MEBI = 2**20


class Bench:
    """The ways, each made when a case first needs it."""

    def __init__(self) -> None:
        """Makes nothing yet."""
        self._folder: Path | None = None
        self._ways: dict[str, Way] = {}

    @contextmanager
    def around(self) -> Iterator[None]:
        """The folder of the clones; what was made in it is removed at the end."""
        with tempfile.TemporaryDirectory(prefix="attune-bench-") as folder:
            self._folder = Path(folder)
            try:
                yield
            finally:
                for way in self._ways.values():
                    with suppress(AttuneDevError):
                        way.remove()
                self._ways.clear()

    def way(self, name: str, *, started: bool = True) -> Way:
        """The way of this name, with its stack running unless that is not wanted."""
        if name not in self._ways:
            if self._folder is None:
                raise RuntimeError("cases run within the suite's `around`")
            makers: dict[str, Callable[[Path], Way]] = {
                "old way": OldWay,
                "inv dev": Loop,
                "docker compose watch": ComposeWatch,
            }
            make = makers.get(name) or partial(Strategy, strategy=name)
            self._ways[name] = make(self._folder)
        for other, resting in self._ways.items():
            if other != name:
                resting.rest()
        way = self._ways[name]
        way.resume()
        if started:
            way.start()
        return way

    def cold(self, name: str) -> float:
        """All images, from caches that nothing was built with."""
        way = self.way(name, started=False)
        return _seconds(way.build)

    def four(self, name: str) -> float:
        """Four services at once, each edited."""
        way = self.way(name)
        for service in FOUR:
            crate = CRATES.get(service, service)
            way.stack.set_marker(crate, way.fresh(crate))
        return _seconds(lambda: way.build(FOUR))

    def unchanged(self, name: str) -> float:
        """All images again, with nothing edited."""
        way = self.way(name)
        way.build()  # what earlier rows edited
        return _seconds(way.build)

    def one(self, name: str) -> float:
        """A constant of the api, from the save until it is served."""
        way = self.way(name)
        marker = way.fresh("api")
        way.stack.set_marker("api", marker)
        taken = way.timed(lambda: way.serve(["api"]), lambda: way.stack.marker("api") == marker)
        return _settled(way, taken)

    def common(self, name: str) -> float:
        """A constant of the shared crate, until every service serves it."""
        way = self.way(name)
        marker = way.fresh("common")
        way.stack.set_marker("common", marker)

        def served() -> bool:
            return all(way.stack.common_marker(service) == marker for service in SERVICES)

        return _settled(way, way.timed(lambda: way.serve(SERVICES), served))

    def dependency(self, name: str) -> float:
        """A new dependency of the api that is not in the lock file yet."""
        way = self.way(name)
        manifest = way.stack.root / "crates/api/Cargo.toml"
        text = manifest.read_text(encoding="utf-8")
        crate = next(each for each in SPARE_CRATES if each not in text)
        changed = f'{text.rstrip()}\n{crate} = "*"\n'
        lock = _resolved(way.stack.root, manifest, changed)
        marker = way.fresh("api")

        def save() -> None:
            manifest.write_text(changed, encoding="utf-8")
            (way.stack.root / "Cargo.lock").write_text(lock, encoding="utf-8")
            way.stack.set_marker("api", marker)
            way.serve(["api"])

        return _settled(way, way.timed(save, lambda: way.stack.marker("api") == marker))

    def pack_yaml(self, name: str) -> float:
        """A label of an action, until the api tells it."""
        way = self.way(name)
        label = way.fresh("Echo")
        way.stack.edit("packs/core/actions/echo.yaml", r"label: .*", f"label: {label}")

        def served() -> bool:
            return bool(way.stack.get("api", "/actions/core.echo")["label"] == label)

        return _settled(way, way.timed(way.sync, served))

    def pack_script(self, name: str) -> float:
        """A script of an action, until a run of it prints the new text."""
        way = self.way(name)
        text = way.fresh("echo")
        script = way.stack.root / "packs/core/actions/echo.sh"
        script.write_text(f"#!/bin/sh\necho {text}\n", encoding="utf-8")

        def served() -> bool:
            said = way.stack.post("api", "/actions/core.echo/run", {"parameters": {"message": ""}})
            return text in str(said)

        return _settled(way, way.timed(way.sync, served))

    def pack_binary(self, name: str) -> float:
        """The timer's sensor binary, until one of its events is seen."""
        way = self.way(name)
        marker = way.fresh("core-timer-sensor")
        way.stack.set_marker("core-timer-sensor", marker)

        def bring() -> None:
            if isinstance(way, Strategy):
                way.stack.inv("pack-binaries")
                way.sync()
            else:
                way.serve(["sensor"])

        def served() -> bool:
            return marker in str(way.stack.get("sensor", "/events")["events"][-1:])

        return _settled(way, way.timed(bring, served))

    def no_op(self, name: str) -> float:
        """A save that changes no byte, until that is known."""
        way = self.way(name)
        source = way.stack.root / "crates/api/src/main.rs"
        if not isinstance(way, Loop):
            source.touch()
            return _seconds(lambda: way.build(["api"]))
        started = time.monotonic()
        source.write_bytes(source.read_bytes())
        way.settle()
        return time.monotonic() - started

    def size(self, name: str) -> float:
        """What the six images take, each counted by itself."""
        way = self.way(name)
        names = way.stack.docker("compose", "config", "--images", *SERVICES).split()
        told = way.stack.docker("image", "inspect", "--format", "{{.Size}}", *sorted(set(names)))
        return sum(map(int, told.split())) / MEBI


def suite(_root: Path) -> Suite:
    """The table of builds, on clones of this repository's sample workspace."""
    bench = Bench()
    rows: list[tuple[str, Callable[[str], float], dict[str, Any], Sequence[str], str]] = [
        ("clean build of all images", bench.cold, {"repeats": 1}, IMAGE_WAYS, NO_IMAGES),
        ("four services edited, built at once", bench.four, {}, IMAGE_WAYS, NO_IMAGES),
        ("change in one service, until served", bench.one, {}, WAYS, ""),
        ("change in common, until all serve it", bench.common, {}, WAYS, ""),
        ("new dependency, until served", bench.dependency, {}, WAYS, ""),
        ("build with nothing changed", bench.unchanged, {}, IMAGE_WAYS, NO_IMAGES),
        ("pack YAML, until the api tells it", bench.pack_yaml, {}, WAYS[:-1], NO_PACKS),
        ("pack script, until a run prints it", bench.pack_script, {}, WAYS[:-1], NO_PACKS),
        ("pack binary, until its event is seen", bench.pack_binary, {}, WAYS[:-1], NO_PACKS),
        ("save without a change", bench.no_op, {}, WAYS[:-1], "rebuilds"),
        ("six images", bench.size, {"repeats": 1, "unit": "MiB"}, IMAGE_WAYS, NO_IMAGES),
    ]
    cases = [
        Case(row, way, partial(measure, way), **how) if way in able else Case(row, way, cannot=why)
        for row, measure, how, able, why in rows
        for way in WAYS
    ]
    return Suite(
        "builds",
        "Builds and edits, from the save to what is served",
        tuple(cases),
        (
            _ratio("clean build", rows[0][0], "shared", "once", 3),
            _ratio("change in common", rows[3][0], "shared", "once", 4),
            _ratio("save to served", rows[2][0], "docker compose watch", "inv dev", 3),
            _ratio("pack YAML", rows[6][0], "old way", "inv dev", 5),
            Limit("nothing changed", (rows[5][0], "once"), 1.5),
        ),
        bench.around,
        (
            "Images are built with the release profile; `inv dev` with its default.",
            "Each way has built once before its first figure, the builder of `inv dev` included.",
            "Old way: everything copied, packs in the images, one locked target cache.",
            "A new dependency: its lock file is resolved before the save.",
        ),
    )


def _ratio(text: str, row: str, of: str, to: str, at_least: float) -> Ratio:
    return Ratio(f"{text}: `{of}` to `{to}`", (row, of), (row, to), at_least)


def _seconds(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def _settled(way: Way, taken: float) -> float:
    """The figure, when the loop has ended what it does after it."""
    if isinstance(way, Loop):
        way.settle()
    return taken


def _resolved(root: Path, manifest: Path, changed: str) -> str:
    """The lock file for a changed manifest; the tree is as before afterwards."""
    lock = root / "Cargo.lock"
    before = lock.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for path in [root / "Cargo.toml", lock, *root.glob("crates/*/Cargo.toml")]:
            place = copy / path.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
            if path.parent != root:
                (place.parent / "src").mkdir()
                for name in ("lib.rs", "main.rs"):
                    if (path.parent / "src" / name).exists():
                        (place.parent / "src" / name).touch()
        (copy / manifest.relative_to(root)).write_text(changed, encoding="utf-8")
        process.run(["cargo", "metadata", "--format-version", "1"], cwd=copy)
        resolved = (copy / "Cargo.lock").read_text(encoding="utf-8")
    if resolved == before or not re.search(r"\S", resolved):
        raise RuntimeError(f"{manifest} did not change the lock file")
    return resolved
