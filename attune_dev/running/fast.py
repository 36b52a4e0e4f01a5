"""The fast path of one loop: services' programs and pack binaries from one builder."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attune_dev.planning.together import compiles
from attune_dev.running.one_call import OneCall
from attune_dev.running.pack_programs import PackPrograms
from attune_dev.running.swap import SwapUpdate
from attune_dev.running.warm import WarmUp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from attune_dev.docker.port import DockerPort
    from attune_dev.model.plan import Plan
    from attune_dev.model.workspace import Workspace
    from attune_dev.packs import compile as packs
    from attune_dev.running.swap_ports import Compiler, SwapSources
    from attune_dev.running.update import ImageUpdate


class FastPath:
    """Compiles in a builder container while a loop runs.

    Args:
        root: repository root.
        workspace: gives the workspace as it is now.
        port: the engine.
        images: the way through images.
        compiler: the builder.
        sources: what the repository says.
        say: is told, once each, why something goes another way, and what is done beside.
        by_image: compiles pack binaries where the builder cannot; a build of their Dockerfile
            where it is ``None``.

    Attributes:
        services: how services get new code.
        binaries: how pack binaries are compiled.
    """

    def __init__(
        self,
        root: Path,
        workspace: Callable[[], Workspace],
        port: DockerPort,
        images: ImageUpdate,
        compiler: Compiler,
        sources: SwapSources,
        say: Callable[[str], None],
        by_image: packs.Compiler | None = None,
    ) -> None:
        self._compiler = compiler
        self._call = OneCall(compiler, sources, say)
        self._warm = WarmUp(self._call)
        self._guard = threading.Lock()
        self._compiling = False
        self.services = SwapUpdate(port, images, compiler, sources, self._call, self._warm)
        self.binaries = PackPrograms(root, workspace, self._call, sources, self._warm, by_image)

    def begin(self, plan: Plan, port: DockerPort, images: ImageUpdate) -> None:
        """A plan is about to run, on an engine port for the definitions as they are now.

        Plans that compile nothing may run beside one that does.
        """
        self.services.use(port, images)
        if not compiles(plan):
            return
        with self._guard:
            self._compiling = True
        self._call.begin([*self.binaries.wanted(plan), *self.services.wanted(plan)])

    def end(self, plan: Plan) -> None:
        """The plan has run: what was kept for its actions is let go."""
        if not compiles(plan):
            return
        self.services.forget_looks()
        self._call.begin()
        self._call.rest()
        with self._guard:
            self._compiling = False

    def warm(self, services: Iterable[str]) -> None:
        """Compiles everything beside, so that the first save finds a warm target folder.

        Where a plan compiles it is left to the end of that one.
        """
        with self._guard:
            if not self._compiling:
                self._warm.start([*self.services.all(services), *self.binaries.all()])

    def close(self) -> None:
        """Ends the builder."""
        self._warm.end()
        self._compiler.close()
