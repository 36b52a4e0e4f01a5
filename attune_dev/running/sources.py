"""What a repository says about compiling its programs beside the images, as it is now."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attune_dev.loading.compile_stage import load_binaries_stage, load_swappable
from attune_dev.loading.feed import FedFile, FeedReader
from attune_dev.packs.compile import agreed_args
from attune_dev.running.requests import concerned_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from attune_dev.docker.feeding import Source
    from attune_dev.model.swap import CompileStage, NotSwappable, Swappable
    from attune_dev.model.workspace import Workspace

LOCK = "Cargo.lock"
_MANIFESTS = frozenset(("Cargo.toml", LOCK))


class RepositorySources:
    """The sources of one repository (:class:`attune_dev.running.swap.SwapSources`).

    Args:
        root: repository root.
        workspace: gives the workspace as it was read last.
        release: whether to compile with the Dockerfile's own profile, not for development.
        on_lock: is told path and content of a lock file right before it is written.
    """

    def __init__(
        self,
        root: Path,
        workspace: Callable[[], Workspace],
        *,
        release: bool = False,
        on_lock: Callable[[str, bytes], None] = lambda *_: None,
    ) -> None:
        self._root = root
        self._workspace = workspace
        self._release = release
        self._on_lock = on_lock
        self._reader = FeedReader(root)
        self._read_for: Workspace | None = None
        self._swappable: dict[str, Swappable | NotSwappable] = {}
        self._stages: dict[str, CompileStage | NotSwappable] = {}

    def swappable(self, service: str) -> Swappable | NotSwappable:
        """See :class:`SwapSources`; found out once for each state of the definitions."""
        workspace = self._current()
        if service not in self._swappable:
            self._swappable[service] = load_swappable(self._root, workspace, service)
        return self._swappable[service]

    def _current(self) -> Workspace:
        """The workspace as it is; what was derived of another one is forgotten."""
        workspace = self._workspace()
        if self._read_for is not workspace:
            self._read_for = workspace
            self._swappable.clear()
            self._stages.clear()
        return workspace

    def binaries_stage(self, dockerfile: str) -> CompileStage | NotSwappable:
        """See :class:`SwapSources`."""
        workspace = self._current()
        if dockerfile not in self._stages:
            args = agreed_args(workspace)
            found = load_binaries_stage(self._root, workspace, dockerfile, args)
            self._stages[dockerfile] = found
        return self._stages[dockerfile]

    def concerned(self, packages: Iterable[str], programs: Iterable[str]) -> frozenset[str]:
        """See :class:`SwapSources`."""
        return concerned_programs(self._workspace(), packages, programs)

    def read(self, stage: CompileStage) -> Mapping[str, FedFile]:
        """See :class:`SwapSources`."""
        return self._reader.read(stage)

    def left_out(self, stage: CompileStage) -> frozenset[str]:
        """See :class:`SwapSources`."""
        return self._reader.left_out(stage)

    def packages(self, programs: Iterable[str]) -> tuple[str, ...]:
        """See :class:`SwapSources`."""
        found = (self._workspace().cargo.package_of_binary(name) for name in programs)
        return tuple(sorted({package.name for package in found if package is not None}))

    def workspace_packages(self) -> tuple[str, ...]:
        """See :class:`SwapSources`."""
        return tuple(sorted({p.name for p in self._workspace().cargo.packages().values()}))

    def profile(self, stage: CompileStage) -> str:
        """See :class:`SwapSources`."""
        return stage.profile if self._release and "*" not in stage.profile else "dev"

    def config(self) -> tuple[str, ...]:
        """See :class:`SwapSources`.

        Line tables are enough for backtraces and cost a part of the link; those of other people's
        crates are left out. What a manifest says about it itself stays as it is.
        """
        settings = ['profile.dev.debug="line-tables-only"', 'profile.dev.package."*".debug=false']
        for manifest in self._workspace().cargo.manifests.values():
            development = manifest.get("profile", {}).get("dev", {})
            if "debug" in development:
                settings[0] = ""
            if "*" in development.get("package", {}):
                settings[1] = ""
        return tuple(filter(None, settings))

    def is_locked(self, paths: Iterable[str]) -> bool:
        """See :class:`SwapSources`."""
        return not any(path.rpartition("/")[2] in _MANIFESTS for path in paths)

    def keep_lock(self, stage: CompileStage, lock: bytes, given: Mapping[str, Source]) -> str:
        """See :class:`SwapSources`; one that was saved meanwhile stays, and is a change."""
        name = f"{stage.directory}/{LOCK}"
        fed = self._reader.read(stage).get(name)
        if fed is None or fed.link:
            return ""
        if name not in given or given[name].digest != fed.digest:
            return f"{LOCK} was changed meanwhile: what cargo made of the earlier one is left"
        place = Path(fed.path)
        if place.read_bytes() == lock:
            return ""
        handle, draft = tempfile.mkstemp(dir=place.parent, prefix=f".{LOCK}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(lock)
            Path(draft).chmod(fed.mode)
            self._on_lock(place.relative_to(self._root).as_posix(), lock)
            Path(draft).replace(place)
        except BaseException:
            with suppress(OSError):
                Path(draft).unlink()
            raise
        return f"{place.relative_to(self._root)} is brought up to date with the manifests"
