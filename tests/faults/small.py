"""A small watched project: one service from one file, quick to build, on any engine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attune_dev.bench.sample.clone import REPOSITORY, clean_environment
from attune_dev.setup import envfile

DOCKERFILE = """\
ARG DEBIAN_IMAGE=debian:bookworm-slim
FROM ${DEBIAN_IMAGE}
COPY code /code
CMD ["sleep", "100000"]
"""
RUNNER = "attune_dev.cli.main"


class Small:
    """A repository that is not this one, ``inv dev`` in it, and what the user sees."""

    def __init__(self, root: Path, environ: dict[str, str] | None = None) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.prefix: tuple[str, ...] = ()
        self.project = f"t-fault-{uuid.uuid4().hex[:8]}"
        images = envfile.managed_values(envfile.read(REPOSITORY / ".env"))
        self.image = images.get("DEBIAN_IMAGE", "debian:bookworm-slim")
        self.environ = clean_environment() | images | {"NO_COLOR": "1"} | (environ or {})
        (root / "Dockerfile").write_text(DOCKERFILE)
        self.write_compose()
        self.save("one")
        self.events_file = root / "events.jsonl"
        self.child: subprocess.Popen[bytes] | None = None
        self.seen = 0

    def write_compose(self, **web: Any) -> None:
        """Writes the Compose file; more for the service by keyword."""
        args = {"DEBIAN_IMAGE": self.image}
        service = {
            "build": {"context": ".", "args": args},
            "network_mode": "none",
            "init": True,
            "stop_grace_period": "0s",
        }
        other = {k: v for k, v in service.items() if k != "build"}
        other |= {"image": self.image, "command": ["sleep", "100000"]}
        document = {"name": self.project, "services": {"web": service | web, "other": other}}
        (self.root / "compose.yaml").write_text(json.dumps(document, indent=1))

    def save(self, code: str) -> None:
        """Saves what the service is made of."""
        (self.root / "code").write_text(f"{code} of {self.project}\n")

    def start(self, *words: str, wait: bool = True) -> None:
        """Starts ``inv dev``; past its first idle if wanted."""
        self.seen = len(self.events())
        with (self.root / "output.txt").open("ab") as output:
            self.child = subprocess.Popen(
                [
                    *self.prefix,
                    sys.executable,
                    "-m",
                    RUNNER,
                    "dev",
                    "--events",
                    str(self.events_file),
                    *words,
                ],
                cwd=self.root,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if wait:
            assert self.idle()["ok"], self.text()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a task to its end."""
        return subprocess.run(
            [*self.prefix, sys.executable, "-m", RUNNER, *words],
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def docker(self, *words: str) -> str:
        """Runs the client; what it prints."""
        done = subprocess.run(
            ["docker", *words], cwd=self.root, env=self.environ, capture_output=True, text=True
        )
        return done.stdout.strip()

    def container(self) -> str:
        """The service's container, empty without one."""
        labels = (f"project={self.project}", "service=web")
        filters = [w for each in labels for w in ("--filter", f"label=com.docker.compose.{each}")]
        return self.docker("container", "ls", "-q", "--no-trunc", *filters)

    def code(self) -> str:
        """What the service runs."""
        return self.docker("exec", self.container(), "cat", "/code").partition(" ")[0]

    def events(self) -> list[dict[str, Any]]:
        """All events so far."""
        if not self.events_file.exists():
            return []
        lines = self.events_file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def text(self) -> str:
        """What the user saw."""
        return (self.root / "output.txt").read_text(errors="replace")

    def next(self, name: str, timeout: float = 90) -> dict[str, Any]:
        """The next event of a name; those before it are passed over."""
        end = time.monotonic() + timeout
        while True:
            for position, event in enumerate(self.events()[self.seen :]):
                if event["event"] == name:
                    self.seen += position + 1
                    return event
            assert self.child is None or self.child.poll() is None, self.text()
            assert time.monotonic() < end, f"no {name} in time\n{self.text()}"
            time.sleep(0.05)

    def idle(self, *, ok: bool | None = None) -> dict[str, Any]:
        """The next idle; the next one that is (not) well if wanted."""
        while True:
            event = self.next("idle")
            if ok is None or event["ok"] is ok:
                return event

    def says(self, words: str, timeout: float = 30) -> None:
        """Waits until the user was told something."""
        self.until(lambda: words in self.text(), f"never said: {words}", timeout)

    def until(self, probe: Callable[[], Any], what: str, timeout: float = 30) -> None:
        """Waits until something is so."""
        end = time.monotonic() + timeout
        while not probe():
            assert time.monotonic() < end, f"{what}\n{self.text()}"
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ends ``inv dev``; its exit status."""
        assert self.child is not None
        if self.child.poll() is None:
            self.child.send_signal(number)
        status = self.child.wait(20)
        self.child = None
        return status

    def close(self) -> None:
        """Leaves nothing behind."""
        if self.child is not None:
            self.stop(signal.SIGTERM)
        self.docker("compose", "down", "-v", "--rmi", "local", "-t", "0")


@contextmanager
def small(root: Path, environ: dict[str, str] | None = None) -> Iterator[Small]:
    """A small project that is gone afterwards."""
    made = Small(root, environ)
    try:
        yield made
    finally:
        made.close()
