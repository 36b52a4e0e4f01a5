"""New packs and sensors."""

from __future__ import annotations

from typing import Any

from attune_dev.cli.command import command
from attune_dev.cli.project import Project, check_names
from attune_dev.errors import ConfigError, UsageError


@command(
    name="new",
    names="name",
    help={"name": "the pack's folder and reference"},
)
def packs_new(_context: Any, name: list[str]) -> None:
    """Makes a pack with an action that runs as it is.

    The files go into the folder of packs that fills the volume. `inv dev` takes them at once.
    """
    from attune_dev.packs.scaffold import new_pack

    (wanted,) = _words(name, "NAME")
    project = Project()
    folders = project.workspace.packs_folders
    if not folders:
        raise ConfigError(
            "no folder of packs fills a volume",
            hint="let a one-shot service mount it and a volume that others mount, too",
        )
    draft = new_pack(project.root, folders[0].root, wanted)
    for path in draft.write():
        print(f"wrote {path}")
    print(f"next: inv packs.sync {wanted}")


@command(
    name="new-sensor",
    names="words",
    help={"words": "PACK and NAME: the pack that gets it, and what it is called"},
)
def packs_new_sensor(_context: Any, words: list[str]) -> None:
    """Makes a sensor in Rust that builds and runs as it is.

    Its YAML and a trigger in the pack, a package in the Cargo workspace with its entry in the lock
    file, and what of the Dockerfiles depends on the packages.
    """
    from attune_dev.loading.rendered import render_dockerfiles, write_change
    from attune_dev.packs.scaffold import new_sensor

    pack, name = _words(words, "PACK NAME")
    project = Project()
    packs = {
        key: p for folder in project.workspace.packs_folders for key, p in folder.packs.items()
    }
    check_names("pack", [pack], packs)
    cargo = project.workspace.cargo
    workspaces = sorted(cargo.workspaces.values(), key=lambda each: each.root)
    if not workspaces:
        raise ConfigError("there is no Cargo workspace", hint="cargo init, or write a Cargo.toml")
    chosen = workspaces[0]
    found = packs[pack]
    draft = new_sensor(
        project.root, found.root, found.ref, name, chosen, cargo.manifests[chosen.manifest]
    )
    for path in draft.write():
        print(f"wrote {path}")
    project.adopt(project.load())
    try:
        changes = render_dockerfiles(project.root, project.workspace)
    except ConfigError as problem:
        changes = ()
        print(f"no Dockerfile was rendered: {problem.what}")
    for change in changes:
        if change.needed:
            write_change(project.root, change)
            print(f"wrote {change.path}")
    print(f"next: inv pack-binaries, then inv packs.sync {pack}; inv dev does both")


def _words(given: list[str], wanted: str) -> list[str]:
    if len(given) != len(wanted.split()):
        raise UsageError(f"give {wanted}", why=f"there are {len(given)} words")
    return given
