"""Columns of the table: the ways to get an edit into what runs, each in a clone of its own."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from attune_dev.bench.builds import old_way
from attune_dev.bench.sample.clone import clone
from attune_dev.bench.sample.loop import Dev
from attune_dev.bench.sample.stack import Stack, eventually
from attune_dev.docker import process
from attune_dev.docker.identity import checkout_identity
from attune_dev.errors import AttuneDevError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SERVICES = ("api", "executor", "notifier", "sensor", "worker-shell", "worker-python")
SERVED_SECONDS = 900.0
LOOK_EVERY = 0.02
ANSWER_SECONDS = 0.25


class Way:
    """A clone in which edits are brought to what runs by one kind of tool.

    Attributes:
        name: the column.
        stack: the clone.
    """

    name = ""

    def __init__(self, folder: Path) -> None:
        """Makes the clone; nothing is built.

        Args:
            folder: for clones, empty.
        """
        self.stack = Stack(clone(folder / self.slug), f"bench-{self.slug}-{folder.name[-6:]}")
        self.stack.inv("setup")
        self._numbers = iter(range(1_000_000))
        self._up = False
        self._rests = False

    @property
    def slug(self) -> str:
        """The name, as projects and folders can have it."""
        return self.name.replace(" ", "-")

    def fresh(self, what: str) -> str:
        """A text that the clone has not seen yet, for markers."""
        return f"{what}-{time.time_ns() % 10**9}n{next(self._numbers)}"

    def build(self, services: Sequence[str] = ()) -> None:
        """Builds images of the named services, of all where none is named."""
        raise NotImplementedError

    def serve(self, services: Sequence[str]) -> None:
        """Brings an edit of these services' code to what runs."""
        self.build(services)
        self._compose("up", "-d", "--no-deps", "--no-build", *services)

    def sync(self) -> None:
        """Brings an edit of a pack to what runs."""
        self.stack.inv("packs.sync")

    def start(self) -> None:
        """Has the stack running, which is no part of any figure."""
        if not self._up:
            self.stack.inv("up")
            self._up = True

    def rest(self) -> None:
        """Freezes what runs, while others are measured: six stacks' health checks cost a core."""
        if self._up and not self._rests:
            self._compose("pause")
            self._rests = True

    def resume(self) -> None:
        """Lets it run again."""
        if self._rests:
            self._compose("unpause")
            self._rests = False

    def remove(self) -> None:
        """Removes what was made."""
        with suppress(AttuneDevError):
            self.resume()
        self.stack.remove()
        shutil.rmtree(self.stack.root, ignore_errors=True)

    def timed(self, act: Callable[[], object], served: Callable[[], bool]) -> float:
        """Seconds from now until the act's effect is served.

        A request that comes while a container's network is made is answered a second later, when
        its first packet is sent again: none is waited for that long, another one is sent.
        """
        usual, self.stack.patience = self.stack.patience, ANSWER_SECONDS
        started = time.monotonic()
        try:
            act()
            eventually(served, SERVED_SECONDS, every=LOOK_EVERY)
            return time.monotonic() - started
        finally:
            self.stack.patience = usual

    def _compose(self, *words: str) -> None:
        process.run(["docker", "compose", *words], cwd=self.stack.root, env=self.stack.environ)


class OldWay(Way):
    """Everything copied, an image for each service, packs baked in; plain ``docker compose``."""

    name = "old way"

    def __init__(self, folder: Path) -> None:
        """Makes the clone and gives it the old files."""
        super().__init__(folder)
        root = self.stack.root
        caches = f"{self.stack.project}-old"
        (root / old_way.DOCKERFILE).write_text(old_way.dockerfile(caches), encoding="utf-8")
        ignore = root / f"{old_way.DOCKERFILE}.dockerignore"
        ignore.write_text(old_way.IGNORED, encoding="utf-8")
        (root / old_way.OVERRIDE).write_text(old_way.override(), encoding="utf-8")

    def build(self, services: Sequence[str] = ()) -> None:
        """Builds images by Compose."""
        self._compose("build", *(services or SERVICES))

    def start(self) -> None:
        """Has the stack running."""
        if not self._up:
            self._compose("up", "-d", "--wait", *SERVICES)
            self._up = True

    def sync(self) -> None:
        """Packs are in the images: those of all readers are built again."""
        self.serve(sorted(old_way.READERS))


