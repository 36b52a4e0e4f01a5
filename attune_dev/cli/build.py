"""Making outputs by request: images, pack binaries, and what is in the packs volume."""

from __future__ import annotations

import json as json_module
import time
from typing import Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import (
    Project,
    check_names,
    is_service,
    say,
    split_names,
)
from attune_dev.errors import ExitCode, UsageError
from attune_dev.model.plan import ActionKind

RELEASE_HELP = "compile with the release profile, which is the Dockerfiles' default"
PROFILE_HELP = "compile with this Cargo profile (--profile is Compose's)"
JSON_HELP = "one JSON document on standard output, everything else on standard error"


@command(
    names="services",
    is_name=is_service,
    help={
        "services": "services whose images to build; all where none is named",
        "no_cache": "take no step from the cache",
        "release": RELEASE_HELP,
        "cargo_profile": PROFILE_HELP,
        "cargo_check": "run cargo check first, and show what it complains about with file:line",
        "json": JSON_HELP,
    },
)
def build(
    _context: Any,
    services: list[str],
    no_cache: bool = False,
    cargo_check: bool = False,
    release: bool = False,
    cargo_profile: str = "",
    json: bool = False,
) -> None:
    """Builds images, all in one build; containers stay.

    `build` builds all, `build api notifier` these two and nothing else. One compile makes all
    binaries asked for; content decides what is compiled, not file times. A failed build shows the
    compiler's error and leaves images and containers as they were.
    """
    from attune_dev.cli.act import run_plan
    from attune_dev.planning.planner import plan_request

    project = Project.ready()
    named = project.services(services)
    built = [name for name in named if project.compose.services[name].build is not None]
    if services:
        for name in sorted(set(named) - set(built)):
            image = project.compose.services[name].image
            say(f"{name} uses the image {image}, there is nothing to build")
    plan = plan_request(project.workspace, ActionKind.BUILD, built) if built else None
    profile = chosen_profile(release=release, named=cargo_profile)
    if cargo_check and built:
        from attune_dev.cli.check import check_first

        check_first(project, built, profile, json=json)
    run_plan(project, plan, json=json, no_cache=no_cache, profile=profile)


@command(
    name="pack-binaries",
    names="binaries",
    help={
        "binaries": "pack binaries to compile; all where none is named",
        "check": "only tell which are missing or older than their sources; end with 1 where any is",
        "no_cache": "take no step from the cache",
        "release": RELEASE_HELP,
        "cargo_profile": PROFILE_HELP,
        "json": JSON_HELP,
    },
)
def pack_binaries(
    _context: Any,
    binaries: list[str],
    check: bool = False,
    no_cache: bool = False,
    release: bool = False,
    cargo_profile: str = "",
    json: bool = False,
) -> None:
    """Compiles the binaries of packs and places them.

    A pack binary is a Cargo binary that a sensor's YAML names as its entry point. It is compiled in
    the builder image, checked (ELF, architecture, C library against the runtime image), and placed
    at packs/PACK/sensors/NAME in one step. A failed build leaves the old binary.
    """
    from attune_dev.cli.act import run_plan
    from attune_dev.planning.planner import plan_request

    project = Project.ready()
    known = project.pack_binaries()
    named = check_names("pack binary", split_names(binaries), known) or list(known)
    if check:
        _check_binaries(project, named, json=json)
        return
    plan = plan_request(project.workspace, ActionKind.BUILD_PACK_BINARIES, named) if named else None
    profile = chosen_profile(release=release, named=cargo_profile)
    run_plan(project, plan, json=json, no_cache=no_cache, profile=profile)


def chosen_profile(*, release: bool, named: str) -> str:
    """The Cargo profile that the options ask for, empty where the Dockerfiles decide.

    Raises:
        UsageError: they ask for two.
    """
    if release and named not in ("", "release"):
        raise UsageError(f"--release and --cargo-profile {named} are two profiles")
    return "release" if release else named


def _check_binaries(project: Project, names: list[str], *, json: bool) -> None:
    from attune_dev.packs.stale import BinaryState, binary_states

    started = time.monotonic()
    found = binary_states(project.root, project.workspace, names) if names else ()
    ok = all(binary.state is BinaryState.CURRENT for binary in found)
    if json:
        document = {
            "version": 1,
            "ok": ok,
            "seconds": round(time.monotonic() - started, 3),
            "targets": [binary.to_dict() for binary in found],
        }
        print(json_module.dumps(document, indent=2))
    else:
        for binary in found:
            print(f"{binary.path}: {binary.state.value}, {binary.detail}")
        if not ok:
            print("run `inv pack-binaries`")
    if not ok:
        raise Exit(code=ExitCode.ACTION_FAILED)
