"""What a build is asked to compile, derived from the workspace (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.docker.bake import BINARIES_ARG
from attune_dev.docker.port import BuildRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attune_dev.model.workspace import Workspace


def binaries_of(workspace: Workspace, services: Sequence[str]) -> tuple[str, ...]:
    """The Cargo binaries that the images of ``services`` ship, sorted.

    Returns:
        Nothing where it is not known of every service, or where no Dockerfile takes a list: then
        the Dockerfiles decide by themselves.
    """
    found: set[str] = set()
    for service in services:
        inputs = workspace.images.get(service)
        if inputs is None or BINARIES_ARG not in inputs.args:
            continue
        shipped = {name for name in inputs.shipped if workspace.cargo.package_of_binary(name)}
        if not shipped:
            return ()
        found |= shipped
    return tuple(sorted(found))


def build_request(
    workspace: Workspace,
    services: Sequence[str],
    *,
    args: Mapping[str, str] | None = None,
    no_cache: bool = False,
) -> BuildRequest:
    """The build of the images of ``services``: one solve, one compile of what they ship."""
    return BuildRequest(
        tuple(services), binaries_of(workspace, services), args=args or {}, no_cache=no_cache
    )
