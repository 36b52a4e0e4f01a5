"""Pack binaries by the fast path: compiled in the builder, together with the services' programs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from attune_dev.docker.builder_image import BuilderLacksError
from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.errors import ActionError, ConfigError
from attune_dev.model.plan import ActionKind
from attune_dev.model.swap import NotSwappable
from attune_dev.packs.compile import ImageCompiler
from attune_dev.planning.graph import find_pack_binaries
from attune_dev.running.one_call import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from attune_dev.docker.builder_run import Program
    from attune_dev.model.dockerfile import ImageInputs
    from attune_dev.model.plan import Plan
    from attune_dev.model.workspace import Workspace
    from attune_dev.packs.compile import Compiler, Talk
    from attune_dev.running.one_call import OneCall
    from attune_dev.running.swap_ports import SwapSources
    from attune_dev.running.warm import WarmUp


class PackPrograms:
    """Compiles pack binaries in the builder, else by their Dockerfile (``packs.Compiler``).

    Args:
        root: repository root.
        workspace: gives the workspace as it is now.
        call: compiles.
        sources: what the repository says.
        warm: is ended by any compile.
        otherwise: compiles where that cannot be done in the builder; a build of their Dockerfile
            where it is ``None``.
    """

    def __init__(
        self,
        root: Path,
        workspace: Callable[[], Workspace],
        call: OneCall,
        sources: SwapSources,
        warm: WarmUp,
        otherwise: Compiler | None = None,
    ) -> None:
        self._otherwise = otherwise
        self._root = root
        self._workspace = workspace
        self._call = call
        self._sources = sources
        self._warm = warm
        self._paths: frozenset[str] = frozenset()
        self._fit: frozenset[str] = frozenset()
        self._read: dict[Path, tuple[tuple[int, ...], str]] = {}
        self.placed: dict[str, str] = {}
        """Path to profile of what was compiled with another profile than the Dockerfile's."""

    def wanted(self, plan: Plan) -> list[Wanted]:
        """What the actions of a plan will ask for; from now on this plan is the one at work."""
        actions = plan.of(ActionKind.BUILD_PACK_BINARIES)
        self._paths = frozenset(path for action in actions for path in action.paths)
        self._fit = frozenset(name for action in actions for name in action.compiles)
        return self.all(self._fit)

    def all(self, names: Iterable[str] | None = None) -> list[Wanted]:
        """Pack binaries by builder; all where none is named."""
        from attune_dev.packs.binaries import by_dockerfile  # reads ELF files: slow to import

        chosen = sorted(find_pack_binaries(self._workspace()) if names is None else names)
        if not chosen or self._call.lacking:
            return []
        try:
            listed = by_dockerfile(self._workspace(), chosen)
        except ConfigError:
            return []  # told by the action itself
        found = []
        for image, some in listed:
            stage = self._sources.binaries_stage(image.dockerfile)
            if not isinstance(stage, NotSwappable):
                found.append(
                    Wanted(stage, frozenset(some), frozenset(self._there(some)), self._paths)
                )
        return found

    def __call__(self, image: ImageInputs, names: Sequence[str], into: Path, talk: Talk) -> str:
        """See :class:`attune_dev.packs.compile.Compiler`."""
        self._warm.end()
        stage = self._sources.binaries_stage(image.dockerfile)
        if isinstance(stage, NotSwappable):
            self._call.tell(f"pack binaries are compiled by {image.dockerfile}: {stage.reason}")
        if isinstance(stage, NotSwappable) or self._call.lacking or not self._fit >= set(names):
            return self._by_image(image, names, into, talk)
        there = self._there(names)
        wanted = Wanted(stage, frozenset(names), frozenset(there), self._paths)
        try:
            made = {program.name: program for program in self._call.compile(wanted, talk).programs}
        except BuilderLacksError as problem:
            self._call.lack(problem)
            return self._by_image(image, names, into, talk)
        except BuildFailed as failure:
            if not (why := self._call.starved(stage, failure)):
                raise
            self._call.tell(f"pack binaries are compiled by {image.dockerfile}: {why}")
            return self._by_image(image, names, into, talk)
        into.mkdir(exist_ok=True)
        for name in names:
            if name in made:
                self._write(made[name], there, into / name)
        profile = self._sources.profile(stage)
        profile = "" if profile == stage.profile else profile
        for name in names:
            self._note(name, profile)
        return profile

    def _by_image(self, image: ImageInputs, names: Sequence[str], into: Path, talk: Talk) -> str:
        for name in names:
            self._note(name, "")
        otherwise = self._otherwise or ImageCompiler(self._root, self._workspace())
        return otherwise(image, names, into, talk)

    def _note(self, name: str, profile: str) -> None:
        for placed in find_pack_binaries(self._workspace()).get(name, ()):
            self.placed.pop(placed.path, None)
            if profile:
                self.placed[placed.path] = profile

    def _there(self, names: Iterable[str]) -> dict[str, Path]:
        """SHA-256 to file of the binaries that are in all their places."""
        found: dict[str, Path] = {}
        for name in names:
            places = [self._root / b.path for b in find_pack_binaries(self._workspace())[name]]
            try:
                digests = {self._digest(place) for place in places}
            except OSError:
                continue
            if len(digests) == 1:
                found[digests.pop()] = places[0]
        return found

    def _digest(self, place: Path) -> str:
        """SHA-256 of a binary; read once for as long as it is the same file."""
        seen = place.stat()
        signature = (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
        if place not in self._read or self._read[place][0] != signature:
            self._read[place] = signature, hashlib.sha256(place.read_bytes()).hexdigest()
        return self._read[place][1]

    @staticmethod
    def _write(program: Program, there: dict[str, Path], file: Path) -> None:
        content = program.content
        if content is None:  # it is in its places already
            place = there.get(program.digest)
            content = place.read_bytes() if place is not None else b""
            if hashlib.sha256(content).hexdigest() != program.digest:
                raise ActionError(f"{file.name} was replaced meanwhile", hint="save again")
        file.write_bytes(content)
