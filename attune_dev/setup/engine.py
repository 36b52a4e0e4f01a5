"""The engine and its client: what answers, where, and which plugins the client sees."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from attune_dev.docker import process
from attune_dev.errors import EnvironmentLacksError
from attune_dev.setup.report import Item, State

_ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Plugin:
    """A client plugin that the docker client sees.

    Attributes:
        path: of its program.
        version: as it says itself; empty where it does not start.
    """

    path: str
    version: str


@dataclass(frozen=True, slots=True)
class Engine:
    """What one ``docker info`` says.

    Attributes:
        item: whether the engine answers.
        plugins: by name, such as ``compose``.
        architecture: of the engine, such as ``x86_64``; empty where it does not answer.
        endpoint: where the engine is asked, such as ``unix:///var/run/docker.sock``.
    """

    item: Item
    plugins: dict[str, Plugin]
    architecture: str = ""
    endpoint: str = ""


def look_at_engine() -> Engine:
    """Asks the docker client once; says what is wrong where the engine does not answer."""
    try:
        done = process.run(
            ["docker", "info", "--format", "{{json .}}"], check=False, timeout=_ANSWER_SECONDS
        )
    except EnvironmentLacksError as problem:
        if "not installed" not in problem.what:
            return Engine(_down("it does not answer within 30 s", endpoint()), {})
        return Engine(
            Item(
                "engine",
                State.MISSING,
                needed="a Docker Engine and its client",
                why="docker CLI not found on PATH",
                hint="install Docker Engine: https://docs.docker.com/engine/install/"
                " (Debian, Ubuntu: apt-get install docker.io docker-cli)",
            ),
            {},
        )
    said = _read(done.stdout)
    plugins = {
        str(p.get("Name", "")): Plugin(str(p.get("Path", "")), str(p.get("Version", "")))
        for p in (said.get("ClientInfo") or {}).get("Plugins") or []
    }
    version = str(said.get("ServerVersion") or "")
    where = endpoint()
    if version and not said.get("ServerErrors"):
        item = Item("engine", State.OK, found=f"{version} at {where}", needed="answers")
        return Engine(item, plugins, str(said.get("Architecture") or ""), where)
    trouble = "\n".join(said.get("ServerErrors") or []) or done.stderr.strip()
    return Engine(_down(trouble, where), plugins, endpoint=where)


def endpoint() -> str:
    """Where the client asks, by its context or ``DOCKER_HOST``; empty where it cannot say."""
    try:
        done = process.run(
            ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"],
            check=False,
            timeout=_ANSWER_SECONDS,
        )
    except EnvironmentLacksError:
        return ""
    return done.stdout.strip() if done.ok else ""


def _down(trouble: str, where: str) -> Item:
    place = where or "its endpoint"
    if re.search(r"permission denied", trouble, re.IGNORECASE):
        return Item(
            "engine",
            State.MISSING,
            needed="answers",
            why=f"no permission on {place.removeprefix('unix://')}",
            hint="join the group docker (usermod -aG docker $USER, then log in again; its members"
            " have root's powers), or use rootless Docker",
        )
    return Item(
        "engine",
        State.MISSING,
        needed="answers",
        why=f"engine not reachable at {place}\n{_first_line(trouble)}".strip(),
        hint="start it (systemctl start docker), or choose another one: docker context use NAME",
    )


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _read(text: str) -> dict[str, Any]:
    start = text.find("{")
    try:
        value = json.loads(text[start:]) if start >= 0 else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
