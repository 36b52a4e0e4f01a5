"""The engine, through the docker client; the only module that knows python-on-whales.

python-on-whales gives the command lines (client, context, project, profiles). What may take long
or must be cancellable runs through our own process groups: its streams cannot be cancelled and
slow down with the square of the output. Its import takes 0.4 s, so it waits for the first Compose
call; looking at containers and images needs none.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from attune_dev.docker import leftovers
from attune_dev.docker.builds import Builder
from attune_dev.docker.cancel import Cancel
from attune_dev.docker.compose_calls import ComposeCalls
from attune_dev.docker.failures import explain
from attune_dev.docker.joining import Joint, project_lock
from attune_dev.docker.port import ImageOutcome, ImageResult
from attune_dev.docker.process import Completed, Running
from attune_dev.docker.progress import LogLine
from attune_dev.docker.restarting import restart_together
from attune_dev.docker.start import Wave, start_waves
from attune_dev.docker.superseded import Superseded
from attune_dev.docker.swapping import Swapping
from attune_dev.errors import ActionError, AttuneDevError, EnvironmentLacksError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from attune_dev.docker.port import BuildRequest, BuildResult, OnBuildEvent, OnLine
    from attune_dev.docker.progress import BuildEvent
    from attune_dev.model.compose import ComposeProject

ONE_SHOT_SECONDS = 600.0
START_SECONDS = 90.0


def _nothing(_: object) -> None:
    return None


class WhalesDocker(Swapping):
    """:class:`attune_dev.docker.port.DockerPort` on the engine that the docker client talks to."""

    def __init__(
        self, root: Path, project: ComposeProject, environ: Mapping[str, str] | None = None
    ) -> None:
        """Talks to nothing yet.

        Args:
            root: the repository, where Compose finds its files.
            project: what it resolves to.
            environ: environment of all calls; ours where it is ``None``.
        """
        super().__init__(project, environ)
        self._root = root
        self._env.pop("PYTHON_ON_WHALES_DEBUG", None)
        self._lock = project_lock(project.name)
        self._recreates, self._ups = Joint(self._lock), Joint(self._lock)
        self._ready_for_more = threading.Event()
        self._calls = ComposeCalls(
            root, self._env, project.name, lambda: self._compose_argv, project.resolved
        )

    # --- doing

    def build(
        self,
        request: BuildRequest,
        on_event: OnBuildEvent = _nothing,
        *,
        cancel: Cancel | None = None,
    ) -> BuildResult:
        """See :class:`DockerPort`."""

        def heard(event: BuildEvent) -> None:
            if isinstance(event, LogLine) and not self._ready_for_more.is_set():
                # something is made: Compose is needed next, to put it in place
                self._ready_for_more.set()
                threading.Thread(target=self._get_ready, name="compose", daemon=True).start()
            on_event(event)

        return Builder(self._root, self.project, self._env, self.images).build(
            request, heard, cancel or Cancel()
        )

    def _get_ready(self) -> None:
        with suppress(AttuneDevError):  # told by the call that needs it
            self._compose_argv, self._calls.hash_holds_order  # noqa: B018 - kept from now on

    def recreate(
        self,
        services: Sequence[str],
        on_line: OnLine = _nothing,
        *,
        force: bool = False,
        timeout: float = START_SECONDS,
    ) -> tuple[str, ...]:
        """See :class:`DockerPort`; Compose compares image and definition itself."""
        named = self._named(services)

        def act(services: frozenset[str], on_line: OnLine) -> frozenset[str]:
            before = self._runs()
            for wave in start_waves(self.project, services, dependencies=False):
                self._await(wave, timeout, Cancel())
                self._start(wave.services, on_line, force=force)
            after = self._runs()
            return frozenset(name for name in services if before.get(name) != after.get(name))

        if force:  # not what others ask for
            with self._lock:
                changed = act(frozenset(named), on_line)
        else:
            changed = self._recreates.call(frozenset(named), on_line, act)
        return tuple(name for name in named if name in changed)

    def _start(self, services: Sequence[str], on_line: OnLine, *, force: bool = False) -> None:
        if self._calls.hash_holds_order and any(
            self.project.services[name].depends_on for name in services
        ):
            self._create_then_start(services, on_line, force=force)
            return
        flags = ["--force-recreate"] if force else []
        self._compose(["up", "-d", "--no-deps", "--no-build", *flags, *services], on_line)

    def _create_then_start(self, services: Sequence[str], on_line: OnLine, *, force: bool) -> None:
        """Starts services without ``--no-deps``, which gives older Compose another hash.

        Compose creates what is not current, dependencies included, and starts nothing, so that no
        finished one-shot runs again. A dependency that ran and was replaced is started as well.
        """
        running = {container.service for container in self.containers() if container.running}
        if force:
            self._compose(["rm", "--stop", "--force", *services], on_line)
        self._compose(["up", "--no-start", "--no-build", *services], on_line)
        wanted = [c for c in self.containers() if c.service in running.union(services)]
        if ids := [container.id for container in wanted if not container.running]:
            self._docker("start", ["start", *ids])

    def _await(self, wave: Wave, timeout: float, cancel: Cancel) -> None:
        cancel.check()
        for name in wave.completed:
            self._await_end(name, ONE_SHOT_SECONDS, cancel)
        if wave.healthy:
            self.wait_healthy(wave.healthy, timeout, cancel=cancel)

    def restart(self, services: Sequence[str], on_line: OnLine = _nothing) -> frozenset[str]:
        """See :class:`DockerPort`; Compose's own call takes half a second longer."""
        named = self._named(services)
        containers = self.containers()
        present = {container.service for container in containers}
        if missing := [name for name in named if name not in present]:
            raise ActionError(f"{', '.join(missing)} has no container to restart", hint="./inv up")
        if any(self.project.services[name].hooks for name in named):  # only Compose runs these
            self._compose(["restart", "--no-deps", *named], on_line)
            return frozenset()
        ready: frozenset[str] = frozenset()
        with self._lock:
            for wave in start_waves(self.project, named, dependencies=False, strict=True):
                self._await(wave, START_SECONDS, Cancel())
                own = [c for c in containers if c.service in wave.services]
                ready |= restart_together(own, self._docker, self.check, on_line)
        return ready

    def rerun(
        self,
        service: str,
        on_line: OnLine = _nothing,
        *,
        timeout: float = ONE_SHOT_SECONDS,
        cancel: Cancel | None = None,
    ) -> None:
        """See :class:`DockerPort`; its container stays, so that its log and end can be seen."""
        with self._lock:
            self._start(self._named((service,)), on_line, force=True)
            self._await_end(service, timeout, cancel or Cancel())

    def stop(self, services: Sequence[str], on_line: OnLine = _nothing) -> None:
        """See :class:`DockerPort`."""
        self._compose(["stop", *self._named(services)], on_line)

    def down(self, on_line: OnLine = _nothing, *, volumes: bool = False) -> None:
        """See :class:`DockerPort`."""
        flags = ["--volumes"] if volumes else []
        self._compose(["down", "--remove-orphans", *flags], on_line)
        if volumes:
            leftovers.remove("volume", leftovers.builder_volumes(self.project))

    def up(
        self,
        services: Sequence[str],
        on_line: OnLine = _nothing,
        *,
        timeout: float = START_SECONDS,
        cancel: Cancel | None = None,
    ) -> tuple[str, ...]:
        """See :class:`DockerPort`."""
        stop = cancel or Cancel()

        def act(services: frozenset[str], on_line: OnLine) -> frozenset[str]:
            waves = start_waves(self.project, services)
            everyone = {name for wave in waves for name in wave.services}
            current = self.current(sorted(everyone))
            if not (todo := everyone - current):
                return frozenset()
            before = self._runs()
            wanted = {name for wave in waves if todo & {*wave.services} for name in wave.healthy}
            if there := sorted(wanted & current):
                self.wait_healthy(there, timeout, cancel=stop)
            for wave in start_waves(self.project, todo, dependencies=False):
                self._await(wave, timeout, stop)
                self._start(wave.services, on_line)
            for name in sorted(todo):
                if self.project.one_shot(name):
                    self._await_end(name, ONE_SHOT_SECONDS, stop)
            after = self._runs()
            return frozenset(name for name in todo if before.get(name) != after.get(name))

        return tuple(sorted(self._ups.call(frozenset(self._named(services)), on_line, act)))

    def previous_image(self, service: str) -> bool:
        """See :class:`DockerPort`; which it is, the builds of this checkout have written down."""
        superseded = Superseded(self._root, self.project.name, self._env)
        before, present = superseded.last(service), self.images((service,)).get(service)
        if not before or present is None:
            return False
        self._docker("tag", ["image", "tag", before, self.image_name(service)])
        superseded.sweep([ImageResult(service, ImageOutcome.CACHED, present.id, before, 0.0)])
        return True

    def current(self, services: Sequence[str]) -> frozenset[str]:
        """See :class:`DockerPort`; Compose's hash tells whether the definition is the same."""
        with ThreadPoolExecutor(max_workers=1) as beside:
            reading = beside.submit(
                self._query, ["config", "--hash", "*"], "reading the Compose file"
            )
            images, containers = self.images(services), self.containers()
        listed = reading.result().stdout.splitlines()
        hashes = dict(line.split(maxsplit=1) for line in listed if " " in line)
        found: dict[str, list[bool]] = {}
        for container in containers:
            name = container.service
            if name not in services:
                continue
            alive = container.completed if self.project.one_shot(name) else container.running
            same = container.config_hash == hashes.get(name, "").strip()
            image = images.get(name)
            fits = image is not None and image.id == container.image_id
            found.setdefault(name, []).append(alive and same and fits)
        return frozenset(name for name, all_well in found.items() if all(all_well))

    def _await_end(self, service: str, timeout: float, cancel: Cancel) -> None:
        ids = [container.id for container in self.containers() if container.service == service]
        waiting = Running(["docker", "wait", *ids], _nothing, env=self._env)
        try:
            with cancel.ending(waiting.cancel):
                waited = waiting.wait(timeout, check=False)
        except TimeoutError:
            waiting.cancel()
            raise self._one_shot_failed(service, f"did not end within {timeout:g} s") from None
        cancel.check()
        if not waited.ok:
            raise explain(waited, f"waiting for {service}")
        if any(status != "0" for status in waited.stdout.split()):
            raise self._one_shot_failed(service, f"ended with status {waited.stdout.split()[-1]}")

    def _one_shot_failed(self, service: str, how: str) -> ActionError:
        log = "\n".join(self.logs(service)) or "it logged nothing"
        return ActionError(f"{service} {how}", why=log, hint=f"./inv logs {service}")

    def _runs(self) -> dict[str, frozenset[tuple[str, float]]]:
        found: dict[str, set[tuple[str, float]]] = {}
        for container in self.containers():
            found.setdefault(container.service, set()).add((container.id, container.started))
        return {name: frozenset(runs) for name, runs in found.items()}

    # --- calls

    @cached_property
    def _compose_argv(self) -> tuple[str, ...]:
        from python_on_whales import ClientNotFoundError, DockerClient  # costs 0.4 s

        # services are always named, so profiles must not hide any of them
        client = DockerClient(compose_project_name=self.project.name, compose_profiles=["*"])
        try:
            argv = client.client_config.docker_compose_cmd
        except ClientNotFoundError:
            raise EnvironmentLacksError(
                "`docker` is not installed", why="it is not on PATH", hint="install Docker Engine"
            ) from None
        return tuple(str(word) for word in argv)

    def _compose(self, words: Sequence[str], on_line: OnLine) -> None:
        with self._lock:
            self._calls.do(words, on_line)

    def _query(self, words: Sequence[str], what: str) -> Completed:
        return self._calls.ask(words, what)
