"""The builder: a long-lived container with the toolchain, in which the watch loop compiles.

Its image is the stage of the Dockerfile that compiles, without sources and without the compile. The
sources reach it by content, through the standard input of the call that compiles: the files of
the user are read, never touched, and none of them can be reached from the container. They and
cargo's target folder are in a volume, so that the next session compiles what changed and no more.

The container lives as long as the pipe to its main process: whatever ends this program, even a
kill, ends it and the compile in it.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from attune_dev.docker import process
from attune_dev.docker.builder_image import BuilderLacksError, cargo_home, make_image
from attune_dev.docker.builder_run import BuilderRun, CompileResult
from attune_dev.docker.cargo_call import CompileRequest, header
from attune_dev.docker.containers import PROJECT_LABEL
from attune_dev.docker.diagnostics import BuildRecord
from attune_dev.docker.failures import environment_error
from attune_dev.docker.feeding import Record, make_feed, sets_flags
from attune_dev.docker.labels import HELPER_LABEL, helper_labels
from attune_dev.docker.process import Completed, run
from attune_dev.errors import ActionError, AttuneDevError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from attune_dev.docker.cancel import Cancel
    from attune_dev.docker.port import OnBuildEvent
    from attune_dev.model.swap import CompileStage

QUERY_SECONDS, NOT_FOUND = 60.0, 127
MAIN = "echo ready; exec 3<&0; cat <&3 >/dev/null & wait"
"""Lives as long as its standard input; a shell that waits takes in what a killed compile leaves."""
KILL = (
    "f=/tmp/attune-dev-$0.pid; n=0; until [ -s $f ] || [ $n = 20 ]; do sleep 0.1; n=$((n+1)); done;"
    " p=$(cat $f); kill -s TERM -- -$p; n=0;"
    " while kill -s 0 -- -$p 2>/dev/null && [ $n -lt 10 ]; do sleep 0.1; n=$((n+1)); done;"
    " kill -s KILL -- -$p 2>/dev/null; :"
)
PROBE = """
[ -z "${CARGO_BUILD_RUSTFLAGS-}" ] || exit 0
! grep -qs rustflags "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$HOME/.cargo/config.toml" || exit 0
cc=$(command -v cc || command -v gcc) || exit 0
rustc -vV | sed -n 's/^host: //p'
for linker in mold lld; do
    echo 'int main(void){return 0;}' | "$cc" -fuse-ld=$linker -x c - -o /dev/null 2>/dev/null &&
        { echo $linker; exit 0; }
