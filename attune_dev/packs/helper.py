"""Where the agent runs: in a helper container that mounts the packs volume and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from attune_dev.docker import process
from attune_dev.docker.failures import environment_error
from attune_dev.docker.labels import helper_labels
from attune_dev.errors import ActionError, EnvironmentLacksError
from attune_dev.packs.conversation import Conversation, Step, perl_command, script
from attune_dev.state import STATE_DIRECTORY, keep_json

MOUNT = "/volume"
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER")
"""What root needs to keep files of other users as they are; everything else is dropped."""
EXEC_SECONDS = 30.0
READER = "packs-reader.json"
MOST_READERS = 3
"""Asking takes a tenth of a second; an image without perl cannot tell."""


class HelperSession:
    """An agent for one volume, started when first needed and again after it died.

    Use as a context manager. One session serves many syncs: while watching it is kept, so that
    a sync costs no container start.
    """

    def __init__(
        self,
        volume: str,
        *,
        image: str = "",
        project: str = "",
        volume_key: str = "",
        directory: Path | None = None,
    ) -> None:
        """Tells where the agent will run.

        Args:
            volume: name of the volume in Docker.
            image: image with perl, coreutils and findutils; it must be present.
            project: Compose project that owns the volume.
            volume_key: key of the volume in the Compose file.
            directory: a folder on this machine in place of a volume, without Docker.
        """
        self.volume = volume
        self.image = image
        self.project = project
        self.volume_key = volume_key
        self.directory = directory
        self._talk: Conversation | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(kill=kind is not None)

    def talk(self, on_step: Step | None = None) -> Conversation:
        """The conversation with the running agent; starts it where it does not run.

        Raises:
            EnvironmentLacksError: engine, image or a program in it is missing.
            ActionError: the helper ended at once.
        """
        if self._talk is not None and not self._talk.alive:
            self.close(kill=True)
        if self._talk is None:
            self._talk = Conversation(self._argv(), on_step=on_step)
        elif on_step is not None and self._talk.on_step is None:
            self._talk.send("announce")
        self._talk.on_step = on_step
        return self._talk

    @property
    def pid(self) -> int:
        """Process id of the program that runs the agent, 0 where none runs."""
        return self._talk.pid if self._talk is not None and self._talk.alive else 0

    def start(self) -> None:
        """Starts the agent now, so that the first sync finds it running."""
        self.talk()

    def close(self, *, kill: bool = False) -> None:
        """Ends the agent and its container."""
        if self._talk is not None:
            self._talk.close(kill=kill)
            self._talk = None

    def _argv(self) -> list[str]:
        if self.directory is not None:
            return perl_command("serve", os.fspath(self.directory))
        _, *arguments = perl_command("serve", MOUNT)
        return [
            *("docker", "run", "--rm", "--interactive", "--pull", "never"),
            *("--network", "none", "--read-only", "--log-driver", "none"),
            *("--cap-drop", "ALL", *(word for c in CAPABILITIES for word in ("--cap-add", c))),
            *("--security-opt", "no-new-privileges", "--pids-limit", "64", "--user", "0:0"),
            *helper_labels("packs", self.project),
            *("--mount", self._mount(), "--workdir", "/", "--entrypoint", "perl", self.image),
            *arguments,
        ]

    def _mount(self) -> str:
        mount = f"type=volume,source={self.volume},target={MOUNT},volume-nocopy"
        if self.project and self.volume_key:  # as Compose labels it, where the volume is new
            mount += f",volume-label=com.docker.compose.project={self.project}"
            mount += f",volume-label=com.docker.compose.volume={self.volume_key}"
        return mount


def volume_exists(volume: str) -> bool:
    """Whether there is such a volume: whoever mounts one makes it.

    Raises:
        EnvironmentLacksError: the engine does not answer.
    """
    listed = ("docker", "volume", "ls", "--quiet", "--filter", f"name={volume}")
    done = process.run(listed, timeout=EXEC_SECONDS, check=False)
    if not done.ok:
        raise environment_error(done.stderr) or ActionError(
            "the volumes cannot be listed", why=done.stderr.strip()
        )
    return volume in done.stdout.split()


def check_in_reader(
    volume: str, *, root: Path | None = None, options: Sequence[str] = ()
) -> bytes | None:
    """Asks for the state of a volume in a running container that mounts it.

    This takes a fraction of what starting a container takes. The agent's ``check`` only reads.

    Args:
        volume: name of the volume in Docker.
        root: repository root: the container that told last time is asked first.
        options: ``deep``: every file is read; ``entries``: what was written is listed.

    Returns:
        What the agent says; ``None`` where no running container can tell.
    """
    earlier = _earlier_reader(root, volume)
    if earlier is not None:
        answer = _exec_check(*earlier, options)
        if answer is not None:
            return answer
    for reader in _readers(volume)[:MOST_READERS]:
        answer = None if reader == earlier else _exec_check(*reader, options)
        if answer is not None:
            _keep_reader(root, volume, reader)
            return answer
    return None


@contextmanager
def asking_readers(
    volumes: Mapping[str, str], root: Path
) -> Iterator[dict[str, Callable[[], bytes | None]]]:
    """Asks for the state of volumes while something else is done.

    Args:
        volumes: any key to the name of a volume in Docker.
        root: repository root.

    Yields:
        The same keys to what waits for the answer; see :func:`check_in_reader`.
    """
    with ThreadPoolExecutor(max_workers=4) as pool:
        asked = {
            key: pool.submit(check_in_reader, name, root=root) for key, name in volumes.items()
        }
        yield {key: answer.result for key, answer in asked.items()}


def _readers(volume: str) -> list[tuple[str, str]]:
    """Running containers that mount a volume, and where."""
    asked = ("docker", "ps", "--quiet", "--no-trunc", "--filter", f"volume={volume}")
    template = (
        '{{.Id}}{{range .Mounts}}{{if eq .Type "volume"}}'
        '{{"\t"}}{{.Name}}{{"\t"}}{{.Destination}}{{end}}{{end}}'
    )
    try:
        containers = process.run(asked, timeout=EXEC_SECONDS, check=False).stdout.split()
        if not containers:
            return []
        shown = process.run(
            ["docker", "inspect", "--format", template, *containers],
            timeout=EXEC_SECONDS,
            check=False,
        )
    except (EnvironmentLacksError, ActionError):
        return []
    found = []
    for line in shown.stdout.splitlines():
        container, *mounts = line.split("\t")
        places = dict(zip(mounts[::2], mounts[1::2], strict=False))
        if volume in places and places[volume] != MOUNT:  # a helper is no reader
            found.append((container, places[volume]))
    return found


def _earlier_reader(root: Path | None, volume: str) -> tuple[str, str] | None:
    """Who told last time. A container's mounts never change, and they keep their volume alive."""
    if root is None:
        return None
    try:
        container, place = json.loads((root / STATE_DIRECTORY / READER).read_bytes())[volume]
        return str(container), str(place)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep_reader(root: Path | None, volume: str, reader: tuple[str, str]) -> None:
    if root is None:
        return
    keep_json(root, READER, {volume: reader})


def _exec_check(container: str, place: str, options: Sequence[str]) -> bytes | None:
    arguments = perl_command("check", place, *options)
    child = process.pipe(
        ["docker", "exec", "--interactive", "--user", "0:0", container, *arguments]
    )
    try:
        answer, _ = child.communicate(
            script(), timeout=EXEC_SECONDS * (10 if "deep" in options else 1)
        )
    except BaseException:
        process.end_group(child, grace=1.0)
        raise
    return answer if child.returncode == 0 else None
