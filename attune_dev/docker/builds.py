"""One build on the engine: bake in, events out, and images left as they were if it fails."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from attune_dev.docker import buildx
from attune_dev.docker.bake import bake_file, image_name, needed_rights, target_name
from attune_dev.docker.containers import ImageState
from attune_dev.docker.handed import STAGE, with_dep_info
from attune_dev.docker.identity import checkout_identity
from attune_dev.docker.port import (
    BuildRequest,
    BuildResult,
    ImageOutcome,
    ImageResult,
    OnBuildEvent,
)
from attune_dev.docker.process import run
from attune_dev.docker.progress import BuildEvent, Step, StepState
from attune_dev.docker.superseded import Superseded
from attune_dev.loading.dep_info import keep_all

if TYPE_CHECKING:
    from attune_dev.docker.cancel import Cancel
    from attune_dev.docker.diagnostics import BuildRecord
    from attune_dev.model.compose import ComposeProject

Images = Callable[[Sequence[str]], Mapping[str, ImageState]]


class Builder:
    """Builds images of one project; builds of one process follow one another."""

    _lock = threading.Lock()

    def __init__(
        self, root: Path, project: ComposeProject, env: Mapping[str, str], images: Images
    ) -> None:
        """Starts nothing.

        Args:
            root: the repository.
            project: whose services are built.
            env: environment of buildx.
            images: tells the present images.
        """
        self._root = root
        self._project = project
        self._env = dict(env)
        self._images = images

    def build(self, request: BuildRequest, on_event: OnBuildEvent, cancel: Cancel) -> BuildResult:
        """Builds, and puts every image back if that fails.

        Raises:
            BuildFailed: with the compiler's own message.
            Interrupted: it was cancelled.
            EnvironmentLacksError: engine or buildx are missing.
        """
        with self._lock:
            cancel.check()
            before = self._images(request.services)
            try:
                result = self._build(request, on_event, cancel, before)
            except BaseException:
                self._put_back(request.services, before)
                raise
            superseded = Superseded(self._root, self._project.name, self._env)
            return replace(result, removed=superseded.sweep(result.images))

    def _build(
        self,
        request: BuildRequest,
        on_event: OnBuildEvent,
        cancel: Cancel,
        before: Mapping[str, ImageState],
    ) -> BuildResult:
        started = time.monotonic()
        exports = _Exports(on_event, started)
        definition = bake_file(
            self._project,
            request.services,
            root=str(self._root),
            namespace=checkout_identity(self._root),
            binaries=request.binaries,
            args=request.args,
            no_cache=request.no_cache,
        )
        with tempfile.TemporaryDirectory(prefix=f"{STAGE}-") as folder:
            definition = with_dep_info(definition, Path(folder))
            rights = [f"--allow={right}" for right in needed_rights(definition)]
            record = buildx.build(
                ["bake", "--file", "-", "--load", *rights],
                request.services,
                root=self._root,
                env=self._env,
                on_event=exports.take,
                cancel=cancel,
                input=json.dumps(definition).encode(),
            )
            keep_all(self._root, Path(folder))
        seconds = time.monotonic() - started
        return self._result(request, before, record, exports.ended, seconds)

    def _result(
        self,
        request: BuildRequest,
        before: Mapping[str, ImageState],
        record: BuildRecord,
        exported: Mapping[str, float],
        seconds: float,
    ) -> BuildResult:
        after = self._images(request.services)
        images = []
        for service in sorted(set(request.services)):
            old, new = before.get(service), after[service]
            outcome = ImageOutcome.CACHED if record.all_cached else ImageOutcome.COMPILED
            if old is not None and old.id == new.id:
                outcome = ImageOutcome.UNCHANGED
            images.append(
                ImageResult(
                    service,
                    outcome,
                    before=old.id if old else "",
                    after=new.id,
                    seconds=round(exported.get(target_name(service), seconds), 3),
                    size=new.size,
                )
            )
        return BuildResult(
            tuple(images),
            seconds=round(seconds, 3),
            steps=len(record.counted),
            cached=record.cached,
            compiled=record.compiled,
        )

    def _put_back(self, services: Sequence[str], before: Mapping[str, ImageState]) -> None:
        """One solve may have exported some images before another one failed."""
        for service, image in self._images(services).items():
            name = image_name(self._project, self._project.services[service])
            old = before.get(service)
            if old is None:
                run(["docker", "image", "rm", "--no-prune", name], env=self._env, check=False)
            elif old.id != image.id:
                run(["docker", "image", "tag", old.id, name], env=self._env, check=False)


class _Exports:
    """Hands a build's events on and keeps the time of each export."""

    def __init__(self, on_event: OnBuildEvent, started: float) -> None:
        self.ended: dict[str, float] = {}
        self._on_event = on_event
        self._started = started

    def take(self, event: BuildEvent) -> None:
        if isinstance(event, Step) and event.state is StepState.DONE:
            head, _, rest = event.name.removeprefix("[").partition("] ")
            if rest.startswith("exporting"):
                self.ended[head] = time.monotonic() - self._started
        self._on_event(event)
