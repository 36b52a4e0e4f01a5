"""Copies of what the repository tracks."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from attune_dev.docker import process

REPOSITORY = Path(__file__).resolve().parents[3]
CONTENT = (
    *("Cargo.toml", "Cargo.lock", "crates", "config", "docker", "docker-compose.yaml", "packs"),
    *("packs.dev", ".dockerignore", ".gitignore", "pyproject.toml", "tasks.py", "attune_dev"),
    *("inv", "requirements.lock"),
)


def clone(target: Path) -> Path:
    """Copies what the repository tracks or could, without what was built in it.

    Args:
        target: folder that does not exist yet; becomes a git repository without a commit.

    Returns:
        The same folder.
    """
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *CONTENT]
    for name in filter(None, process.run(git, cwd=REPOSITORY).stdout.split("\0")):
        source, to = REPOSITORY / name, target / name
        if not source.exists() and not source.is_symlink():
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, to, follow_symlinks=False)
    process.run(["git", "init", "-q"], cwd=target)
    return target


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def clean_environment() -> dict[str, str]:
    """This process's environment without what would steer Compose or the sample's services."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COMPOSE_", "ATTUNE_"))
    }
