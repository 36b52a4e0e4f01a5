"""One call of cargo for all that a plan compiles in a builder, whoever asks first."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from attune_dev.docker.cargo_call import CompileRequest
from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from attune_dev.docker.builder_image import BuilderLacksError
    from attune_dev.docker.builder_run import CompileResult
    from attune_dev.model.swap import CompileStage
    from attune_dev.packs.compile import Talk
    from attune_dev.running.swap_ports import Compiler, SwapSources


_STARVED = ("failed to run custom build command", "not defined at compile time")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants compiled in one builder.

    Attributes:
        stage: where and how.
        programs: Cargo binaries.
        known: SHA-256 of those whose bytes are there already.
        paths: the changed paths that are the cause.
    """

    stage: CompileStage
    programs: frozenset[str]
    known: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()

    def joined(self, other: Wanted) -> Wanted:
        """Both, in the same builder."""
        return replace(
            self,
            programs=self.programs | other.programs,
            known=self.known | other.known,
            paths=self.paths | other.paths,
        )


def by_builder(wanted: Iterable[Wanted]) -> dict[str, Wanted]:
    """What all of them want together, by the key of the builder."""
    found: dict[str, Wanted] = {}
    for one in wanted:
        known = found.get(one.stage.key)
        found[one.stage.key] = one if known is None else known.joined(one)
    return found


class OneCall:
    """Compiles, and keeps what one plan has compiled until the next.

    Args:
        compiler: the builder.
        sources: what the repository says.
        say: is told, once each, why something is not done here.

    Attributes:
        lacking: why there is no builder, empty where there is one.
    """

    def __init__(
        self, compiler: Compiler, sources: SwapSources, say: Callable[[str], None]
    ) -> None:
        self.lacking = ""
        self._compiler = compiler
        self._sources = sources
        self._say = say
        self._told: set[str] = set()
        self._lock = threading.Lock()
        self._wanted: dict[str, Wanted] = {}
        self._made: dict[str, CompileResult] = {}
        self._failed: dict[str, BuildFailed] = {}
        self._raised: set[str] = set()

    def begin(self, wanted: Iterable[Wanted] = ()) -> None:
        """Takes in what the actions of a plan will ask for; what was kept until now is let go."""
        self._made.clear()
        self._failed.clear()
        self._raised.clear()
        self._wanted = by_builder(wanted)

    def compile(self, wanted: Wanted, talk: Talk) -> CompileResult:
        """Compiles for all who want something of the same builder, or gives what that call made.

        Where it fails for others alone, a second call compiles what is wanted here.

        Raises:
            BuildFailed: with the compiler's own message.
            BuilderLacksError: it cannot be done here.
            ActionError: a source cannot be read.
            Interrupted: it was cancelled.
        """
        key = wanted.stage.key
        with self._lock:
            together = self._wanted.get(key, wanted)
            if not wanted.programs <= together.programs:
                together = wanted
            if key not in self._made and key not in self._failed:
                try:
                    self._made[key] = self.alone(together, talk)
                except BuildFailed as failure:
                    self._failed[key] = failure
            if failed := self._failed.get(key):
                if self._sources.concerned(failed.packages, wanted.programs):
                    briefly = key in self._raised
                    self._raised.add(key)
                    raise failed.only(sorted(wanted.programs), briefly=briefly)
                return self.alone(wanted, talk)
            made = self._made[key]
            if wanted.programs <= {program.name for program in made.programs}:
                return made
            return self.alone(wanted, talk)

    def alone(self, wanted: Wanted, talk: Talk, *, bring: bool = True) -> CompileResult:
        """Compiles what is wanted and nothing else, now.

        Args:
            wanted: what.
            talk: is told the progress, and ends it.
            bring: whether the bytes of the programs are needed.

        Raises:
            As :meth:`compile`.
        """
        stage, sources = wanted.stage, self._sources
        try:
            files = sources.read(stage)
        except OSError as problem:
            why = problem.strerror or str(problem)
            raise ActionError("a source cannot be read", why=why, file=problem.filename) from None
        request = CompileRequest(
            stage,
            files,
            tuple(sorted(wanted.programs)),
            sources.packages(wanted.programs),
            sources.workspace_packages(),
            profile=sources.profile(stage),
            locked=sources.is_locked(wanted.paths),
            known=wanted.known,
            config=sources.config(),
            bring=bring,
        )
        made = self._compiler.compile(request, talk.on_build, talk.cancel)
        if made.lock is not None and not request.locked:
            talk.on_line(sources.keep_lock(stage, made.lock, files) or "Cargo.lock fits")
        return made

    def rest(self) -> None:
        """Nothing is compiled for now: the builder gets ready for the next call."""
        self._compiler.rest()

    def starved(self, stage: CompileStage, failure: BuildFailed) -> str:
        """Why a failure may come of what the builder is not given, empty where it does not.

        A build script that asks git for the revision finds it where the Dockerfile copies ``.git``.
        """
        left_out = sorted(self._sources.left_out(stage))
        if not left_out or not any(words in failure.why for words in _STARVED):
            return ""
        return f"a build script fails in the builder, which is not given {', '.join(left_out)}"

    def lack(self, problem: BuilderLacksError) -> None:
        """Notes that there is no builder, and says so."""
        self.lacking = problem.what
        self.tell(f"code gets into containers through images: {'; '.join(problem.lines())}")

    def tell(self, text: str) -> None:
        """Says something once."""
        if text not in self._told:
            self._told.add(text)
            self._say(text)

    def say(self, text: str) -> None:
        """Says something."""
        self._say(text)
