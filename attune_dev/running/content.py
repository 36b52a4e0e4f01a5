"""Packs for the executor: the sync engine and the compile of pack binaries behind one port."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from attune_dev.packs import quick
from attune_dev.packs.check.programs import Programs
from attune_dev.packs.check.run import Checker, faults
from attune_dev.packs.helper import HelperSession
from attune_dev.packs.sync import sync_packs
from attune_dev.running.ports import ContentResult, PartlyDone
from attune_dev.running.update import mended, telling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from attune_dev.errors import ActionError
    from attune_dev.model.packs import PacksFolder
    from attune_dev.model.workspace import Workspace
    from attune_dev.packs.compile import Compiler
    from attune_dev.running.ports import Talk
    from attune_dev.running.update import Mend


class VolumePacks(ExitStack):
    """Packs in the volumes of one project (:class:`attune_dev.running.ports.PacksPort`).

    Use as a context manager where helpers are kept, so that they end with it.

    Args:
        root: repository root.
        workspace: gives the workspace as it is now.
        image: image for the helper container, and that programs of packs must fit.
        runner_types: runner types that the settings declare, for checks.
        keep_helper: whether helpers are kept between syncs, as the loop does.
        compiler: how pack binaries are compiled; by their Dockerfile where it is ``None``.
        mend: tells whether a build that failed is worth another try, and makes it so.
    """

    def __init__(
        self,
        root: Path,
        workspace: Callable[[], Workspace],
        *,
        image: str,
        runner_types: Sequence[str] = (),
        keep_helper: bool = False,
        compiler: Compiler | None = None,
        mend: Mend | None = None,
    ) -> None:
        super().__init__()
        self._root = root
        self._workspace = workspace
        self._image = image
        self._runner_types = runner_types
        self._checkers: dict[str, Checker] = {}
        self._keep = keep_helper
        self._compiler = compiler
        self._mend = mend or (lambda *_: False)
        self._sessions: dict[str, HelperSession] = {}

    def sync(self, packs: Sequence[str], talk: Talk) -> tuple[ContentResult, ...]:
        """See :class:`PacksPort`; packs that had to go are told behind those asked for.

        A pack that differs from the volume is checked first: one with errors stays as it is there.

        Raises:
            PartlyDone: a pack could not be synced; the others were.
            ActionError: the helper died, or the disk is full.
        """
        quick.forget(self._root)  # until whoever asked says that its readers have it, too
        found: dict[str, ContentResult] = {}
        problems: list[ActionError] = []
        for folder in self._workspace().packs_folders:
            talk.cancel.check()
            volume = self.volume(folder)
            report = sync_packs(
                self._root,
                folder,
                volume,
                image=self._image,
                project=self._workspace().compose.name,
                packs=tuple(packs),
                session=self._session(folder, volume),
                on_note=talk.on_line,
                check=partial(self._faults, folder.root),
            )
            for pack in report.packs:
                found[pack.name] = ContentResult(
                    pack.name, pack.touched, pack.detail, pack.seconds, pack.since, not pack.ok
                )
            if problem := report.failure():
                problems.append(problem)
        gone = [result for name, result in found.items() if name not in packs and result.changed]
        asked = [found.get(name) or ContentResult(name, changed=False) for name in packs]
        if problems:
            raise PartlyDone(problems[0], (*asked, *gone))
        return (*asked, *gone)

    def _faults(self, folder: str, names: Sequence[str]) -> dict[str, tuple[tuple[str, str], ...]]:
        """What is wrong with packs that are about to be synced."""
        if folder not in self._checkers:
            fits = Programs(lambda: self._image, self._root)
            self._checkers[folder] = Checker(self._root, folder, fits=fits)
        checker = self._checkers[folder]
        checker.binaries = binaries_of(self._workspace())
        checker.runner_types = self._runner_types
        return {check.name: faults(check) for check in checker.check(names) if check.errors}

    def build_binaries(self, names: Sequence[str], talk: Talk) -> tuple[ContentResult, ...]:
        """See :class:`PacksPort`."""
        from attune_dev.packs.binaries import build_pack_binaries  # reads ELF files: slow to import

        build = partial(
            build_pack_binaries,
            self._root,
            self._workspace(),
            tuple(names),
            talk=replace(talk, on_build=telling(talk)),
            image=self._image,
            compiler=self._compiler,
        )
        report = mended(build, self._mend, talk)
        return tuple(
            ContentResult(made.name, made.changed, made.detail, made.seconds) for made in report
        )

    def volume(self, folder: PacksFolder) -> str:
        """The name in Docker of the volume that a folder of packs fills."""
        return self._workspace().compose.volumes.get(folder.volume, folder.volume)

    def _session(self, folder: PacksFolder, volume: str) -> HelperSession | None:
        if not self._keep:
            return None
        if volume not in self._sessions:
            session = HelperSession(
                volume,
                image=self._image,
                project=self._workspace().compose.name,
                volume_key=folder.volume,
            )
            self._sessions[volume] = self.enter_context(session)
        return self._sessions[volume]


def binaries_of(workspace: Workspace) -> frozenset[str]:
    """Names of all Cargo binaries of a repository: a sensor may name one as its program."""
    packages = workspace.cargo.packages().values()
    return frozenset(name for package in packages for name in package.binaries)
