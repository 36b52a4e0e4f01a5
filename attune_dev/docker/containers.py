"""What the engine tells of containers and images, as values (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from attune_dev.model.event import ServiceState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SERVICE_LABEL = "com.docker.compose.service"
PROJECT_LABEL = "com.docker.compose.project"
NUMBER_LABEL = "com.docker.compose.container-number"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
CONFIG_HASH_LABEL = "com.docker.compose.config-hash"


class State(StrEnum):
    """The engine's states of a container."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


class Health(StrEnum):
    """The engine's own view of a container's health check, which lags by its interval."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A container's health check.

    Attributes:
        command: what ``docker exec`` is to run.
        timeout: seconds that one try may take.
    """

    command: tuple[str, ...]
    timeout: float


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A port of the host that leads to one of the container."""

    host: str
    port: int
    target: int


@dataclass(frozen=True, slots=True)
class ContainerMount:
    """A mount as the engine made it: ``source`` is a volume's name or a path of the host."""

    kind: str
    source: str
    target: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class ContainerState:
    """One container of a Compose project.

    Attributes:
        service: its service.
        id: full container id.
        name: container name.
        number: one-based, above one only where a service is scaled.
        state: as the engine sees it.
        health: as the engine sees it, or as it was seen here since its start.
        exit_code: of the last run, 0 while it runs.
        restarts: how often the engine started it again by itself.
        image_id: the image it was made from.
        config_hash: Compose's hash of the definition it was made from.
        created: seconds since the epoch.
        started: seconds since the epoch, 0 if never.
        ended: seconds since the epoch, 0 while it runs and if it never ended.
        health_check: the command that tells its health, ``None`` without one.
        ports: published ports, sorted.
        mounts: sorted by target.
        argv: what it starts, entry point and arguments as they were resolved.
        read_only: whether its root file system cannot be written.
        stop_seconds: how long it gets to end by itself, ``None`` for the engine's own choice.
    """

    service: str
    id: str
    name: str = ""
    number: int = 1
    state: State = State.RUNNING
    health: Health = Health.NONE
    exit_code: int = 0
    restarts: int = 0
    image_id: str = ""
    config_hash: str = ""
    created: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    health_check: HealthCheck | None = None
    ports: tuple[PublishedPort, ...] = ()
    mounts: tuple[ContainerMount, ...] = ()
    argv: tuple[str, ...] = field(default=(), repr=False)
    read_only: bool = False
    stop_seconds: int | None = None

    @property
    def running(self) -> bool:
        """Whether its main process runs."""
        return self.state is State.RUNNING

    @property
    def completed(self) -> bool:
        """Whether it ran to its end and ended well."""
        return self.state is State.EXITED and self.exit_code == 0


@dataclass(frozen=True, slots=True)
class ImageState:
    """An image.

    Attributes:
        id: its digest, ``sha256:…``.
        created: seconds since the epoch.
        size: bytes.
    """

    id: str
    created: float = 0.0
    size: int = 0


def containers_from_inspect(documents: Iterable[Mapping[str, Any]]) -> tuple[ContainerState, ...]:
    """The services' containers out of ``docker inspect``; one-off ones of ``run`` are left out."""
    found = [
        _container(document)
        for document in documents
        if (labels := _labels(document)).get(SERVICE_LABEL)
        and labels.get(ONE_OFF_LABEL, "False").lower() != "true"
    ]
    return tuple(sorted(found, key=lambda state: (state.service, state.number, state.id)))


def images_from_inspect(documents: Iterable[Mapping[str, Any]]) -> dict[str, ImageState]:
    """Images by each of their names, in the full form of :func:`full_image_name`."""
    found: dict[str, ImageState] = {}
    for document in documents:
        image = ImageState(
            str(document.get("Id", "")),
            epoch(str(document.get("Created", ""))),
            int(document.get("Size") or 0),
        )
        for name in (*(document.get("RepoTags") or ()), *(document.get("RepoDigests") or ())):
            found[full_image_name(name)] = image
    return found


def full_image_name(name: str) -> str:
    """An image's name with what Docker fills in: ``api`` is ``docker.io/library/api:latest``."""
    first, slash, _ = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        name = f"docker.io/{name}" if slash else f"docker.io/library/{name}"
    if "@" in name or ":" in name.rpartition("/")[2]:
        return name
    return f"{name}:latest"


