"""What a build is asked to compile, derived from the workspace (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.docker.bake import BINARIES_ARG, PROFILE_ARG, target_name
from attune_dev.docker.port import BuildRequest
from attune_dev.errors import UsageError

CARGO_PROFILES = ("dev", "release")
"""The profiles of programs that every workspace has."""
_TESTS = ("test", "bench")

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from attune_dev.docker.diagnostics import BuildFailed
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


def concerned_programs(
    workspace: Workspace, packages: Iterable[str], programs: Iterable[str]
) -> frozenset[str]:
    """The programs that cannot be made where packages do not compile.

    Returns:
        All of them where it is not known which packages, or one is not the repository's.
    """
    cargo, failed = workspace.cargo, frozenset(packages)
    names = {root: package.name for root, package in cargo.packages().items()}
    if not failed or not failed <= set(names.values()):
        return frozenset(programs)
    found = set()
    for program in programs:
        package = cargo.package_of_binary(program)
        if package is None or failed & {names[root] for root in cargo.closure(package.root)}:
            found.add(program)
    return frozenset(found)


def concerned_services(
    workspace: Workspace, failure: BuildFailed, services: Sequence[str]
) -> frozenset[str]:
    """The services that a failed build of images is about.

    By the packages that did not compile; else by the image whose own step failed. All of them
    where neither is known.
    """
    if failure.packages:
        found = set()
        for name in services:
            inputs = workspace.images.get(name)
            shipped = inputs.shipped if inputs is not None else ("*",)
            known = {each for each in shipped if workspace.cargo.package_of_binary(each)}
            if not known or concerned_programs(workspace, failure.packages, known):
                found.add(name)
        return frozenset(found)
    target = failure.step.removeprefix("[").partition(" ")[0]
    own = frozenset(name for name in services if target_name(name) == target)
    return own or frozenset(services)


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
