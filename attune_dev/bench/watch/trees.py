"""Trees of many files with a service that mounts them and one that they are synced into."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.bench.sample.clone import clean_environment
from attune_dev.docker import process
from attune_dev.setup.base_images import base_images

if TYPE_CHECKING:
    from pathlib import Path

FOLDER_SIZE = 100
SLEEP = ["sleep", "infinity"]


@dataclass(frozen=True, slots=True)
class Project:
    """A project of its own.

    Attributes:
        root: its folder.
        name: Compose project name.
        files: how many there are in ``data``.
    """

    root: Path
    name: str
    files: int

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the tools in it."""
        return clean_environment() | {"ATTUNE_DEV_ROOT": str(self.root)}

    def file(self, number: int) -> Path:
        """One of its files."""
        return self.root / f"data/d{number // FOLDER_SIZE}/f{number % FOLDER_SIZE}"

    def remove(self) -> None:
        """Takes its containers and images away."""
        words = ["docker", "compose", "down", "-v", "--rmi", "local", "-t", "0"]
        process.run(words, cwd=self.root, env=self.environ, check=False)


def make_project(root: Path, name: str, files: int, repository: Path) -> Project:
    """Makes one.

    Args:
        root: folder that is not there yet.
        name: Compose project name.
        files: how many.
        repository: this one, which knows the base image in use.
    """
    named = {image.variable: image.in_use for image in base_images(repository)}
    base = named.get("DEBIAN_IMAGE", "debian:bookworm-slim")
    project = Project(root, name, files)
    for number in range(files):
        file = project.file(number)
        if number % FOLDER_SIZE == 0:
            file.parent.mkdir(parents=True)
        file.write_bytes(b"%d\n" % number)
    (root / "Dockerfile").write_text(f"FROM {base}\nRUN mkdir /data\n", encoding="utf-8")
    services = {
        "mounted": {
            "image": base,
            "command": SLEEP,
            "stop_grace_period": "0s",
            "volumes": ["./data:/data:ro"],
        },
        "synced": {
            "build": {"context": "."},
            "command": SLEEP,
            "stop_grace_period": "0s",
            "develop": {"watch": [{"action": "sync", "path": "./data", "target": "/data"}]},
        },
    }
    document = {"name": name, "services": services}
    (root / "compose.yaml").write_text(json.dumps(document), encoding="utf-8")
    return project
