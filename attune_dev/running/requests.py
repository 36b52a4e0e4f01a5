"""What a build is asked to compile, derived from the workspace (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.docker.bake import BINARIES_ARG
from attune_dev.docker.port import BuildRequest
from attune_dev.errors import UsageError

PROFILE_ARG = "CARGO_PROFILE"
CARGO_PROFILES = ("dev", "release")
"""The profiles of programs that every workspace has."""
_TESTS = ("test", "bench")

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


def profile_args(workspace: Workspace, profile: str) -> dict[str, str]:
    """The build arguments that make images of a Cargo profile; none where none is asked for.

    Raises:
        UsageError: no manifest has such a profile, or no Dockerfile can be told one.
    """
    if not profile:
        return {}
    known = [*CARGO_PROFILES]
    for manifest in workspace.manifests.values():
        known += [name for name in manifest.get("profile", {}) if name not in (*known, *_TESTS)]
    if profile not in known:
        raise UsageError(f"no Cargo profile `{profile}`", hint=f"there are: {', '.join(known)}")
    images = [*workspace.images.values(), *workspace.pack_binary_images.values()]
    if not any(PROFILE_ARG in image.args for image in images):
        raise UsageError(
            f"no Dockerfile can be told the profile `{profile}`",
            why=f"none has `ARG {PROFILE_ARG}`",
            hint=f'add it, and compile with --profile "${PROFILE_ARG}"',
        )
    return {PROFILE_ARG: profile}


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
