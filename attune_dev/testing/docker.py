"""A Docker in memory.

``FakeDocker`` keeps images, containers and their order in memory and behaves as
:class:`attune_dev.docker.port.DockerPort` promises; one contract test runs against it and the real
engine alike. What each service's image is made of is plain text in ``sources``: the same text
gives the same image id.
"""

# ruff: noqa: ARG002 - a double takes what the real one takes

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from attune_dev.docker.bake import known_service
from attune_dev.docker.cancel import Cancel
from attune_dev.docker.containers import ContainerState, ImageState, State
from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.docker.port import (
    BuildRequest,
    BuildResult,
    ImageOutcome,
    ImageResult,
)
from attune_dev.docker.progress import LogLine, Step, StepState
from attune_dev.docker.start import start_waves
from attune_dev.errors import ActionError, ConfigError, UsageError
from attune_dev.model.compose import ComposeProject
from attune_dev.testing.swaps import FakeSwaps, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from attune_dev.docker.progress import BuildEvent

BROKEN = "does not compile"
CRASHES = "crashes"


def _nothing(_: object) -> None:
    return None


class FakeDocker(FakeSwaps):
    """A Docker in memory.

    Attributes:
        project: what it drives; assign another one to change definitions.
        sources: per service with a build section, what its image is built from. ``BROKEN`` in the
            text fails the build, ``CRASHES`` lets the container end with status 1.
        calls: what was asked for, queries left out.
    """

    def __init__(self, project: ComposeProject, sources: Mapping[str, str] | None = None) -> None:
        """Starts with no image and no container.

        Args:
            project: what it drives.
            sources: see the class; a service that is not named has a text of its own.
        """
        super().__init__()
        self.project = project
        self.sources = {name: name for name in project.services} | dict(sources or {})
        self._seen: set[str] = set()
        self._logs: dict[str, list[str]] = defaultdict(list)
        self._now = 1_000.0

    # --- looking

    def containers(self) -> tuple[ContainerState, ...]:
        """See :class:`DockerPort`."""
        return tuple(self._containers[name] for name in sorted(self._containers))

    def tried(self) -> tuple[ContainerState, ...]:
        """See :class:`DockerPort`."""
        return self.containers()

    def current(self, services: Sequence[str]) -> frozenset[str]:
        """See :class:`DockerPort`."""
        return frozenset(name for name in self._named(services) if self._current(name))

    def images(self, services: Sequence[str]) -> dict[str, ImageState]:
        """See :class:`DockerPort`; a service without a build section always has its image."""
        return {name: image for name in self._named(services) if (image := self._image(name))}

    def logs(self, service: str, lines: int = 20) -> tuple[str, ...]:
        """See :class:`DockerPort`."""
        return tuple(self._logs[service][-lines:])

    def wait_healthy(
        self, services: Sequence[str], timeout: float, *, cancel: Cancel | None = None
    ) -> None:
        """See :class:`DockerPort`; nothing takes time here."""
        self.record("wait_healthy", self._named(services))
        (cancel or Cancel()).check()
        for name in self._named(services):
            container = self._containers.get(name)
            if container is None:
                raise ActionError(f"{name} has no container", hint="./inv up")
            if not container.running and not container.completed:
                why = "\n".join(self.logs(name))
                raise ActionError(f"{name} ended with status {container.exit_code}", why=why)

    # --- doing

    def build(
        self,
        request: BuildRequest,
        on_event: Callable[[BuildEvent], None] = _nothing,
        *,
        cancel: Cancel | None = None,
    ) -> BuildResult:
        """See :class:`DockerPort`."""
        services = self._named(request.services)
        cancel = cancel or Cancel()
        cancel.check()
        for name in services:
            if self.project.services[name].build is None:
                raise ConfigError(f"service `{name}` has nothing to build")
        self.record("build", services)
        cancel.check()
        for name in services:
            on_event(Step(name, f"[{name} builder 1/1] RUN build", StepState.STARTED))
            if BROKEN in self.sources[name]:
                on_event(LogLine(name, f"error: {self.sources[name]}"))
                raise BuildFailed(services, why=f"error: {self.sources[name]}", step=name)
        return BuildResult(tuple(self._built(name) for name in services), seconds=0.0)

    def _built(self, name: str) -> ImageResult:
        before = self._images.get(name)
        after = digest(name, self.sources[name])
        outcome = ImageOutcome.CACHED if after in self._seen else ImageOutcome.COMPILED
        if before is not None and before.id == after:
            outcome = ImageOutcome.UNCHANGED
        else:
            if before is not None:
                self._superseded[name] = before
            self._images[name] = ImageState(after, self._tick(), 1)
        self._seen.add(after)
        return ImageResult(name, outcome, before.id if before else "", after, 0.0, 1)

    def up(
        self,
        services: Sequence[str],
        on_line: Callable[[str], None] = _nothing,
        *,
        timeout: float = 90.0,
        cancel: Cancel | None = None,
    ) -> tuple[str, ...]:
        """See :class:`DockerPort`."""
        self.record("up", self._named(services))
        (cancel or Cancel()).check()
        started: list[str] = []
        for wave in start_waves(self.project, services):
            for name in wave.services:
                if not self._current(name):
                    self._start(name)
                    started.append(name)
                    on_line(f"Container {name} Started")
                if self.project.one_shot(name):
                    self._must_be_completed(name)
        return tuple(sorted(started))

    def recreate(
        self,
        services: Sequence[str],
        on_line: Callable[[str], None] = _nothing,
        *,
        force: bool = False,
        timeout: float = 90.0,
    ) -> tuple[str, ...]:
        """See :class:`DockerPort`."""
        named = self._named(services)
        self.record("recreate", named)
        changed = [name for name in named if force or not self._current(name)]
        for name in changed:
            self._start(name)
            on_line(f"Container {name} Recreated")
        return tuple(changed)

    def restart(
        self, services: Sequence[str], on_line: Callable[[str], None] = _nothing
    ) -> frozenset[str]:
        """See :class:`DockerPort`; all of them are waited for."""
        named = self._named(services)
        self.record("restart", named)
        if missing := [name for name in named if name not in self._containers]:
            raise ActionError(f"{', '.join(missing)} has no container to restart", hint="./inv up")
        for wave in start_waves(self.project, named, dependencies=False, strict=True):
            for name in wave.services:
                self._run(self._containers[name])
                on_line(f"Container {name} Restarted")
        return frozenset()

    def rerun(
        self,
        service: str,
        on_line: Callable[[str], None] = _nothing,
        *,
        timeout: float = 600.0,
        cancel: Cancel | None = None,
    ) -> None:
        """See :class:`DockerPort`."""
        self.record("rerun", self._named((service,)))
        (cancel or Cancel()).check()
        self._start(service)
        self._must_be_completed(service)

    def stop(self, services: Sequence[str], on_line: Callable[[str], None] = _nothing) -> None:
        """See :class:`DockerPort`."""
        self.record("stop", self._named(services))
        for name in self._named(services):
            if name in self._containers:
                stopped = replace(self._containers[name], state=State.EXITED, exit_code=143)
                self._containers[name] = stopped

    def down(self, on_line: Callable[[str], None] = _nothing, *, volumes: bool = False) -> None:
        """See :class:`DockerPort`."""
        self.record("down", ("volumes",) if volumes else ())
        self._containers.clear()

    # --- how it works

    def _named(self, services: Sequence[str]) -> tuple[str, ...]:
        if not services:
            raise UsageError("no service is named")
        return tuple(sorted({known_service(self.project, name).name for name in services}))

    def _image(self, name: str) -> ImageState | None:
        if self.project.services[name].build is None:
            return ImageState(digest("image", self.project.services[name].image))
        return self._images.get(name)

    def _tick(self) -> float:
        self._now += 1.0
        return self._now

    def _current(self, name: str) -> bool:
        container, image = self._containers.get(name), self._image(name)
        alive = container and (
            container.completed if self.project.one_shot(name) else container.running
        )
        return bool(
            container
            and alive
            and image
            and container.image_id == image.id
            and container.config_hash == self.project.services[name].digest
        )

    def _start(self, name: str) -> None:
        image = self._image(name)
        if image is None:
            raise ActionError(f"there is no image of {name}", hint="./inv build")
        created = self._tick()
        self._run(
            ContainerState(
                name,
                digest(name, str(created)).removeprefix("sha256:"),
                f"{self.project.name}-{name}-1",
                image_id=image.id,
                config_hash=self.project.services[name].digest,
                created=created,
            )
        )

    def _run(self, container: ContainerState) -> None:
        name, started = container.service, self._tick()
        # what it runs is what was built, not what the sources have become since
        crashes = CRASHES in self.sources[name]
        ends = crashes or self.project.one_shot(name)
        self._logs[name].append(f"{name} crashes" if crashes else f"{name} runs")
        self._containers[name] = replace(
            container,
            state=State.EXITED if ends else State.RUNNING,
            exit_code=1 if crashes else 0,
            started=started,
            ended=self._tick() if ends else 0.0,
        )

    def _must_be_completed(self, name: str) -> None:
        if not self._containers[name].completed:
            why = "\n".join(self.logs(name))
            raise ActionError(f"{name} ended with status 1", why=why, hint=f"./inv logs {name}")
