"""How services depend on each other: images, volumes, fillers and who waits for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from attune_dev.model.compose import ComposeProject, Condition, MountKind
from attune_dev.model.dockerfile import ImageInputs
from attune_dev.model.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Relations:
    """Relations between services, each by name and in a stable order.

    Attributes:
        one_shots: services that run once and end.
        waits_for: all services that one waits for, directly or not.
        writers: volume to the one-shots that mount it writable: its fillers.
        mounted_by: volume to all services that mount it.
        volumes_of: service to the volumes it mounts.
        image_users: service with a build to the services whose containers run its image.
        images_of: service to the services with a build whose image its container runs.
        built_from: service to the services whose images its own image is built from.
        waiters: one-shot to the services that wait for its completion.
    """

    one_shots: frozenset[str]
    waits_for: Mapping[str, frozenset[str]]
    writers: Mapping[str, tuple[str, ...]]
    mounted_by: Mapping[str, tuple[str, ...]]
    volumes_of: Mapping[str, tuple[str, ...]]
    image_users: Mapping[str, tuple[str, ...]]
    images_of: Mapping[str, tuple[str, ...]]
    built_from: Mapping[str, tuple[str, ...]]
    waiters: Mapping[str, tuple[str, ...]]

    def after_run(self, filler: str) -> tuple[str, ...]:
        """Services that must start anew once a one-shot has run again, one-shots among them.

        They mount a volume that it fills, or wait for its completion. What the one-shot itself
        waits for does not run from what it leaves; another filler of the same volume runs
        again only if it waits for this one.
        """
        concerned = set(self.waiters.get(filler, ()))
        for volume, fillers in self.writers.items():
            if filler in fillers:
                concerned |= set(self.mounted_by[volume]) - set(fillers)
        concerned -= self.waits_for[filler] | {filler}
        return tuple(sorted(concerned))


def relate(workspace: Workspace) -> Relations:
    """Derives the relations of a workspace's services."""
    compose = workspace.compose
    one_shots = frozenset(name for name in compose.services if compose.one_shot(name))
    mounted_by, volumes_of, writers = _volumes(compose, one_shots)
    image_users = _image_users(compose)
    images_of: dict[str, set[str]] = {}
    for name, users in image_users.items():
        for user in users:
            images_of.setdefault(user, set()).add(name)
    return Relations(
        one_shots=one_shots,
        waits_for={name: _reachable(compose, name) for name in compose.services},
        writers=writers,
        mounted_by=mounted_by,
        volumes_of=volumes_of,
        image_users=image_users,
        images_of=_sorted(images_of),
        built_from=_built_from(compose, workspace.images),
        waiters=_waiters(compose, one_shots),
    )


def _volumes(
    compose: ComposeProject, one_shots: frozenset[str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    mounted_by: dict[str, set[str]] = {}
    volumes_of: dict[str, set[str]] = {name: set() for name in compose.services}
    writers: dict[str, set[str]] = {}
    for name, service in compose.services.items():
        for mount in service.mounts:
            if mount.kind is not MountKind.VOLUME or not mount.source:
                continue
            mounted_by.setdefault(mount.source, set()).add(name)
            volumes_of[name].add(mount.source)
            if name in one_shots and not mount.read_only:
                writers.setdefault(mount.source, set()).add(name)
    return _sorted(mounted_by), _sorted(volumes_of), _sorted(writers)


def _image_users(compose: ComposeProject) -> dict[str, tuple[str, ...]]:
    builders: dict[str, set[str]] = {}
    for name, service in compose.services.items():
        if service.build is not None and service.image:
            builders.setdefault(service.image, set()).add(name)
    users = {name: {name} for name, service in compose.services.items() if service.build}
    for name, service in compose.services.items():
        if service.build is None:
            for builder in builders.get(service.image, ()):
                users[builder].add(name)
    return _sorted(users)


def _built_from(
    compose: ComposeProject, images: Mapping[str, ImageInputs]
) -> dict[str, tuple[str, ...]]:
    by_image = {
        service.image: name
        for name, service in compose.services.items()
        if service.build is not None and service.image
    }
    found: dict[str, set[str]] = {}
    for name, service in compose.services.items():
        if service.build is None:
            continue
        below = {
            reference.removeprefix("service:")
            for reference in service.build.additional_contexts.values()
            if reference.startswith("service:")
        }
        if name in images:
            below |= {by_image[base] for base in images[name].base_images if base in by_image}
        below -= {name}
        if below:
            found[name] = {other for other in below if other in compose.services}
    return _sorted(found)


def _waiters(compose: ComposeProject, one_shots: frozenset[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for name, service in compose.services.items():
        for dependency in service.depends_on:
            if dependency.condition is Condition.COMPLETED and dependency.service in one_shots:
                found.setdefault(dependency.service, set()).add(name)
    return _sorted(found)


def _reachable(compose: ComposeProject, name: str) -> frozenset[str]:
    seen: set[str] = set()
    todo = [name]
    while todo:
        service = compose.services.get(todo.pop())
        for dependency in service.depends_on if service else ():
            if dependency.service not in seen:
                seen.add(dependency.service)
                todo.append(dependency.service)
    return frozenset(seen - {name})


def _sorted(table: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(sorted(table[key])) for key in sorted(table)}
