"""``inv clean``: removes what this project made, one kind after the other, after showing it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.docker.leftovers import Leftover


@command(
    help={
        "images": "the images of its services",
        "volumes": "its volumes, the packs volume included",
        "caches": "what builds keep: the watch loop's volumes, and the build caches that its "
        "Dockerfiles filled (other clones share the commands)",
        "all": "all of these",
        "yes": "do not ask",
    }
)
def clean(
    _context: Any,
    images: bool = False,
    volumes: bool = False,
    caches: bool = False,
    all: bool = False,  # noqa: A002 - the option's name
    yes: bool = False,
) -> None:
    """Removes what this project made, after showing it.

    Containers and networks always; `--images`, `--volumes` and `--caches` go further. Each kind is
    shown and asked about by itself; `--yes` does not ask.
    """
    project = Project.ready()
    for kind, find in _steps(
        project, images=images or all, volumes=volumes or all, caches=caches or all
    ):
        if kind == "cache":
            print("asking the engine for its build caches, which may take a while", flush=True)
        items = find()
        _remove(kind, items, yes=yes)


def _steps(
    project: Project, *, images: bool, volumes: bool, caches: bool
) -> list[tuple[str, Callable[[], list[Leftover]]]]:
    from attune_dev.docker import leftovers
    from attune_dev.docker.bake import image_name

    compose = project.compose
    names = [image_name(compose, service) for service in compose.services.values() if service.build]
    steps: list[tuple[str, Callable[[], list[Leftover]]]] = [
        ("container", lambda: leftovers.containers(compose)),
        ("network", lambda: leftovers.networks(compose)),
    ]
    if images:
        steps.append(("image", lambda: leftovers.images(names)))
        steps.append(("image", lambda: leftovers.builder_images(compose)))
    if volumes:
        steps.append(("volume", lambda: leftovers.volumes(compose)))
    if caches and not volumes:
        steps.append(("volume", lambda: leftovers.builder_volumes(compose)))
    if caches:
        steps.append(("cache", lambda: leftovers.caches(_cached_commands(project))))
    return steps


def _remove(kind: str, items: list[Leftover], *, yes: bool) -> None:
    from attune_dev.docker import leftovers

    if not items:
        print(f"no {kind}s")
        return
    print(f"{kind}s:")
    for item in items:
        print(f"  {item.name}  {item.detail}".rstrip())
    if not yes and not _agreed(f"remove {len(items)} {kind}{'s' if len(items) > 1 else ''}?"):
        print("kept")
        return
    leftovers.remove(kind, items)
    print(f"removed {len(items)}")


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise Exit(f"error: {question} cannot be asked here\n  fix: add --yes", code=2)
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _cached_commands(project: Project) -> list[str]:
    """The commands of the Dockerfiles that fill a cache mount."""
    from attune_dev.loading.dockerfile import parse_dockerfile

    images = [*project.workspace.images.values(), *project.workspace.pack_binary_images.values()]
    found = []
    for path in sorted({image.dockerfile for image in images}):
        file = project.root / path
        if not file.is_file():
            continue
        parsed = parse_dockerfile(file.read_text(encoding="utf-8", errors="replace"), path)
        for stage in parsed.stages:
            found += [
                step.value
                for step in stage.instructions
                if any(mount.kind == "cache" for mount in step.mounts)
            ]
    return sorted(set(found))
