"""One clone and what runs from it."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from attune_dev.bench.sample.clone import clean_environment, free_ports
from attune_dev.docker import process
from attune_dev.docker.containers import SERVICE_LABEL
from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PORTS = ("API", "EXECUTOR", "NOTIFIER", "SENSOR", "WORKER_SHELL", "WORKER_PYTHON")
PROJECT_LABEL = "com.docker.compose.project"
MARKER = r'"([a-z-]+)-[0-9A-Za-z]+"'


@dataclass
class Stack:
    """One clone and what runs from it.

    Attributes:
        root: the clone.
        project: Compose project name.
        ports: by service, upper case with underscores.
        patience: seconds that a service gets to answer a request.
    """

    root: Path
    project: str
    ports: dict[str, int] = field(default_factory=dict)
    patience: float = 20.0

    def __post_init__(self) -> None:
        """Picks ports."""
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every command in this clone."""
        ports = {f"ATTUNE_{name}_PORT": str(port) for name, port in self.ports.items()}
        own = {"COMPOSE_PROJECT_NAME": self.project, "ATTUNE_DEV_ROOT": str(self.root)}
        return clean_environment() | ports | own

    @staticmethod
    def task(*words: str | os.PathLike[str]) -> list[str]:
        """The command line of a task, as ``./inv WORDS``."""
        return [sys.executable, "-m", "attune_dev.cli.main", *(os.fspath(word) for word in words)]

    def inv(self, *words: str, check: bool = True, timeout: float = 900) -> process.Completed:
        """Runs a task to its end.

        Raises:
            ActionError: it failed and ``check`` is set.
        """
        done = process.run(
            self.task(*words), cwd=self.root, env=self.environ, timeout=timeout, check=False
        )
        if check and not done.ok:
            raise ActionError(
                f"`inv {' '.join(words)}` exited with {done.returncode}",
                why=f"{done.stdout}\n{done.stderr}".strip()[-4000:],
            )
        return done

    def docker(self, *words: str) -> str:
        """Runs the docker client and returns what it prints.

        Raises:
            CommandFailed: it failed.
        """
        return process.run(["docker", *words], cwd=self.root, env=self.environ).stdout

    def inspect(self) -> dict[str, Any]:
        """Service to what the engine says of its container, of all long-running services."""
        listed = self.docker("compose", "ps", "-q").split()
        told = json.loads(self.docker("inspect", *listed)) if listed else []
        return {each["Config"]["Labels"][SERVICE_LABEL]: each for each in told}

    def container_ids(self) -> dict[str, str]:
        """Service to container id."""
        return {name: each["Id"] for name, each in self.inspect().items()}

    def started_at(self) -> dict[str, str]:
        """Service to the time its container was started last."""
        return {name: each["State"]["StartedAt"] for name, each in self.inspect().items()}

    def get(self, service: str, path: str) -> Any:
        """The JSON that a service answers.

        Raises:
            OSError: it does not answer.
        """
        request = urllib.request.Request(self._url(service, path))  # noqa: S310 - our own
        return _call(request, self.patience)

    def post(self, service: str, path: str, body: Any) -> Any:
        """The JSON that a service answers to a posted document.

        Raises:
            OSError: it does not answer.
        """
        data = json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self._url(service, path), data, headers)  # noqa: S310
        return _call(request, self.patience)

    def _url(self, service: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[service.upper().replace('-', '_')]}{path}"

    def marker(self, service: str) -> str:
        """The marker that the running service reports."""
        return str(self.get(service, "/health")["marker"])

    def common_marker(self, service: str) -> str:
        """The marker of the shared crate that the running service was compiled with."""
        return str(self.get(service, "/health")["common_marker"])

    def set_marker(self, crate: str, marker: str) -> str:
        """Gives a crate's marker constant another value and returns it."""
        self.edit(f"crates/{crate}/src/marker.rs", MARKER, f'"{marker}"')
        return marker

    def edit(self, path: str, pattern: str, replacement: str) -> None:
        """Replaces what the pattern matches first, in one save.

        Raises:
            ValueError: nothing matches.
        """
        file = self.root / path
        changed, count = re.subn(pattern, replacement, file.read_text(encoding="utf-8"), count=1)
        if count != 1:
            raise ValueError(f"{pattern} is not in {path}")
        file.write_text(changed, encoding="utf-8")

    def remove(self) -> None:
        """Removes containers, volumes and images of this project."""
        process.run(
            [
                *("docker", "compose", "--profile", "*", "down", "-v"),
                *("--rmi", "local", "--remove-orphans", "-t", "1"),
            ],
            cwd=self.root,
            env=self.environ,
            check=False,
        )
        self._remove_labelled("volume", "{{.Name}}")
        self._remove_labelled("image", "{{.Repository}}:{{.Tag}}")

    def _remove_labelled(self, kind: str, template: str) -> None:
        """What the loop compiled in is not the Compose file's."""
        label = f"label={PROJECT_LABEL}={self.project}"
        found = self.docker(kind, "ls", "--filter", label, "--format", template).split()
        if found:
            process.run(["docker", kind, "rm", "--force", *found], check=False)


def eventually(probe: Callable[[], Any], timeout: float = 15.0, *, every: float = 0.1) -> Any:
    """The first true answer of the probe; connection errors count as not yet.

    Args:
        probe: asked again and again.
        timeout: seconds until it is given up.
        every: seconds between two questions.

    Raises:
        ActionError: there was none within the time.
    """
    end = time.monotonic() + timeout
    while True:
        try:
            if answer := probe():
                return answer
        except (OSError, urllib.error.URLError, KeyError, ValueError) as problem:
            answer = problem
        if time.monotonic() > end:
            raise ActionError(f"not within {timeout:g} s", why=f"last answer: {answer!r}")
        time.sleep(every)


def _call(request: urllib.request.Request, patience: float) -> Any:
    with urllib.request.urlopen(request, timeout=patience) as answer:  # noqa: S310 - our own
        return json.loads(answer.read())
