"""Looking at what runs: ``ps``, and the URLs that answer."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attune_dev.cli.command import command
from attune_dev.cli.project import Project

if TYPE_CHECKING:
    from attune_dev.docker.containers import ContainerState
    from attune_dev.model.swap import SwapNote
    from attune_dev.reporting.ps import Row

ANSWER_SECONDS = 1.0


@command(help={"json": "one JSON document on standard output"})
def ps(_context: Any, json: bool = False) -> None:
    """Shows state, health, ages, mounts and URL per service.

    IMAGE and CONTAINER are ages; an image that is newer than its container is marked, and so is a
    container in which `inv dev` has exchanged the program. MOUNTS tells
    whether the packs volume holds what packs/ holds.
    """
    from attune_dev.reporting.ps import render

    project = Project.ready()
    rows = _rows(project)
    if json:
        _print_json({"version": 1, "ok": True, "targets": [row.to_dict() for row in rows]})
    else:
        print("\n".join(render(rows)))


def _rows(project: Project) -> list[Row]:
    from attune_dev.reporting.ps import Row

    by_service = {container.service: container for container in project.port.tried()}
    names = sorted({*project.active(), *by_service})
    known = [name for name in names if name in project.compose.services]
    images = project.port.images(known) if known else {}
    mounts = _mounts(project, by_service.values())
    swapped = project.port.swapped()
    now = time.time()
    rows = []
    for name in names:
        container, image = by_service.get(name), images.get(name)
        shown = {
            "image_age": now - image.created if image else None,
            "mounts": mounts.get(name, ""),
        }
        if container is None:
            rows.append(Row(name, "absent", **shown))  # type: ignore[arg-type]
            continue
        rows.append(
            Row(
                name,
                _state(container),
                "" if container.health.value == "none" else container.health.value,
                container_age=now - container.created,
                swapped=_since(swapped.get(name), now),
                stale=image is not None and image.id != container.image_id,
                url=url_of(container) if container.running else "",
                **shown,  # type: ignore[arg-type]
            )
        )
    return rows


def _since(note: SwapNote | None, now: float) -> float | None:
    """For how long programs have been exchanged; one rolled back to the image's has no time."""
    return now - note.since if note is not None and note.since else None


def _state(container: ContainerState) -> str:
    if container.completed:
        return "done"
    if container.state.value == "exited":
        return f"exited {container.exit_code}"
    return container.state.value


def _mounts(project: Project, containers: Iterable[ContainerState]) -> dict[str, str]:
    """What the packs volume is like, for each service that mounts it."""
    from attune_dev.packs.status import volume_status

    told: dict[str, str] = {}
    for folder in project.workspace.packs_folders:
        volume = project.compose.volumes.get(folder.volume, folder.volume)
        status = volume_status(project.root, folder, volume)
        for container in containers:
            if any(m.kind == "volume" and m.source == volume for m in container.mounts):
                told[container.service] = status
    return told


def url_of(container: ContainerState) -> str:
    """Where a container answers on this machine; empty where it publishes nothing."""
    for port in container.ports:
        host = "127.0.0.1" if port.host in ("", "0.0.0.0", "::") else port.host  # noqa: S104
        return f"http://{host}:{port.port}"
    return ""


def answering_urls(project: Project) -> dict[str, str]:
    """Service to URL, of those whose port takes a connection now."""
    found = {}
    for container in project.port.containers():
        url = url_of(container) if container.running else ""
        if url and _connects(url):
            found[container.service] = url
    return found


def _connects(url: str) -> bool:
    host, _, port = url.removeprefix("http://").rpartition(":")
    try:
        with socket.create_connection((host, int(port)), ANSWER_SECONDS):
            return True
    except OSError:
        return False


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=2))
