"""Compose's side of the graph: services, how they are built, and what is mounted into them.

Commands and build arguments may hold secrets, so no ``repr`` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Condition(StrEnum):
    """What a service waits for before it starts."""

    STARTED = "service_started"
    HEALTHY = "service_healthy"
    COMPLETED = "service_completed_successfully"


class MountKind(StrEnum):
    """Where a mount comes from."""

    BIND = "bind"
    VOLUME = "volume"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount of a service.

    Attributes:
        kind: bind, volume or other (tmpfs, npipe, image …).
        source: a bind inside the repository: relative to its root (``""`` is the root itself);
            a bind outside: absolute; a volume: its key in the Compose file.
        target: absolute path in the container.
        read_only: whether the container may not write.
    """

    kind: MountKind
    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Dependency:
    """One entry of ``depends_on``.

    Attributes:
        service: the service that is waited for.
        condition: until when.
        restart: whether Compose restarts the dependant after it.
    """

    service: str
    condition: Condition = Condition.STARTED
    restart: bool = False


@dataclass(frozen=True, slots=True)
class BuildSecret:
    """A secret that a build may mount.

    Attributes:
        id: as ``RUN --mount=type=secret`` names it.
        file: absolute path of the file that holds it, empty where a variable does.
        variable: the environment variable that holds it, empty where a file does.
    """

    id: str
    file: str = ""
    variable: str = ""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What Compose's build section says besides context, Dockerfile, target and arguments.

    Attributes:
        secrets: that the build may mount.
        ssh: agents and keys, ``default`` or ``id=path``.
        cache_from: sources of cached layers, as written.
        cache_to: where cached layers are written to, as written.
        platforms: to build for; empty means the engine's own.
        tags: further names of the image.
        labels: of the image.
        network: of ``RUN`` steps, empty for the default.
        extra_hosts: ``name=address``, sorted.
        shm_size: of ``RUN`` steps, as written, empty for the default.
        ulimits: ``name=soft:hard``, sorted.
        entitlements: that the build asks for.
        pull: whether base images are always looked up anew.
        no_cache: whether no cached layer is ever used.
    """

    secrets: tuple[BuildSecret, ...] = ()
    ssh: tuple[str, ...] = ()
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    extra_hosts: tuple[str, ...] = ()
    shm_size: str = ""
    ulimits: tuple[str, ...] = ()
    entitlements: tuple[str, ...] = ()
    pull: bool = False
    no_cache: bool = False


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """How a service's image is built.

    Attributes:
        context: folder relative to the repository root; absolute if outside of it.
        dockerfile: path relative to the repository root; absolute if outside of it.
        target: Dockerfile stage, ``None`` for the last one.
        args: build arguments after interpolation; a missing value is ``None``.
        additional_contexts: name to folder (relative to the root) or other reference.
        inline: text of ``dockerfile_inline``, ``None`` where a file is used.
        options: everything else.
        places: ``dockerfile`` and ``target`` to the file and the line that say so.
    """

    context: str
    dockerfile: str
    target: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    additional_contexts: Mapping[str, str] = field(default_factory=dict)
    inline: str | None = field(default=None, repr=False)
    options: BuildOptions = field(default_factory=BuildOptions)
    places: Mapping[str, tuple[str, int | None]] = field(
        default_factory=dict, repr=False, compare=False
    )


@dataclass(frozen=True, slots=True)
class Override:
    """What ``x-attune-dev:`` on a service says, for what cannot be derived.

    Attributes:
        packages: Cargo packages whose code it runs; ``None`` where nothing is said.
        reads: further repository paths or globs that it reads.
        one_shot: whether it is a one-shot; ``None`` where nothing is said.
        ignore: globs of paths that never concern it.
        scripts: ``"restart"`` or ``"nothing"``: what a changed action script needs.
        packs: the same by what a file of a pack is: ``documents``, ``sensor``, ``runtime``,
            ``script``, ``content``.
        place: where it says so, ``file:line``; empty where it says nothing.
    """

    packages: tuple[str, ...] | None = None
    reads: tuple[str, ...] = ()
    one_shot: bool | None = None
    ignore: tuple[str, ...] = ()
    scripts: str | None = None
    packs: tuple[tuple[str, str], ...] = ()
    place: str = ""

    def on_pack(self, role: str) -> str | None:
        """What a changed file of a pack needs, ``None`` where nothing is said.

        Args:
            role: what the file is.
        """
        return dict(self.packs).get(role, self.scripts if role == "script" else None)


@dataclass(frozen=True, slots=True)
class Port:
    """A published port: host address and port as text (ranges stay text), container port."""

    host: str
    published: str
    target: int


@dataclass(frozen=True, slots=True)
class Service:
    """A Compose service.

    Attributes:
        name: its key.
        build: how its image is built, ``None`` for image-only services.
        image: the image's name; empty where Compose derives it.
        command: entrypoint and command as one list of words, empty where the image decides.
        mounts: in the order of the Compose file.
        depends_on: sorted by service.
        profiles: sorted; empty means always on.
        restart: restart policy, ``""`` where none is given.
        ports: published ports.
        has_healthcheck: whether the Compose file gives it a health check.
        files: files that its configs and secrets mount into it.
        hooks: whether Compose runs commands in it after its start or before its stop.
        digest: digest of what its containers are made of, without the build section: equal
            digests and an equal image need no recreate.
        build_digest: digest of its build section, empty for image-only services.
        override: what ``x-attune-dev`` says.
    """

    name: str
    build: BuildConfig | None = None
    image: str = ""
    command: tuple[str, ...] = field(default=(), repr=False)
    mounts: tuple[Mount, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    profiles: tuple[str, ...] = ()
    restart: str = ""
    ports: tuple[Port, ...] = ()
    has_healthcheck: bool = False
    files: tuple[str, ...] = ()
    hooks: bool = False
    digest: str = ""
    build_digest: str = ""
    override: Override = field(default_factory=Override)


@dataclass(frozen=True, slots=True)
class ComposeProject:
    """What ``docker compose config`` resolves to.

    Attributes:
        name: project name.
        services: by name, sorted; services of all profiles.
        volumes: key in the Compose file to the volume's name in Docker.
        files: Compose files, included and extended files, ``.env``, ``env_file``: all that the
            definitions were read from, relative to the root; absolute if outside of it.
        candidates: Compose files that would be read if they existed, like an override.
        warnings: what Compose warned of, such as variables that are not set.
        resolved: all of it as a Compose file of its own, for when the files are wrong; empty where
            that is not known. Never to be shown or written: it holds what the environment holds.
    """

    name: str
    services: Mapping[str, Service]
    volumes: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    resolved: str = field(default="", repr=False, compare=False)

    def one_shot(self, name: str) -> bool:
        """Whether a service runs once and ends.

        Someone waits for its completion, or its restart policy is ``no`` by name and it has no
        health check and no published port; ``x-attune-dev`` decides where it speaks.
        """
        service = self.services[name]
        if service.override.one_shot is not None:
            return service.override.one_shot
        waited_for = any(
            dependency.service == name and dependency.condition is Condition.COMPLETED
            for other in self.services.values()
            for dependency in other.depends_on
        )
        explicit = service.restart == "no" and not service.ports and not service.has_healthcheck
        return waited_for or explicit

    def dependants(self, name: str) -> tuple[str, ...]:
        """Services that name this one in ``depends_on``, sorted."""
        return tuple(
            sorted(
                other.name
                for other in self.services.values()
                if any(dependency.service == name for dependency in other.depends_on)
            )
        )