def epoch(stamp: str) -> float:
    """Seconds since the epoch of the engine's time stamp, 0 for its "never" and for none."""
    if not stamp or stamp.startswith("0001-"):
        return 0.0
    # nanoseconds are more than datetime takes
    head, dot, tail = stamp.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        stamp = f"{head}.{tail[:digits][:6]}{tail[digits:]}"
    return datetime.fromisoformat(stamp).timestamp()


def _labels(document: Mapping[str, Any]) -> Mapping[str, str]:
    return (document.get("Config") or {}).get("Labels") or {}


def _container(document: Mapping[str, Any]) -> ContainerState:
    labels, state = _labels(document), document.get("State") or {}
    config = document.get("Config") or {}
    health = (state.get("Health") or {}).get("Status") or "none"
    return ContainerState(
        service=labels[SERVICE_LABEL],
        id=str(document["Id"]),
        name=str(document.get("Name", "")).lstrip("/"),
        number=int(labels.get(NUMBER_LABEL) or 1),
        state=State(state.get("Status", "created")),
        health=Health(health),
        exit_code=int(state.get("ExitCode") or 0),
        restarts=int(document.get("RestartCount") or 0),
        image_id=str(document.get("Image", "")),
        config_hash=labels.get(CONFIG_HASH_LABEL, ""),
        created=epoch(str(document.get("Created", ""))),
        started=epoch(str(state.get("StartedAt", ""))),
        ended=epoch(str(state.get("FinishedAt", ""))),
        health_check=_health_check(config.get("Healthcheck") or {}),
        ports=_ports((document.get("NetworkSettings") or {}).get("Ports") or {}),
        mounts=_mounts(document.get("Mounts") or ()),
        argv=(str(document.get("Path", "")), *map(str, document.get("Args") or ())),
        read_only=bool((document.get("HostConfig") or {}).get("ReadonlyRootfs")),
        stop_seconds=config.get("StopTimeout"),
    )


def _health_check(check: Mapping[str, Any]) -> HealthCheck | None:
    words = [str(word) for word in check.get("Test") or ()]
    timeout = (check.get("Timeout") or 0) / 1e9 or 30.0  # nanoseconds; Docker's default is 30 s
    match words:
        case ["CMD", *command] if command:
            return HealthCheck(tuple(command), timeout)
        case ["CMD-SHELL", line]:
            return HealthCheck(("/bin/sh", "-c", line), timeout)
        case _:
            return None


def _ports(ports: Mapping[str, Any]) -> tuple[PublishedPort, ...]:
    found = {
        (str(binding.get("HostIp", "")), int(binding["HostPort"]), int(port.partition("/")[0]))
        for port, bindings in ports.items()
        for binding in bindings or ()
        if binding.get("HostPort")
    }
    return tuple(PublishedPort(*port) for port in sorted(found))


def _mounts(mounts: Iterable[Mapping[str, Any]]) -> tuple[ContainerMount, ...]:
    found = [
        ContainerMount(
            kind=str(mount.get("Type", "")),
            source=str(mount.get("Name") or mount.get("Source") or ""),
            target=str(mount.get("Destination", "")),
            read_only=not mount.get("RW", True),
        )
        for mount in mounts
    ]
    return tuple(sorted(found, key=lambda mount: mount.target))


def service_states(
    containers: Iterable[ContainerState], names: Iterable[str], one_shots: Iterable[str]
) -> tuple[ServiceState, ...]:
    """Services as people see them; of a scaled one the container that needs attention most.

    Args:
        containers: of the project.
        names: the services that are to be told, with or without a container.
        one_shots: those of them that run once and end.
    """
    by_service: dict[str, list[ContainerState]] = {name: [] for name in names}
    for container in containers:
        if container.service in by_service:
            by_service[container.service].append(container)
    once = frozenset(one_shots)
    states = []
    for name, found in sorted(by_service.items()):
        if not found:
            states.append(ServiceState(name, "absent", one_shot=name in once))
            continue
        worst = min(found, key=lambda c: (c.running, c.health is not Health.UNHEALTHY))
        health = "" if worst.health is Health.NONE else worst.health.value
        states.append(
            ServiceState(name, worst.state.value, health, worst.exit_code, one_shot=name in once)
        )
    return tuple(states)
