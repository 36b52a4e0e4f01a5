"""How the services' programs are compiled and placed, read from their Dockerfiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError
from attune_dev.loading.dockerfile import parse_dockerfile
from attune_dev.loading.safe_yaml import read_bounded
from attune_dev.model.compose import BuildConfig
from attune_dev.model.swap import CompileStage, NotSwappable, Swappable
from attune_dev.planning.compile_stage import compile_stage, swappable
from attune_dev.planning.image_stages import Stages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from attune_dev.model.dockerfile import ImageInputs
    from attune_dev.model.workspace import Workspace

SIZE_LIMIT = 1024 * 1024


def load_swappable(root: Path, workspace: Workspace, service: str) -> Swappable | NotSwappable:
    """How a service can get new code without a new image.

    Args:
        root: repository root.
        workspace: what was read of it; the Dockerfile is read again.
        service: its name.

    Returns:
        What to do, or why it cannot be done.
    """
    declared = workspace.compose.services[service]
    build, inputs = declared.build, workspace.images.get(service)
    if build is None or inputs is None:
        return NotSwappable("nothing is known of its build")
    if workspace.compose.one_shot(service):
        return NotSwappable("it runs once and ends")
    if declared.override.packages is not None:
        return NotSwappable("x-attune-dev says what it runs")
    try:
        text, stages = _read(root, build, inputs)
        last = len(stages.dockerfile.stages) - 1
        final = last if not build.target else stages.find(build.target, last + 1)
    except (ConfigError, OSError) as problem:
        return NotSwappable(f"its Dockerfile cannot be read: {problem}")
    if final is None:
        return NotSwappable("its Dockerfile has no such target")
    shipped = frozenset(n for n in inputs.shipped if workspace.cargo.package_of_binary(n))
    if any("*" in name for name in inputs.shipped):
        return NotSwappable("which programs its image ships is not known")
    ignore = _ignored(workspace, inputs)
    return swappable(stages, build, text, final, shipped, ignore=ignore)


def load_binaries_stage(
    root: Path, workspace: Workspace, dockerfile: str, args: Mapping[str, str]
) -> CompileStage | NotSwappable:
    """How a Dockerfile compiles pack binaries, or why it cannot be done without its build.

    Args:
        root: repository root.
        workspace: what was read of it; the Dockerfile is read again.
        dockerfile: its path.
        args: build arguments that it is given.
    """
    inputs = workspace.pack_binary_images[dockerfile]
    build = BuildConfig(inputs.context, dockerfile, args=args)
    try:
        text, stages = _read(root, build, inputs)
    except (ConfigError, OSError) as problem:
        return NotSwappable(f"{dockerfile} cannot be read: {problem}")
    final = len(stages.dockerfile.stages) - 1
    return compile_stage(stages, build, text, final, ignore=_ignored(workspace, inputs))


def _read(root: Path, build: BuildConfig, inputs: ImageInputs) -> tuple[str, Stages]:
    text = build.inline
    if text is None:
        text = read_bounded(root / build.dockerfile, name=build.dockerfile, limit=SIZE_LIMIT)
    scripts = {
        path: read_bounded(root / build.context / path, name=path, limit=SIZE_LIMIT)
        for path in inputs.scripts
    }
    return text, Stages(parse_dockerfile(text, inputs.dockerfile), build, {}, scripts)


def _ignored(workspace: Workspace, inputs: ImageInputs) -> tuple[str, ...]:
    found = workspace.ignore_files.get(inputs.ignore_file)
    return found.lines if found is not None else ()
