"""What the fast path needs: who compiles, and what the repository says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from attune_dev.docker.builder_run import CompileResult
    from attune_dev.docker.cancel import Cancel
    from attune_dev.docker.cargo_call import CompileRequest
    from attune_dev.docker.feeding import Source
    from attune_dev.docker.port import OnBuildEvent
    from attune_dev.model.swap import CompileStage, NotSwappable, Swappable


class Compiler(Protocol):
    """Compiles programs beside the images (:class:`attune_dev.docker.builder.Builder`)."""

    def start(self, stage: CompileStage, cancel: Cancel) -> None:
        """Has what it needs running."""
        ...

    def compile(
        self, request: CompileRequest, on_event: OnBuildEvent, cancel: Cancel
    ) -> CompileResult:
        """Compiles."""
        ...

    def rest(self) -> None:
        """Nothing is asked for now; it can get ready for the next time."""
        ...

    def forget(self) -> None:
        """What it is made of has changed."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


class SwapSources(Protocol):
    """What the repository says about compiling (:class:`attune_dev.running.sources`)."""

    def swappable(self, service: str) -> Swappable | NotSwappable:
        """How a service's programs are compiled and placed, by the files as they were read."""
        ...

    def binaries_stage(self, dockerfile: str) -> CompileStage | NotSwappable:
        """How a Dockerfile compiles pack binaries, by the files as they were read."""
        ...

    def concerned(self, packages: Iterable[str], programs: Iterable[str]) -> frozenset[str]:
        """The programs that cannot be made where packages do not compile.

        All of them where it is not known which packages, or a package is not the repository's.
        """
        ...

    def read(self, stage: CompileStage) -> Mapping[str, Source]:
        """The sources as they are on disk."""
        ...

    def left_out(self, stage: CompileStage) -> frozenset[str]:
        """Folders that a build of the Dockerfile would have, and the sources read last have not."""
        ...

    def packages(self, programs: Iterable[str]) -> tuple[str, ...]:
        """The packages of Cargo binaries."""
        ...

    def workspace_packages(self) -> tuple[str, ...]:
        """All packages of the repository."""
        ...

    def profile(self, stage: CompileStage) -> str:
        """The profile to compile with."""
        ...

    def config(self) -> tuple[str, ...]:
        """Settings of cargo that the repository leaves open."""
        ...

    def is_locked(self, paths: Iterable[str]) -> bool:
        """Whether a lock file must fit after these paths changed."""
        ...

    def keep_lock(self, stage: CompileStage, lock: bytes, given: Mapping[str, Source]) -> str:
        """Writes a lock file that cargo has updated; what was done, empty where nothing was.

        Args:
            stage: in which builder.
            lock: its content.
            given: the sources that cargo was given.
        """
        ...
