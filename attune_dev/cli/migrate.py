"""``inv migrate``: a repository with Dockerfiles of its own way, taken over once."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import Project, say
from attune_dev.errors import ActionError, AttuneDevError, ConfigError

if TYPE_CHECKING:
    from attune_dev.loading.backup import Backup
    from attune_dev.loading.migration import Migration

UNDO = "inv migrate --undo, then inv up"


@command(
    help={
        "dry_run": "write and build nothing; show what would be written",
        "undo": "put the files back as they were before the last migration",
        "no_build": "write the files only",
    }
)
def migrate(
    _context: Any, dry_run: bool = False, undo: bool = False, no_build: bool = False
) -> None:
    """Takes over Dockerfiles that copy all crates or packs.

    What compiles becomes a part that is rendered from the workspace, and packs come from a volume
    instead of images. The old files are kept; then pack binaries and images are built, containers
    replaced, and the packs that every service sees are compared with those on disk. It can be run
    again: what is done already is left as it is.
    """
    from attune_dev.loading.backup import Backup
    from attune_dev.loading.migration import plan_migration

    if undo:
        _undo()
        return
    project = Project() if dry_run or no_build else Project.ready()
    migration = plan_migration(project.root, project.workspace)
    for note in migration.notes:
        print(note)
    if dry_run:
        _show(project, migration)
        return
    backup = Backup.begin(project.root)
    try:
        before = _shipped(project)
        backup.write(migration.writes)
        project = Project()
        _render(project, backup)
        _require_same(before, _shipped(Project()))
    except BaseException:
        if backup.undo():
            say("the files are as they were")
        raise
    if not backup.paths:
        print("the files are as they should be already")
    else:
        kept = backup.folder.relative_to(project.root)
        print(f"the old files are in {kept}; to undo all of it: {UNDO}")
    if not no_build:
        _bring_over(Project())


def _undo() -> None:
    from attune_dev.cli.project import find_root
    from attune_dev.loading.backup import Backup

    backup = Backup.last(find_root())
    if backup is None:
        raise ConfigError("there is nothing to undo", why="no migration has changed files here")
    for path in backup.undo():
        print(f"{path}: as it was")
    print("next: inv up")


def _show(project: Project, migration: Migration) -> None:
    for path, text in migration.writes.items():
        file = project.root / path
        before = file.read_text("utf-8") if file.exists() else ""
        print(
            *unified_diff(
                before.splitlines(keepends=True),
                text.splitlines(keepends=True),
                f"a/{path}",
                f"b/{path}",
            ),
            sep="",
        )


def _render(project: Project, backup: Backup) -> None:
    """Fills the rendered parts in."""
    from attune_dev.loading.migration import plan_pack_binaries
    from attune_dev.loading.rendered import render_dockerfiles

    more = plan_pack_binaries(project.root, project.workspace)
    backup.write(more.writes)
    for note in more.notes:
        print(note)
    changes = render_dockerfiles(project.root, Project().workspace)
    backup.write({change.path: change.after for change in changes if change.needed})
    for change in changes:
        done = "rendered" if change.needed else "unchanged"
        how = f", strategy {change.strategy}" if change.strategy else ""
        print(f"{change.path}: {done}{how}")


def _shipped(project: Project) -> dict[str, frozenset[str]]:
    """Cargo binaries that the image of each service ships, where that is known by name."""
    cargo = project.workspace.cargo
    return {
        name: frozenset(image.shipped)
        for name, image in project.workspace.images.items()
        if image.shipped and all(cargo.package_of_binary(binary) for binary in image.shipped)
    }


def _require_same(before: dict[str, frozenset[str]], after: dict[str, frozenset[str]]) -> None:
    for name, binaries in sorted(before.items()):
        if (now := after.get(name, frozenset())) != binaries:
            raise ConfigError(
                f"the image of {name} would ship something else",
                why=f"before: {', '.join(sorted(binaries))}; then: {', '.join(sorted(now))}",
                hint="name the binary's own path in its COPY --from, then run it again",
            )


def _bring_over(project: Project) -> None:
    """Builds, recreates and looks at what every service sees."""
    from attune_dev.cli.act import run_plan
    from attune_dev.cli.start import bring_up
    from attune_dev.model.plan import ActionKind
    from attune_dev.packs.inside import look_inside
    from attune_dev.planning.planner import plan_request

    try:
        if binaries := project.pack_binaries():
            plan = plan_request(project.workspace, ActionKind.BUILD_PACK_BINARIES, binaries)
            run_plan(project, plan)
        bring_up(project, project.active())
        wrong = []
        for folder in project.workspace.packs_folders:
            readers = _readers(project, folder.volume)
            for seen in look_inside(project.root, folder, readers):
                print(str(seen))
                wrong += [seen.service] if seen.differing else []
        if wrong:
            raise ActionError(f"{', '.join(wrong)} do not see the packs as on disk", hint=UNDO)
    except (AttuneDevError, Exit):
        say(f"the files are taken over, what runs is not; mend it and run it again, or: {UNDO}")
        raise
    print(f"done: {len(project.active())} services run from the new images; to undo: {UNDO}")


def _readers(project: Project, volume: str) -> dict[str, tuple[str, str]]:
    """Running services that mount a volume of packs: container id and the mount's target."""
    running = {c.service: c.id for c in project.port.containers() if c.running}
    return {
        name: (running[name], mount.target)
        for name, service in project.compose.services.items()
        if name in running and not project.compose.one_shot(name)
        for mount in service.mounts
        if mount.source == volume
    }
