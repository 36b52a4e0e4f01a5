"""A clone of this repository with a project name and ports of its own, driven as a user would."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
CONTENT = (
    *("Cargo.toml", "Cargo.lock", "crates", "config", "docker", "docker-compose.yaml", "packs"),
    *("packs.dev", ".dockerignore", ".gitignore", "pyproject.toml", "tasks.py", "attune_dev"),
    *("inv", "requirements.lock"),
)
PORTS = ("API", "EXECUTOR", "NOTIFIER", "SENSOR", "WORKER_SHELL", "WORKER_PYTHON")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def clone(target: Path) -> Path:
    """Copies what the repository tracks, without what was built in it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *CONTENT],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split(b"\0")):
        source, to = REPOSITORY / os.fsdecode(name), target / os.fsdecode(name)
        if not source.exists() and not source.is_symlink():
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, to, follow_symlinks=False)
    subprocess.run(["git", "init", "-q"], cwd=target, check=True)
    return target


@dataclass
class Stack:
    """One clone and what runs from it.

    Attributes:
        root: the clone.
        project: Compose project name.
        ports: by service, upper case with underscores.
    """

    root: Path
    project: str
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Picks ports."""
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every command in this clone."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COMPOSE_", "ATTUNE_"))
        }
        ports = {f"ATTUNE_{name}_PORT": str(port) for name, port in self.ports.items()}
        return (
            kept | ports | {"COMPOSE_PROJECT_NAME": self.project, "ATTUNE_DEV_ROOT": str(self.root)}
        )

    def inv(
        self, *words: str, check: bool = True, timeout: float = 900
    ) -> subprocess.CompletedProcess[str]:
        """Runs a task to its end, as ``./inv WORDS``."""
        done = subprocess.run(
            [sys.executable, "-m", "attune_dev.cli.main", *words],
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{words} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def docker(self, *words: str) -> str:
        """Runs the docker client and returns what it prints."""
        done = subprocess.run(
            ["docker", *words], cwd=self.root, env=self.environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def container_ids(self) -> dict[str, str]:
        """Service to container id, of all long-running services."""
        listed = self.docker("compose", "ps", "-q").split()
        told = json.loads(self.docker("inspect", *listed))
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each["Id"] for each in told}

    def started_at(self) -> dict[str, str]:
        """Service to the time its container was started last."""
        listed = self.docker("compose", "ps", "-q").split()
        told = json.loads(self.docker("inspect", *listed))
        return {
            each["Config"]["Labels"]["com.docker.compose.service"]: each["State"]["StartedAt"]
            for each in told
        }

    def get(self, service: str, path: str) -> Any:
        """The JSON that a service answers."""
        return self._call(urllib.request.Request(self._url(service, path)))

    def post(self, service: str, path: str, body: Any) -> Any:
        """The JSON that a service answers to a posted document."""
        data = json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        return self._call(urllib.request.Request(self._url(service, path), data, headers))

    def _url(self, service: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[service.upper().replace('-', '_')]}{path}"

    @staticmethod
    def _call(request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def marker(self, service: str) -> str:
        """The marker that the running service reports."""
        return str(self.get(service, "/health")["marker"])

    def common_marker(self, service: str) -> str:
        """The marker of the shared crate that the running service was compiled with."""
        return str(self.get(service, "/health")["common_marker"])

    def edit(self, path: str, pattern: str, replacement: str) -> None:
        """Replaces what the pattern matches, which must be there, in one save."""
        file = self.root / path
        text = file.read_text()
        changed, count = re.subn(pattern, replacement, text, count=1)
        assert count == 1, f"{pattern} is not in {path}"
        file.write_text(changed)

    def remove(self) -> None:
        """Removes containers, volumes and images of this project."""
        subprocess.run(
            ["docker", "compose", "--profile", "*", "down", "-v", "--rmi", "local", "-t", "1"],
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            check=False,
        )


def eventually(probe: Callable[[], Any], timeout: float = 15.0) -> Any:
    """The first true answer of the probe; connection errors count as not yet."""
    end = time.monotonic() + timeout
    while True:
        try:
            if answer := probe():
                return answer
        except (OSError, urllib.error.URLError, KeyError) as problem:
            answer = problem
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s, last answer: {answer!r}")
        time.sleep(0.1)


class Dev:
    """A running ``inv dev`` whose events are read from its file."""

    def __init__(self, stack: Stack, *words: str) -> None:
        """Starts it."""
        self.stack = stack
        self.events_file = stack.root / ".attune-dev" / "test-events.jsonl"
        self.events_file.parent.mkdir(exist_ok=True)
        self.events_file.unlink(missing_ok=True)
        self.output = (stack.root / ".attune-dev" / "test-output.txt").open("w+")
        self.child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "attune_dev.cli.main",
                "dev",
                "--events",
                self.events_file,
                *words,
            ],
            cwd=stack.root,
            env=stack.environ,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.seen = 0

    def events(self) -> list[dict[str, Any]]:
        """All events so far."""
        if not self.events_file.exists():
            return []
        lines = self.events_file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def wait_idle(self, timeout: float = 600) -> list[dict[str, Any]]:
        """Waits for the next ``idle`` and returns the events since the last one, it included."""
        end = time.monotonic() + timeout
        while True:
            fresh = self.events()[self.seen :]
            for position, event in enumerate(fresh):
                if event["event"] == "idle":
                    self.seen += position + 1
                    return fresh[: position + 1]
            if self.child.poll() is not None:
                raise AssertionError(f"inv dev exited {self.child.returncode}\n{self.text()}")
            if time.monotonic() > end:
                raise AssertionError(f"no idle within {timeout} s: {fresh}\n{self.text()}")
            time.sleep(0.05)

    def text(self) -> str:
        """What it has printed."""
        self.output.flush()
        return Path(self.output.name).read_text(errors="replace")

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ends it and returns its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        try:
            return self.child.wait(20)
        finally:
            if self.child.poll() is None:
                os.killpg(self.child.pid, signal.SIGKILL)
            self.output.close()


@contextmanager
def developing(stack: Stack, *words: str) -> Iterator[Dev]:
    """``inv dev`` for the length of a block, past its first ``idle``."""
    dev = Dev(stack, *words)
    try:
        first = dev.wait_idle(1500)
        assert first[-1]["ok"], f"{first[-1]}\n{dev.text()}"
        yield dev
    finally:
        dev.stop()
