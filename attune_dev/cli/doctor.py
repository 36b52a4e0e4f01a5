"""``inv doctor``: what is not as it should be, with the next step for each."""

from __future__ import annotations

import json as json_module
from functools import cached_property
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from attune_dev.cli.build import JSON_HELP
from attune_dev.cli.command import command
from attune_dev.cli.project import Project, find_root
from attune_dev.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attune_dev.docker.containers import ContainerState
    from attune_dev.doctor.report import Check, Finding
    from attune_dev.model.packs import PacksFolder
    from attune_dev.packs.status import PackStatus
    from attune_dev.setup.report import SetupReport
    from attune_dev.watching.lock import Holder

ENGINE = "engine"
PLUGINS = ("compose", "buildx")


@command(help={"json": JSON_HELP})
def doctor(_context: Any, json: bool = False) -> None:
    """Looks at checkout, machine and stack; changes nothing.

    Set-up, definitions, rendered Dockerfiles, packs and their binaries, the packs volume, what
    services run, images that are older than their sources, and what dead runs have left. Each
    fault is told with the one next step; exit code 1 where there is one.
    """
    from attune_dev.doctor.report import examine
    from attune_dev.reporting.text import clean_line

    report = examine(_Patient(Project(find_root())).checks())
    if json:
        print(json_module.dumps(report.to_dict(), indent=2))
    else:
        for line in report.lines():
            print(clean_line(line))
    if not report.ok:
        raise Exit(code=ExitCode.ACTION_FAILED)


