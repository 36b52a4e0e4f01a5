"""The watch loop's way from sources to running code: in containers where the engine is local."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.cli.project import Project
    from attune_dev.running.fast import FastPath


def make_fast_path(
    project: Project, say: Callable[[str], None], *, images: bool, release: bool
) -> FastPath | None:
    """The fast path, ``None`` where images are wanted or the engine is not local.

    Args:
        project: which.
        say: is told why not, and what is done beside.
        images: whether images are wanted.
        release: whether to compile with the Dockerfile's own profile.
    """
    from attune_dev.cli.act import image_update
    from attune_dev.docker.builder import Builder
    from attune_dev.docker.questions import socket_path
    from attune_dev.running.fast import FastPath
    from attune_dev.running.sources import RepositorySources
    from attune_dev.setup.engine import endpoint

    if images:
        return None
    where = "" if socket_path(os.environ) else endpoint()
    if where and not where.startswith(("unix://", "npipe://")):
        say(f"the engine is not local ({where}): code gets into containers through images")
        return None
    return FastPath(
        project.root,
        lambda: project.workspace,
        project.port,
        image_update(project, starting=True),
        Builder(project.root, project.compose.name),
        RepositorySources(
            project.root,
            lambda: project.workspace,
            release=release,
            on_lock=project.lock_written,
        ),
        say,
    )


def tell_drift(fast: FastPath, say: Callable[[str], None]) -> None:
    """Tells on leaving what runs that no image holds, and which pack binaries are no release."""
    if names := fast.services.swapped:
        say(
            f"swapped programs run in {', '.join(names)}: newer than their images; "
            "./inv up builds the images and recreates them"
        )
    if placed := sorted(fast.binaries.placed):
        say(
            f"compiled for development: {', '.join(placed)}; "
            "./inv up or ./inv pack-binaries compiles it as its Dockerfile does"
        )
