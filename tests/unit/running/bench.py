"""A fast path over a Docker in memory, with a compiler that says what it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attune_dev.docker.builder_run import CompileResult, Program
from attune_dev.docker.cancel import Cancel
from attune_dev.docker.cargo_call import CompileRequest
from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.docker.port import BuildRequest
from attune_dev.errors import AttuneDevError
from attune_dev.model.cargo import CargoModel
from attune_dev.model.dockerfile import ImageInputs
from attune_dev.model.plan import Action, ActionKind, Because, Plan
from attune_dev.model.swap import CompileStage, NotSwappable, Placement, Swappable
from attune_dev.model.workspace import Workspace
from attune_dev.packs import compile as packs
from attune_dev.running.doing import Tools
from attune_dev.running.executor import execute
from attune_dev.running.fast import FastPath
from attune_dev.running.outcome import RunResult
from attune_dev.running.ports import Talk
from attune_dev.running.update import ImageUpdate
from attune_dev.testing import FakeDocker, built_service, compose_project

if TYPE_CHECKING:
    from attune_dev.docker.feeding import Source
    from attune_dev.docker.port import OnBuildEvent

NAMES = ("api", "notifier", "odd")


STAGE = CompileStage("Dockerfile", "FROM rust AS build", "build", "", directory="/src")
DOES_NOT_COMPILE = "does not compile"


class Bench:
    """Compiles what ``port.sources`` says, and plays the repository.

    A program is its source's text. One that ``DOES_NOT_COMPILE``, or begins with ``error``, fails
    the call of cargo, with a package of its name.

    Args:
        root: of a repository whose workspace is given.
        workspace: for pack binaries; none where it is ``None``.
    """

    def __init__(self, root: Path | None = None, workspace: Workspace | None = None) -> None:
        self.port = FakeDocker(compose_project(*(built_service(name) for name in NAMES)))
        self.port.build(BuildRequest(NAMES))
        self.port.up(NAMES)
        self.port.calls.clear()
        self.said: list[str] = []
        self.requests: list[CompileRequest] = []
        self.problem: AttuneDevError | None = None
        self.forgotten = 0
        self.rests = 0
        images = ImageUpdate(self.port)
        self.imaged: list[str] = []
        self.left: frozenset[str] = frozenset()
        self.talk = Talk()
        self.workspace = workspace or Workspace(CargoModel(), self.port.project)
        self.fast = FastPath(
            root or Path(),
            lambda: self.workspace,
            self.port,
            images,
            self,
            self,
            self.said.append,
            self.by_image,
        )
        self.update = self.fast.services

    def run(self, *services: str, images: bool = False, **recreate: tuple[str, ...]) -> RunResult:
        """Builds and recreates, with further attributes of the second action."""
        causes = (Because("a.rs", "for the test"),)
        compiles = () if images else services
        plan = Plan(
            actions=(
                Action(1, ActionKind.BUILD, services, (), causes, services, compiles=compiles),
                Action(2, ActionKind.RECREATE, services, (1,), causes, **recreate),
            )
        )
        return self.execute(plan)

    def execute(self, plan: Plan) -> RunResult:
        """Runs a plan as the loop does."""
        self.fast.begin(plan, self.port, ImageUpdate(self.port))
        try:
            return execute(plan, Tools(self.port, update=self.update))
        finally:
            self.fast.end(plan)

    # the compilers

    def by_image(
        self, image: ImageInputs, names: Sequence[str], into: Path, talk: packs.Talk
    ) -> str:
        self.imaged += names
        return ""

    def start(self, stage: CompileStage, cancel: Cancel) -> None:
        return None

    def compile(
        self, request: CompileRequest, on_event: OnBuildEvent, cancel: Cancel
    ) -> CompileResult:
        self.requests.append(request)
        cancel.check()
        if self.problem is not None:
            raise self.problem
        broken = [n for n in request.programs if _breaks(self.port.sources[n])]
        if broken:
            raise BuildFailed(request.programs, why=self.port.sources[broken[0]], packages=broken)
        made = []
        for name in request.programs:
            digest = self.port.sources[name]
            known = digest in request.known
            made.append(Program(name, digest, None if known else digest.encode()))
        return CompileResult(tuple(made), sources="all")

    def rest(self) -> None:
        self.rests += 1

    def forget(self) -> None:
        self.forgotten += 1

    def close(self) -> None:
        return None

    # the repository

    def swappable(self, service: str) -> Swappable | NotSwappable:
        if service == "odd":
            return NotSwappable("it is odd")
        return Swappable(STAGE, (Placement(service, f"/bin/{service}"),))

    def binaries_stage(self, dockerfile: str) -> CompileStage | NotSwappable:
        return STAGE

    def concerned(self, packages: Iterable[str], programs: Iterable[str]) -> frozenset[str]:
        return frozenset(packages) & frozenset(programs) if packages else frozenset(programs)

    def left_out(self, stage: CompileStage) -> frozenset[str]:
        return self.left

    def read(self, stage: CompileStage) -> Mapping[str, Source]:
        return {}

    def packages(self, programs: Iterable[str]) -> tuple[str, ...]:
        return tuple(programs)

    def workspace_packages(self) -> tuple[str, ...]:
        return ("api",)

    def profile(self, stage: CompileStage) -> str:
        return "dev"

    def config(self) -> tuple[str, ...]:
        return ()

    def is_locked(self, paths: Iterable[str]) -> bool:
        return "Cargo.toml" not in paths

    def keep_lock(self, stage: CompileStage, lock: bytes, given: Mapping[str, Source]) -> str:
        return ""


def _breaks(source: str) -> bool:
    return DOES_NOT_COMPILE in source or source.startswith("error")
