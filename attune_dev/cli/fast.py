"""The watch loop's way from sources to running code: in containers where the engine is local."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.cli.project import Project
    from attune_dev.running.swap import SwapUpdate


def make_swap(
    project: Project, say: Callable[[str], None], *, images: bool, release: bool
) -> SwapUpdate | None:
    """The fast path, ``None`` where images are wanted or the engine is not local.

    Args:
        project: which.
        say: is told why not, and what is done beside.
        images: whether images are wanted.
        release: whether to compile with the Dockerfile's own profile.
    """
    from attune_dev.cli.act import image_update
    from attune_dev.docker.builder import Builder
    from attune_dev.running.sources import RepositorySources
    from attune_dev.running.swap import SwapUpdate
    from attune_dev.setup.engine import endpoint

    if images:
        return None
    where = endpoint()
    if where and not where.startswith(("unix://", "npipe://")):
        say(f"the engine is not local ({where}): code gets into containers through images")
        return None
    return SwapUpdate(
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


def tell_swapped(names: tuple[str, ...], say: Callable[[str], None]) -> None:
    """Tells on leaving which services run what no image holds."""
    if names:
        say(
            f"swapped programs run in {', '.join(names)}: newer than their images; "
            "./inv up builds the images and recreates them"
        )
