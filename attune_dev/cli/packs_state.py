"""How packs on disk and their volume compare."""

from __future__ import annotations

import json as json_module
import time
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from attune_dev.cli.build import JSON_HELP
from attune_dev.cli.command import command
from attune_dev.cli.project import Project, check_names, split_names
from attune_dev.errors import EnvironmentLacksError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from attune_dev.model.packs import PacksFolder
    from attune_dev.packs.mounts import Reader
    from attune_dev.packs.stale import BinaryStatus
    from attune_dev.packs.status import PackStatus

SHOWN = 20


@command(
    name="status",
    names="packs",
    help={
        "packs": "packs to tell about; all where none is named",
        "deep": "read every file in the volume again, and look at what each service mounts",
        "exit_code": "end with 10 where a sync would change something",
        "json": JSON_HELP,
    },
)
def packs_status(
    _context: Any,
    packs: list[str],
    deep: bool = False,
    exit_code: bool = False,
    json: bool = False,
) -> None:
    """Tells per pack whether the volume is in sync.

    In sync, differs (with the files), missing, obsolete, foreign or refused. A running service is
    asked, so that nothing has to be started; the volume is not changed.
    """
    from attune_dev.packs.stale import BinaryState

    started = time.monotonic()
    project = Project.ready()
    found = _statuses(project, split_names(packs), deep=deep)
    readers = _readers(project) if deep else {}
    binaries = _of_packs(states_of_binaries(project, found), found)
    same = all(status.in_sync for _, statuses in found for status in statuses)
    ok = same and all(reader.right for some in readers.values() for reader in some)
    if json:
        document = {
            "version": 1,
            "ok": ok,
            "seconds": round(time.monotonic() - started, 3),
            "deep": deep,
            "volumes": {f.root: volume_of(project, f) for f, _ in found},
            "targets": [status.to_dict() for _, statuses in found for status in statuses],
            "binaries": [binary.to_dict() for binary in binaries],
            "readers": [reader.to_dict() for some in readers.values() for reader in some],
        }
        print(json_module.dumps(document, indent=2))
    else:
        _tell(project, found, readers)
        for binary in binaries:
            if binary.state is not BinaryState.CURRENT:
                print(
                    f"{binary.path}: {binary.state.value}, {binary.detail}: run `inv pack-binaries`"
                )
    if exit_code and not ok:
        raise Exit(code=ExitCode.SOMETHING_TO_DO)


@command(
    name="diff",
    names="packs",
    help={"packs": "packs to compare; all where none is named"},
)
def packs_diff(_context: Any, packs: list[str]) -> None:
    """Shows what a sync would change, line by line.

    A unified diff from the volume to the disk; what is no text is told on one line.
    """
    from attune_dev.cli.act import helper_image
    from attune_dev.packs.diff import pack_diff
    from attune_dev.packs.helper import HelperSession
    from attune_dev.reporting.text import clean_line

    project = Project.ready()
    for folder, statuses in _statuses(project, split_names(packs), deep=False):
        todo = [status for status in statuses if not status.in_sync]
        if not todo:
            continue
        with HelperSession(volume_of(project, folder), image=helper_image(project)) as session:
            for status in todo:
                print(clean_line(_line(status)))
                for line in pack_diff(project.root / folder.root, status, session):
                    print(clean_line(line))


def volume_of(project: Project, folder: PacksFolder) -> str:
    """The name in Docker of the volume that a folder of packs fills."""
    return project.compose.volumes.get(folder.volume, folder.volume)


def _statuses(
    project: Project, named: Sequence[str], *, deep: bool
) -> list[tuple[PacksFolder, list[PackStatus]]]:
    from attune_dev.cli.act import helper_image
    from attune_dev.packs.status import packs_status as compare

    found = []
    for folder in project.workspace.packs_folders:
        volume = volume_of(project, folder)
        image = helper_image(project)
        statuses = compare(project.root, folder, volume, image=image, deep=deep, files=True)
        if statuses is None:
            raise EnvironmentLacksError(
                f"the volume {volume} cannot be read", hint="start the services, or run `inv setup`"
            )
        found.append((folder, list(statuses)))
    there = {status.name for _, statuses in found for status in statuses}
    names = check_names("pack", named, there) or there
    return [(folder, [s for s in statuses if s.name in names]) for folder, statuses in found]


def states_of_binaries(
    project: Project, found: Sequence[tuple[PacksFolder, Sequence[PackStatus]]]
) -> tuple[BinaryStatus, ...]:
    """Whether pack binaries are those of their sources.

    Args:
        project: which.
        found: what is known of the volumes, which may remember what a binary was made from.
    """
    from attune_dev.packs.stale import binary_states

    in_volume = {
        f"{folder.root}/{status.name}/{path}": digests
        for folder, statuses in found
        for status in statuses
        for path, digests in status.sources.items()
    }
    return binary_states(project.root, project.workspace, (), in_volume)


def _of_packs(
    states: Iterable[BinaryStatus], found: Sequence[tuple[PacksFolder, Sequence[PackStatus]]]
) -> list[BinaryStatus]:
    """The binaries of packs that were asked for."""
    places = tuple(f"{f.root}/{s.name}/" for f, statuses in found for s in statuses)
    return [state for state in states if state.path.startswith(places)]


def _readers(project: Project) -> dict[str, tuple[Reader, ...]]:
    from attune_dev.packs.mounts import readers_of

    containers = project.port.containers()
    return {
        folder.root: readers_of(project.compose, containers, folder.volume)
        for folder in project.workspace.packs_folders
    }


def _tell(
    project: Project,
    found: Sequence[tuple[PacksFolder, Sequence[PackStatus]]],
    readers: dict[str, tuple[Reader, ...]],
) -> None:
    from attune_dev.reporting.text import clean_line

    for folder, statuses in found:
        volume = volume_of(project, folder)
        print(f"{folder.root}/ in the volume {volume}")
        for status in statuses:
            print(clean_line(f"  {_line(status)}"))
            for line in _details(status):
                print(clean_line(f"    {line}"))
        for reader in readers.get(folder.root, ()):
            if reader.right:
                continue
            mounts = f"mounts {reader.mounted}" if reader.mounted else "mounts nothing there"
            print(f"  {reader.container} {mounts}: run `inv up {reader.service}`")
        some = readers.get(folder.root, ())
        if some and all(reader.right for reader in some):
            print(f"  {len(some)} running containers mount it")
    if not found:
        print("no folder of packs fills a volume")


def _line(status: PackStatus) -> str:
    counts: dict[str, int] = {}
    for _, what in status.delta:
        counts[what] = counts.get(what, 0) + 1
    told = [f"{count} {_COUNTED[what]}" for what, count in counts.items()]
    if status.drifted:
        told.append(f"{len(status.drifted)} changed in the volume by someone else")
    if status.foreign and status.state.value != "foreign":
        told.append(f"{len(status.foreign)} foreign")
    return f"{status.name}: {status.state.value}" + (f" ({', '.join(told)})" if told else "")


_COUNTED = {"added": "added", "changed": "changed", "deleted": "deleted", "mode": "of another mode"}
_SIGNS = {"added": "+", "changed": "~", "deleted": "-", "mode": "m"}


def _details(status: PackStatus) -> Iterator[str]:
    lines = [f"{path}: {reason}" if path else reason for path, reason in status.refused]
    lines += [f"{_SIGNS[what]} {path}" for path, what in status.delta]
    lines += [f"! {path} ({what} in the volume)" for path, what in status.drifted]
    if status.state.value != "foreign":
        lines += [f"? {path} (foreign)" for path in status.foreign]
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"and {len(lines) - SHOWN} more"