class _Patient:
    """One project, looked at through what the other tasks look with."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.root = project.root

    def checks(self) -> Sequence[Check]:
        """All checks, in the order in which one may need another."""
        from attune_dev.doctor.report import Check

        stack = (ENGINE, "definitions")
        return (
            Check(ENGINE, lambda: self._setup(ENGINE)),
            Check("plugins", lambda: self._setup(*PLUGINS)),
            Check("base-images", self._base_images, (ENGINE,)),
            Check("loop", self._loop),
            Check("definitions", self._definitions, ("plugins",)),
            Check("dockerfiles", self._dockerfiles, ("definitions",)),
            Check("packs", self._packs, ("definitions",)),
            Check("pack-binaries", self._pack_binaries, ("definitions",)),
            Check("volume", self._volume, stack),
            Check("services", self._services, stack),
            Check("sources", self._sources, ("definitions",)),
            Check("remains", self._remains, stack),
        )

    @cached_property
    def report(self) -> SetupReport:
        from attune_dev.setup.ensure import check

        return check(self.root)

    @cached_property
    def watcher(self) -> Holder | None:
        from attune_dev.watching.lock import loop_of

        return loop_of(self.root)

    @cached_property
    def containers(self) -> tuple[ContainerState, ...]:
        return self.project.port.containers()

    @cached_property
    def statuses(self) -> list[tuple[PacksFolder, tuple[PackStatus, ...] | None]]:
        """Packs and their volumes as a running service sees them; no helper is started."""
        from attune_dev.cli.packs_state import volume_of
        from attune_dev.packs.status import packs_status

        folders = self.project.workspace.packs_folders
        volumes = [(folder, volume_of(self.project, folder)) for folder in folders]
        return [(f, packs_status(self.root, f, volume, files=True)) for f, volume in volumes]

    @property
    def _engine_answers(self) -> bool:
        return all(item.ok for item in self.report.items if item.name == ENGINE)

    # --- the checks

    def _setup(self, *names: str) -> Iterator[Finding]:
        from attune_dev.doctor.report import Finding

        for item in self.report.lacking:
            if item.name == ENGINE and item.name in names:
                what, _, why = item.why.partition("\n")
                yield Finding("", what or item.state.value, item.hint, why=why)
            elif item.name in names:
                found = f" ({item.found})" if item.found else ""
                what = f"{item.state.value}{found}, needed: {item.needed}"
                yield Finding(item.name, what, item.hint or "./inv setup", why=item.why)

    def _base_images(self) -> Iterator[Finding]:
        others = {item.name for item in self.report.items} - {ENGINE, *PLUGINS}
        return self._setup(*others)

    def _loop(self) -> Iterator[Finding]:
        from attune_dev.doctor.report import Finding, Level

        if self.watcher is not None:
            yield Finding("", f"this checkout is watched by {self.watcher}", level=Level.NOTE)

    def _definitions(self) -> Iterator[Finding]:
        from attune_dev.doctor.definitions import of_definitions

        return of_definitions(self.project.workspace)

    def _dockerfiles(self) -> Iterator[Finding]:
        from attune_dev.doctor.report import Finding
        from attune_dev.loading.rendered import render_dockerfiles, rendered_paths

        if not rendered_paths(self.root, self.project.workspace):
            return
        for change in render_dockerfiles(self.root, self.project.workspace):
            if change.needed:
                what = "is not what the crates call for now"
                yield Finding(change.path, what, "./inv dockerfiles")

    def _packs(self) -> Iterator[Finding]:
        from attune_dev.cli.packs import check_packs
        from attune_dev.doctor.report import Finding, Level

        for check in check_packs(self.project, ()):
            for problem in check.problems:
                level = Level.FAULT if problem.is_error else Level.NOTE
                place = f"{check.folder}/{problem.place}".rstrip("/")
                yield Finding(place, problem.message, problem.fix, level)

    def _pack_binaries(self) -> Iterator[Finding]:
        from attune_dev.cli.packs_state import states_of_binaries
        from attune_dev.doctor.report import Finding, Level
        from attune_dev.packs.stale import BinaryState

        asked = self.statuses if self._engine_answers else ()
        found = [(folder, statuses or ()) for folder, statuses in asked]
        for state in states_of_binaries(self.project, found):
            if state.state is not BinaryState.CURRENT:
                works = state.state in (BinaryState.UNKNOWN, BinaryState.DEVELOPMENT)
                level = Level.NOTE if works else Level.FAULT
                yield Finding(state.path, state.detail, "./inv pack-binaries", level)

    def _volume(self) -> Iterator[Finding]:
        from attune_dev.doctor.report import Finding, NotKnown
        from attune_dev.doctor.services import of_readers
        from attune_dev.packs.mounts import readers_of

        for folder, statuses in self.statuses:
            if statuses is None:
                raise NotKnown("no service runs that could be asked")
            for status in statuses:
                if not status.in_sync:
                    changed = [path for path, _ in (*status.delta, *status.drifted)]
                    name = f"{folder.root}/{status.name}"
                    what = f"{status.state.value} in the volume"
                    why = "\n".join([*changed[:3], *(["…"] if changed[3:] else [])])
                    yield Finding(name, what, "./inv packs.sync", why=why)
            yield from of_readers(readers_of(self.project.compose, self.containers, folder.volume))

    def _services(self) -> Iterator[Finding]:
        from attune_dev.doctor.services import of_services, of_swaps

        project, active = self.project, self.project.active()
        images = project.port.images(active) if active else {}
        current = project.port.current(active) if active and self.containers else frozenset()
        yield from of_services(project.compose, active, self.containers, images, current)
        yield from of_swaps(project.port.swapped(), watched=self.watcher is not None)

    def _sources(self) -> Iterator[Finding]:
        from attune_dev.cli.project import say
        from attune_dev.doctor.report import NotKnown
        from attune_dev.doctor.sources import of_sources
        from attune_dev.history.store import History

        if self.watcher is not None:
            raise NotKnown("an `inv dev` watches, and acts on what is saved")
        project = self.project
        runs = History(self.root, say).runs()
        yield from of_sources(self.root, project.workspace, project.active(), runs)

    def _remains(self) -> Iterator[Finding]:
        from attune_dev.doctor.remains import of_helpers, of_scratch

        yield from of_helpers(self.project.compose)
        yield from of_scratch(self.root)