done
exit 0
"""


@dataclass(slots=True)
class _Container:
    name: str
    child: process.Child
    linker: tuple[str, ...] = ()
    outside: Record = field(default_factory=Record)
    """Its sources that are in no volume."""
    seat: process.Child | None = None
    """The next call, started ahead: it waits for what to do."""


class Builder:
    """The builder containers of one project, each started when it is first needed.

    Args:
        root: repository root.
        project: Compose project.
        environ: environment of all calls; ours where it is ``None``.
    """

    def __init__(self, root: Path, project: str, environ: Mapping[str, str] | None = None) -> None:
        self._root = root
        self._project = project
        self._env = dict(os.environ if environ is None else environ)
        self._started: dict[str, _Container] = {}
        self._volumes: dict[str, Record] = {}  # several builders may share one
        self._lock = threading.Lock()
        self._number = 0

    def start(self, stage: CompileStage, cancel: Cancel) -> None:
        """Has the builder of a stage running.

        Raises:
            BuilderLacksError: its image cannot be made or does not run.
            Interrupted: it was cancelled.
        """
        with self._lock:
            self._ensure(stage, cancel)

    def compile(
        self, request: CompileRequest, on_event: OnBuildEvent, cancel: Cancel
    ) -> CompileResult:
        """Brings the sources in and compiles.

        Raises:
            BuildFailed: with the compiler's own message.
            BuilderLacksError: it cannot be done here.
            Interrupted: it was cancelled; nothing of it runs any more.
        """
        with self._lock:
            container = self._ensure(request.stage, cancel)
            return self._compile(container, request, on_event, cancel)

    def rest(self) -> None:
        """Nothing is asked for now: the next call is started ahead."""
        if self._lock.acquire(blocking=False):  # who compiles is not to be waited for
            try:
                for container in self._started.values():
                    if container.seat is None or container.seat.poll() is not None:
                        container.seat = self._open_seat(container)
            finally:
                self._lock.release()

    def forget(self) -> None:
        """Ends the containers: what their images are made of has changed."""
        self.close()

    def close(self) -> None:
        """Ends the containers."""
        with self._lock:
            for container in self._started.values():
                self._end(container)
            self._started.clear()
            self._volumes.clear()

    # --- compiling

    def _compile(
        self,
        container: _Container,
        request: CompileRequest,
        on_event: OnBuildEvent,
        cancel: Cancel,
    ) -> CompileResult:
        cancel.check()
        stage = request.stage
        known = self._there(container, stage)
        feed = make_feed(request.sources, known, stage.directory, request.rewritten)
        self._number += 1
        number = f"{os.getpid()}-{self._number}"
        record = BuildRecord()
        self._volumes.pop(stage.volume_key)  # until it is known that the sources have arrived
        container.outside = Record()
        linker = () if sets_flags(request.sources) else container.linker  # cargo takes either
        given = header(request, number, linker, early=feed.early) + feed.archive
        running = BuilderRun(self._seat(container), given, record, on_event)
        with cancel.ending(lambda: self._kill(container, number)):
            result = running.result()
        if running.synced:
            inside, container.outside = feed.record.split(stage.directory)
            self._volumes[stage.volume_key] = inside
        else:
            self._end(self._started.pop(stage.key))
        if cancel.requested:
            raise Interrupted(what="the build was cancelled; what runs is as it was")
        if not running.synced:
            raise self._lacks("the builder could not take the sources", running.completed)
        if running.status is None:
            self._end(self._started.pop(stage.key))
            raise ActionError(
                "the builder ended in the middle of a compile",
                why=running.completed.stderr[-400:] if running.completed else "",
                hint="save again: it is started anew",
            )
        if running.status == NOT_FOUND:
            raise self._lacks("cargo is not found in the builder", running.completed)
        if running.status != 0:
            raise record.error_of_cargo(request.programs)
        return result.of(feed.digest)

    def _seat(self, container: _Container) -> process.Child:
        """A call that waits for what to do."""
        seat, container.seat = container.seat, None
        if seat is not None and seat.poll() is None:
            return seat
        return self._open_seat(container)

    def _open_seat(self, container: _Container) -> process.Child:
        argv = ["docker", "exec", "--interactive", "--user", "0:0", container.name]
        return process.pipe([*argv, "sh", "-c", script(), "builder"], env=self._env)

    def _there(self, container: _Container, stage: CompileStage) -> Record:
        """The sources that a builder has."""
        if stage.volume_key not in self._volumes:
            # a builder serves what was written by the one before
            where = f"{stage.directory}/target/.attune-dev/record"
            kept = self._exec(container.name, ["cat", where])
            inside, _ = Record.parse(kept.stdout).split(stage.directory)
            self._volumes[stage.volume_key] = inside
        inside = self._volumes[stage.volume_key]
        return Record({**inside.digests, **container.outside.digests})

    def _kill(self, container: _Container, number: str) -> None:
        run(
            ["docker", "exec", "--user", "0:0", container.name, "sh", "-c", KILL, number],
            env=self._env,
            timeout=QUERY_SECONDS,
            check=False,
        )

    # --- the container

    def _ensure(self, stage: CompileStage, cancel: Cancel) -> _Container:
        known = self._started.get(stage.key)
        if known is not None and known.child.poll() is None:
            return known
        cancel.check()
        image = make_image(self._root, self._project, self._env, stage, cancel)
        self._volumes.pop(stage.volume_key, None)  # it may be another one by now
        name = f"{self._project}-attune-dev-builder-{stage.key}-{os.getpid()}"
        child = process.pipe(self._run_argv(stage, image, name), env=self._env)
        if child.stdout is None or child.stdout.readline().strip() != b"ready":
            _, problem = child.communicate()
            said = problem.decode(errors="replace")
            raise environment_error(said, ("docker", "run")) or BuilderLacksError(
                "the builder does not start", why=said.strip()
            )
        container = _Container(name, child)
        container.seat = self._open_seat(container)
        container.linker = self._fast_linker(name)
        self._started[stage.key] = container
        return container

    def _run_argv(self, stage: CompileStage, image: str, name: str) -> list[str]:
        home = cargo_home(image, self._env)
        volumes = {
            stage.directory: f"builder-{stage.volume_key}",
            f"{home}/registry": "cargo-registry",
            f"{home}/git": "cargo-git",
        }
        return [
            *("docker", "run", "--rm", "--interactive", "--pull", "never", "--name", name),
            *("--log-driver", "none", "--user", "0:0", *helper_labels("builder", self._project)),
            *(
                word
                for target, key in volumes.items()
                for word in ("--mount", self._mount(key, target))
            ),
            *("--workdir", stage.directory, "--entrypoint", "sh", image),
            *("-c", MAIN),
        ]

    def _mount(self, key: str, target: str) -> str:
        return (
            f"type=volume,source={self._project}_attune-dev-{key},target={target}"
            f",volume-label={PROJECT_LABEL}={self._project},volume-label={HELPER_LABEL}=builder"
        )

    def _fast_linker(self, name: str) -> tuple[str, ...]:
        """Settings for the fastest linker that the toolchain's C compiler finds."""
        host, _, linker = self._exec(name, ["sh", "-c", PROBE]).stdout.strip().partition("\n")
        if not host or not linker:
            return ()  # recent toolchains link with their own lld anyway
        return (f'target.{host}.rustflags=["-Clink-arg=-fuse-ld={linker}"]',)

    def _exec(self, name: str, words: Sequence[str]) -> Completed:
        argv = ["docker", "exec", "--user", "0:0", name, *words]
        return run(argv, env=self._env, timeout=QUERY_SECONDS, check=False)

    def _end(self, container: _Container) -> None:
        children = [container.child, *([container.seat] if container.seat is not None else [])]
        for child in children:
            if child.stdin is not None:
                child.stdin.close()
        if not all(process.ends_within(child, 5.0) for child in children):
            self._exec_kill(container)
        for child in children:
            for stream in (child.stdout, child.stderr):
                if stream is not None:
                    stream.close()

    def _exec_kill(self, container: _Container) -> None:
        argv = ["docker", "rm", "--force", container.name]
        run(argv, env=self._env, timeout=QUERY_SECONDS, check=False)
        for child in (container.child, container.seat):
            if child is not None:
                process.end_group(child, grace=1.0)

    @staticmethod
    def _lacks(what: str, done: Completed | None) -> AttuneDevError:
        said = (done.stderr.strip() or done.stdout.strip()) if done is not None else ""
        lacking = environment_error(said, done.argv) if done is not None else None
        return lacking or BuilderLacksError(what, why="\n".join(said.splitlines()[-8:]))


def script() -> str:
    """What runs in a builder once per compile."""
    return resources.files("attune_dev.docker").joinpath("builder.sh").read_text()
