"""What can be seen on the engine, by its API or the plain docker client: no plugin, no library."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from attune_dev.docker import health
from attune_dev.docker.bake import image_name, known_service
from attune_dev.docker.containers import (
    PROJECT_LABEL,
    ContainerState,
    Health,
    ImageState,
    containers_from_inspect,
    full_image_name,
    images_from_inspect,
)
from attune_dev.docker.failures import environment_error, explain
from attune_dev.docker.process import Completed, run
from attune_dev.docker.questions import NoAnswer, Questions
from attune_dev.docker.text import sanitise
from attune_dev.errors import EnvironmentLacksError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attune_dev.docker.cancel import Cancel
    from attune_dev.model.compose import ComposeProject

QUERY_SECONDS = 60.0
TRY_SECONDS = 2.0


class Engine:
    """Looks at the containers and images of one project."""

    def __init__(self, project: ComposeProject, environ: Mapping[str, str] | None = None) -> None:
        """Talks to nothing yet.

        Args:
            project: what is looked at.
            environ: environment of all calls; ours where it is ``None``.
        """
        self.project = project
        self._env = dict(os.environ if environ is None else environ)
        self._questions = Questions(self._env)
        self._passed: dict[str, float] = {}  # container to when its check passed, epoch

    def containers(self) -> tuple[ContainerState, ...]:
        """See :class:`DockerPort`; Compose's labels tell as much as its ``ps``, and faster."""
        label = f"{PROJECT_LABEL}={self.project.name}"
        try:
            looked = self._questions.containers(label)
        except (NoAnswer, TimeoutError):
            looked = self._listed(label)
        return tuple(map(self._with_own_check, containers_from_inspect(looked)))

    def _listed(self, label: str) -> list[dict[str, Any]]:
        words = ["container", "ls", "-aq", "--no-trunc", "--filter", f"label={label}"]
        ids = self._docker("ls", words).stdout.split()
        if not ids:
            return []
        # one that went away meanwhile makes the call fail, and is missing in what it prints
        return _documents(self._docker("inspect", ["container", "inspect", *ids], check=False))

    def tried(self) -> tuple[ContainerState, ...]:
        """See :class:`DockerPort`."""

        def attempt(container: ContainerState) -> ContainerState:
            if not container.running or container.health is not Health.STARTING:
                return container
            if (check := container.health_check) is not None:
                soon = replace(check, timeout=min(check.timeout, TRY_SECONDS))
                self.check(replace(container, health_check=soon))
            return self._with_own_check(container)

        with ThreadPoolExecutor(max_workers=8) as pool:
            return tuple(pool.map(attempt, self.containers()))

    def _with_own_check(self, container: ContainerState) -> ContainerState:
        """The engine tries for the first time after an interval; we may have done so before."""
        starting = container.running and container.health is Health.STARTING
        if starting and self._passed.get(container.id, 0.0) > container.started:
            return replace(container, health=Health.HEALTHY)
        return container

    def images(self, services: Sequence[str]) -> dict[str, ImageState]:
        """See :class:`DockerPort`."""
        names = {name: self.image_name(name) for name in self._named(services)}
        try:
            looked = self._questions.images(names.values())
        except (NoAnswer, TimeoutError):
            words = ["image", "inspect", *names.values()]
            looked = _documents(self._docker("inspect", words, check=False))
        found = images_from_inspect(looked)
        return {
            service: found[full]
            for service, name in names.items()
            if (full := full_image_name(name)) in found
        }

    def logs(self, service: str, lines: int = 20) -> tuple[str, ...]:
        """See :class:`DockerPort`."""
        ids = [c.id for c in self.containers() if c.service == service]
        told: list[str] = []
        for container in ids:
            said = self._docker("logs", ["logs", "--tail", str(lines), container], check=False)
            told += (said.stdout + said.stderr).splitlines()
        return tuple(sanitise(line) for line in told if line.strip())[-lines:]

    def check(self, container: ContainerState) -> health.CheckResult:
        """Runs a container's own health check once (:class:`health.HealthSource`)."""
        if container.health_check is None:
            return health.CheckResult(ok=container.running)
        command, seconds = container.health_check.command, container.health_check.timeout
        began = time.time()
        try:
            try:
                done = self._questions.execute(container.id, command, seconds)
                ok, told = done.status == 0, done.output
            except NoAnswer:
                argv = ["docker", "exec", container.id, *command]
                called = run(argv, env=self._env, timeout=seconds, check=False)
                ok, told = called.ok, called.stdout.strip() or called.stderr
        except (TimeoutError, EnvironmentLacksError):
            return health.CheckResult(ok=False, output="no answer in time")
        if ok:
            self._passed[container.id] = began
        said = told.strip().splitlines()
        return health.CheckResult(ok, sanitise(said[-1]) if said else "")

    def wait_healthy(
        self, services: Sequence[str], timeout: float, *, cancel: Cancel | None = None
    ) -> None:
        """See :class:`DockerPort`."""
        health.wait_healthy(self, self._named(services), timeout, cancel=cancel)

    def image_name(self, service: str) -> str:
        """The name under which Docker has a service's image."""
        return image_name(self.project, known_service(self.project, service))

    def _named(self, services: Sequence[str]) -> tuple[str, ...]:
        """The services once each, sorted; none at all would mean all of them to Compose."""
        if not services:
            raise UsageError("no service is named")
        return tuple(sorted({known_service(self.project, name).name for name in services}))

    def _docker(
        self, what: str, words: Sequence[str], *, check: bool = True, seconds: float = QUERY_SECONDS
    ) -> Completed:
        done = run(["docker", *words], env=self._env, timeout=seconds, check=False)
        if not done.ok and (lacking := environment_error(done.stderr, done.argv)):
            raise lacking
        if check and not done.ok:
            raise explain(done, f"docker {what}")
        return done


def _documents(looked: Completed) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = json.loads(looked.stdout or "[]")
    return documents
