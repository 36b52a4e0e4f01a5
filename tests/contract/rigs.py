"""The two Dockers that the contract is about: one in memory, one a real engine."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attune_dev.docker.whales import WhalesDocker
from attune_dev.model.compose import BuildConfig, ComposeProject, Condition, Dependency, Service
from attune_dev.testing import BROKEN, CRASHES, FakeDocker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from attune_dev.docker.port import DockerPort

SERVICES = ("api", "filler", "web")
DEFAULT_BASE = "debian:bookworm-slim"
REPOSITORY = Path(__file__).resolve().parents[2]


def base_image() -> str | None:
    """The Debian image that builds here start from, ``None`` where the engine has none."""
    named = os.environ.get("DEBIAN_IMAGE", "")
    env_file = REPOSITORY / ".env"
    if not named and env_file.exists():
        values = dict(line.split("=", 1) for line in env_file.read_text().split() if "=" in line)
        named = values.get("DEBIAN_IMAGE", "")
    name = named or DEFAULT_BASE
    looked = subprocess.run(["docker", "image", "inspect", name], capture_output=True)
    return name if looked.returncode == 0 else None


def project(name: str = "demo", base: str = DEFAULT_BASE) -> ComposeProject:
    """``web`` waits for ``api``'s health, ``api`` for the end of ``filler``."""

    def service(name: str, restart: str = "", **waits: Condition) -> Service:
        return Service(
            name,
            build=BuildConfig("", "Dockerfile", args={"BASE": base, "SERVICE": name}),
            depends_on=tuple(Dependency(other, how) for other, how in waits.items()),
            restart=restart,
            digest="1",
        )

    services = (
        service("api", filler=Condition.COMPLETED),
        service("filler", restart="no"),
        service("web", api=Condition.HEALTHY),
    )
    return ComposeProject(name, {s.name: s for s in services}, files=("compose.yaml",))


class Rig(Protocol):
    """A port, and the world behind it as a developer changes it."""

    @property
    def port(self) -> DockerPort:
        """What is tested."""
        ...

    def edit(self, service: str, text: str) -> None:
        """Changes what a service's image is built from."""
        ...


class FakeRig:
    """In memory."""

    def __init__(self) -> None:
        self.port = FakeDocker(project())

    def edit(self, service: str, text: str) -> None:
        """Changes what a service's image is built from."""
        self.port.sources[service] = text


DOCKERFILE = f"""
ARG BASE
FROM ${{BASE}}
ARG SERVICE
COPY ${{SERVICE}}.txt /code.txt
RUN if grep -q "{BROKEN}" /code.txt; then echo "error: {BROKEN}" >&2; exit 1; fi
COPY run.sh /run.sh
CMD ["sh", "/run.sh"]
"""

RUN = f"""
if grep -q "{CRASHES}" /code.txt; then echo "it crashes"; exit 1; fi
echo "it runs"
[ "$1" = once ] && exit 0
touch /tmp/up
trap 'exit 0' TERM
while :; do sleep 1 & wait $!; done
"""


class EngineRig:
    """A project of its own on the engine, in a folder of its own."""

    def __init__(self, root: Path, base: str) -> None:
        self.root = root
        self.name = f"t-docker-{uuid.uuid4().hex[:8]}"
        (root / "Dockerfile").write_text(DOCKERFILE)
        (root / "run.sh").write_text(RUN)
        for service in SERVICES:
            self.edit(service, service)
        self.write_compose(base)
        self.port = WhalesDocker(root, project(self.name, base), os.environ)

    def write_compose(
        self, base: str, *, interval: str = "1s", api: Mapping[str, Any] | None = None
    ) -> None:
        """Writes the Compose file: the interval of the engine's own checks, more for ``api``."""
        services: dict[str, Any] = {
            name: {"build": {"context": ".", "args": {"BASE": base, "SERVICE": name}}}
            for name in SERVICES
        }
        services["filler"] |= {"restart": "no", "command": ["sh", "/run.sh", "once"]}
        check = {"test": ["CMD", "test", "-e", "/tmp/up"], "interval": interval}
        waits = {"filler": {"condition": "service_completed_successfully"}}
        services["api"] |= {"healthcheck": check, "depends_on": waits} | dict(api or {})
        services["web"] |= {"depends_on": {"api": {"condition": "service_healthy"}}}
        document = {"name": self.name, "services": services}
        (self.root / "compose.yaml").write_text(json.dumps(document))

    def edit(self, service: str, text: str) -> None:
        """Changes what a service's image is built from."""
        # named after the project, so that no earlier one has left it in the cache
        (self.root / f"{service}.txt").write_text(f"{text} {self.name}\n")

    def compose(self, *words: str) -> str:
        """What a developer types without this tool; returns all it printed."""
        done = subprocess.run(
            ["docker", "compose", *words], cwd=self.root, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def remove(self) -> None:
        """Takes everything of the project off the engine."""
        self.port.down(volumes=True)
        names = [f"{self.name}-{service}" for service in SERVICES]
        subprocess.run(["docker", "image", "rm", "--force", *names], capture_output=True)


@contextmanager
def engine_rig(root: Path, base: str) -> Iterator[EngineRig]:
    """An engine rig that is gone afterwards."""
    rig = EngineRig(root, base)
    try:
        yield rig
    finally:
        rig.remove()