class Strategy(Way):
    """Images by ``inv build`` with one of the strategies of the Dockerfiles."""

    def __init__(self, folder: Path, strategy: str) -> None:
        """Makes the clone and renders its Dockerfiles."""
        self.name = strategy
        super().__init__(folder)
        self.stack.inv("dockerfiles", "--strategy", strategy)

    def build(self, services: Sequence[str] = ()) -> None:
        """Builds images, all in one build."""
        self.stack.inv("build", *services)

    def serve(self, services: Sequence[str]) -> None:
        """Builds, and replaces the containers whose image changed."""
        self.stack.inv("up", *services)


class Loop(Way):
    """The watch loop: nothing but saves."""

    name = "inv dev"

    def __init__(self, folder: Path) -> None:
        """Makes the clone."""
        super().__init__(folder)
        self.dev: Dev | None = None

    def start(self) -> None:
        """Has the loop running and idle, and its builder warm: others have built once, too."""
        if self.dev is None:
            self.dev = dev = Dev(self.stack)
            dev.wait_idle(SERVED_SECONDS)
            eventually(lambda: "the builder is ready" in dev.text(), SERVED_SECONDS)
            self._up = True

    def settle(self) -> None:
        """Waits until the loop has nothing left to do; no part of a figure."""
        if self.dev is not None:
            self.dev.wait_idle(SERVED_SECONDS)

    def serve(self, services: Sequence[str]) -> None:
        """Does nothing: the save was all."""

    def sync(self) -> None:
        """Does nothing: the save was all."""

    def rest(self) -> None:
        """Does nothing: a loop whose containers freeze would have to mend that."""

    def remove(self) -> None:
        """Ends the loop and removes what was made."""
        if self.dev is not None:
            self.dev.stop()
        super().remove()


class ComposeWatch(Way):
    """``docker compose watch``, with rules generated from the graph."""

    name = "docker compose watch"
    RULES = "compose.watch.yaml"

    def __init__(self, folder: Path) -> None:
        """Makes the clone and its rules."""
        super().__init__(folder)
        self._watch: process.Running | None = None
        self._lines: list[str] = []
        rules = watch_rules(self.stack.root)
        (self.stack.root / self.RULES).write_text(rules, encoding="utf-8")

    def start(self) -> None:
        """Has the stack running and Compose watching."""
        if self._watch is not None:
            return
        files = ("-f", "docker-compose.yaml", "-f", self.RULES)
        # what Compose builds itself gets caches of the clone's own by an argument of the rules
        self._compose(*files, "build", *SERVICES)
        self._compose(*files, "up", "-d", "--wait", *SERVICES)
        self._watch = process.Running(
            ["docker", "compose", *files, "watch", "--no-up", *SERVICES],
            self._lines.append,
            cwd=self.stack.root,
            env=self.stack.environ,
        )
        eventually(lambda: any("Watch enabled" in line for line in self._lines), 60)

    def serve(self, services: Sequence[str]) -> None:
        """Does nothing: the save was all."""

    def remove(self) -> None:
        """Ends the watch and removes what was made."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(TimeoutError):
                self._watch.wait(10, check=False)
        super().remove()


def watch_rules(root: Path) -> str:
    """``develop.watch`` for every service, from its crates' closure.

    Compose rebuilds a service's image when a file that it is compiled from is saved. Packs are in
    a volume, which Compose cannot write to, so there is no rule for them.
    """
    from attune_dev.loading.workspace import load_workspace
    from attune_dev.settings import load_settings

    workspace = load_workspace(root, load_settings(root))
    namespace = checkout_identity(root)
    lines = ["services:"]
    for service in SERVICES:
        crates: set[str] = set()
        for binary in workspace.images[service].shipped:
            package = workspace.cargo.package_of_binary(binary)
            if package is not None:
                crates |= workspace.cargo.closure(package.root)
        lines += [f"  {service}:", "    build:", "      args:"]
        lines += [f"        BUILDKIT_CACHE_MOUNT_NS: {namespace}", "    develop:", "      watch:"]
        for path in ("Cargo.toml", "Cargo.lock", *sorted(crates)):
            lines.append(f"        - {{action: rebuild, path: ./{path}}}")
    return "\n".join(lines) + "\n"
