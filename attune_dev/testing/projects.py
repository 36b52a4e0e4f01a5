"""Small Compose projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.model.compose import (
    BuildConfig,
    ComposeProject,
    Condition,
    Dependency,
    Service,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


def compose_project(*services: Service, name: str = "demo") -> ComposeProject:
    """A project of these services."""
    return ComposeProject(name, {s.name: s for s in sorted(services, key=lambda s: s.name)})


def built_service(
    name: str,
    *,
    after: Sequence[str] = (),
    once_done: Sequence[str] = (),
    follows: Sequence[str] = (),
    restart: str = "",
    digest: str = "1",
) -> Service:
    """A service with an image of its own.

    Args:
        name: its name.
        after: services that it waits for until they are healthy.
        once_done: one-shots that it waits for until they are done.
        follows: services that it merely starts after.
        restart: restart policy; ``no`` makes it a one-shot.
        digest: digest of its definition.
    """
    waits = [Dependency(other, Condition.HEALTHY) for other in after]
    waits += [Dependency(other, Condition.COMPLETED) for other in once_done]
    waits += [Dependency(other, Condition.STARTED) for other in follows]
    return Service(
        name,
        build=BuildConfig("", "Dockerfile", args={"SERVICE": name}),
        depends_on=tuple(sorted(waits, key=lambda d: d.service)),
        restart=restart,
        digest=digest,
    )
