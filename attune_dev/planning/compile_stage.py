"""What of a Dockerfile compiles a service's programs, and where they go in its image (pure).

The stage in which cargo runs is taken without its sources and without the compile: what is left
makes an image of the tools. Sources reach it by content, cargo is called in it, and the programs
go where the final stage copies them to. Whatever cannot be followed with certainty is told as a
reason, and the service gets its code through its image.
"""

from __future__ import annotations

import posixpath
import re
from functools import partial
from typing import TYPE_CHECKING

from attune_dev.model.swap import CompileStage, Feed, NotSwappable, Placement, Swappable
from attune_dev.planning.before_compile import given_by_arguments, unfollowed, works_for_cargo
from attune_dev.planning.globs import within
from attune_dev.planning.idle_args import Part, head_parts, used_args, without_idle_args
from attune_dev.planning.image_facts import shell_text
from attune_dev.planning.image_shipped import placed_binaries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from attune_dev.model.compose import BuildConfig
    from attune_dev.model.dockerfile import CargoBuild, Dockerfile, Instruction, Stage
    from attune_dev.planning.image_facts import StageFacts
    from attune_dev.planning.image_stages import Stages

_ARCHIVE = re.compile(r"\.(tar|tgz|tbz2?|txz|tar\.\w+)$")


class _ReasonError(Exception):
    pass


def swappable(
    stages: Stages,
    build: BuildConfig,
    text: str,
    final: int,
    binaries: frozenset[str],
    *,
    ignore: tuple[str, ...] = (),
) -> Swappable | NotSwappable:
    """How a service's programs are compiled and placed.

    Args:
        stages: of its Dockerfile, for its arguments.
        build: its build section.
        text: the Dockerfile.
        final: index of the stage that it runs.
        binaries: the Cargo binaries that its image ships.
        ignore: lines of the ``.dockerignore`` in force.
    """
    try:
        return _Derivation(stages, build, text, final, ignore).result(binaries)
    except _ReasonError as reason:
        return NotSwappable(str(reason))


def compile_stage(
    stages: Stages, build: BuildConfig, text: str, final: int, *, ignore: tuple[str, ...] = ()
) -> CompileStage | NotSwappable:
    """How a Dockerfile that hands over files, and is no service's, compiles them.

    Args:
        stages: of the Dockerfile, for its arguments.
        build: where it is built.
        text: the Dockerfile.
        final: index of the stage that hands over.
        ignore: lines of the ``.dockerignore`` in force.
    """
    try:
        return _Derivation(stages, build, text, final, ignore).stage()
    except _ReasonError as reason:
        return NotSwappable(str(reason))


class _Derivation:
    def __init__(
        self, stages: Stages, build: BuildConfig, text: str, final: int, ignore: tuple[str, ...]
    ) -> None:
        self._stages = stages
        self._dockerfile: Dockerfile = stages.dockerfile
        self._build = build
        self._lines = text.split("\n")
        above = self._lines[: self._dockerfile.stages[0].line - 1]
        self._head = head_parts(above, self._dockerfile.escape)
        self._final = final
        self._ignore = ignore
        self._clean: dict[int, bool] = {}
        self._order: list[int] = []

    def result(self, binaries: frozenset[str]) -> Swappable:
        if not binaries:
            raise _ReasonError("no Cargo binary of the repository is in its image")
        stage = self.stage()
        if any(facts.builds for facts in self._stages.chain(self._final)):
            raise _ReasonError("its image is the stage that compiles")
        return Swappable(stage, self._placements(binaries))

    def stage(self) -> CompileStage:
        if self._build.context.startswith(("/", "..")):
            raise _ReasonError("its build context is outside of the repository")
        return self._stage(*self._compiling())

    # --- where cargo runs

    def _compiling(self) -> tuple[int, CargoBuild]:
        found = [
            (index, build)
            for index in self._used(self._final)
            for build in self._stages.facts(index).builds
        ]
        if not found:
            raise _ReasonError("no step of its Dockerfile is seen to call cargo")
        where = {index for index, _ in found}
        if len(where) > 1:
            raise _ReasonError("several stages of its Dockerfile compile")
        index, cargo = found[-1]
        if "*" in cargo.directory or cargo.directory == "/":
            raise _ReasonError("the folder in which cargo is called is not known")
        if any("*" in word for word in (*cargo.options, *cargo.environment, cargo.manifest)):
            raise _ReasonError("what cargo is given is known only to the build")
        builds = [build for _, build in found]
        takes = partial(self._puts_into, directory=cargo.directory)
        if why := unfollowed(self._stages, index, builds, takes):
            raise _ReasonError(why)
        return index, cargo

    def _used(self, final: int) -> list[int]:
        used: set[int] = set()
        todo = [final]
        while todo:
            index = todo.pop()
            if index not in used:
                used.add(index)
                todo += self._stages.facts(index).uses
        return sorted(used)

    # --- the stage without sources and compile

    def _stage(self, index: int, cargo: CargoBuild) -> CompileStage:
        chain = self._stages.chain(index)
        directory = cargo.directory
        if cargo.manifest:
            folder = posixpath.dirname(posixpath.join(directory, cargo.manifest))
            directory = posixpath.normpath(folder)
        feeds = tuple(feed for facts in chain for feed in self._feeds(facts, directory))
        parts = without_idle_args([*self._head, *self._kept(index, directory, cargo.line)])
        lines = [line for _, text in parts for line in text]
        last = self._dockerfile.stages[index]
        return CompileStage(
            dockerfile=self._dockerfile.path,
            text="\n".join(lines) + "\n",
            target=last.name or str(self._order.index(index)),
            context=self._build.context,
            additional_contexts=self._build.additional_contexts,
            args=used_args(self._build.args, parts),
            directory=directory,
            feeds=feeds,
            ignore=self._ignore,
            environment=(*given_by_arguments(chain[-1], last, cargo.line), *cargo.environment),
            options=cargo.options,
            profile=cargo.profile,
            by_package=bool(cargo.packages) and "*" not in cargo.packages,
        )

    def _feeds(self, facts: StageFacts, directory: str) -> Iterator[Feed]:
        """What a stage takes of the context: all of it may be compiled, wherever it is put."""
        stage = self._dockerfile.stages[facts.index]
        steps = {step.line: step for step in stage.instructions}
        taken = {(each.line, each.source): each for each in facts.taken if each.stage == -1}
        for source in facts.sources:
            step = steps.get(source.line)
            if source.how == "FROM" or source.context != self._build.context:
                raise _ReasonError("its compile reads more than one build context")
            if step is None or (source.how == "ADD" and _ARCHIVE.search(source.pattern)):
                raise _ReasonError("what its compile reads cannot be followed")
            if source.how == "bind" and not self._dropped(facts.index, step, directory):
                continue
            place = taken.get((source.line, f"/{source.pattern}"))
            inside = place is not None and place.inside
            yield Feed(source.context, source.pattern, source.destination, inside, source.exclude)

    def _needed(self, index: int, directory: str) -> list[int]:
        """The stages that the tools' image is made of, in file order."""
        needed: set[int] = set()
        todo = [index]
        while todo:
            at = todo.pop()
            if at in needed:
                continue
            needed.add(at)
            base = self._stages.facts(at).base
            todo += [] if base is None else [base]
            for step in self._dockerfile.stages[at].instructions:
                if not self._dropped(at, step, directory):
                    todo += self._origins(at, step)
        return sorted(needed)

    def _kept(self, index: int, directory: str, behind: int) -> list[Part]:
        parts: list[Part] = []
        self._order = self._needed(index, directory)
        for at in self._order:
            stage = self._dockerfile.stages[at]
            parts.append(("FROM", self._text(stage.line, self._starts(stage)[0])))
            for step, end in zip(stage.instructions, self._starts(stage)[1:], strict=True):
                if self._dropped(at, step, directory) or (at == index and step.line > behind):
                    continue
                if step.keyword in ("COPY", "ADD") and self._puts_into(at, step, directory):
                    raise _ReasonError("another stage makes files that its compile reads")
                parts.append((step.keyword, self._text(step.line, end)))
        return parts

    def _starts(self, stage: Stage) -> list[int]:
        """The first lines of a stage's instructions, and the line behind the stage."""
        stages = self._dockerfile.stages
        behind = (
            stages[stage.index + 1].line if stage.index + 1 < len(stages) else len(self._lines) + 1
        )
        return [*(step.line for step in stage.instructions), behind]

    def _text(self, first: int, behind: int) -> tuple[str, ...]:
        """The lines of an instruction, without the comments that follow it."""
        lines = self._lines[first - 1 : behind - 1]
        while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
            lines.pop()
        return tuple(lines)

    def _dropped(self, index: int, step: Instruction, directory: str) -> bool:
        """Whether a step brings sources in, compiles, or takes what came of that."""
        if step.keyword == "RUN":
            self._allow_mounts(step)
            return works_for_cargo(shell_text(step)) or self._compiles(index, step)
        if step.keyword not in ("COPY", "ADD"):
            return False
        if step.heredocs:
            raise _ReasonError("its Dockerfile holds files that its compile may read")
        if "parents" in step.flags:
            raise _ReasonError("`COPY --parents` is not followed")
        origins = self._origins(index, step)
        if origins:
            return any(not self._is_clean(origin, directory) for origin in origins)
        return "from" not in step.flags and self._puts_into(index, step, directory)

    def _compiles(self, index: int, step: Instruction) -> bool:
        return any(build.line == step.line for build in self._stages.facts(index).builds)

    def _allow_mounts(self, step: Instruction) -> None:
        kinds = {mount.kind for mount in step.mounts}
        if kinds & {"secret", "ssh"}:
            raise _ReasonError("its compile is given secrets")

    def _is_clean(self, index: int, directory: str) -> bool:
        """Whether a stage makes what it makes without the sources of the compile."""
        if index not in self._clean:
            self._clean[index] = True  # a circle is no stage's fault
            facts = self._stages.facts(index)
            below = [] if facts.base is None else [facts.base]
            steps = self._dockerfile.stages[index].instructions
            reads = [origin for step in steps for origin in self._origins(index, step)]
            dropped = any(self._dropped(index, step, directory) for step in steps)
            self._clean[index] = not dropped and all(
                self._is_clean(each, directory) for each in (*below, *reads)
            )
        return self._clean[index]

    def _origins(self, index: int, step: Instruction) -> list[int]:
        """The stages that a step takes files from."""
        names = [step.flags["from"]] if "from" in step.flags else []
        names += [mount.from_ for mount in step.mounts if mount.from_]
        found = (self._stages.find(name, index) for name in names)
        return [origin for origin in found if origin is not None]

    def _puts_into(self, index: int, step: Instruction, directory: str) -> bool:
        places = {t.path for t in self._stages.facts(index).taken if t.line == step.line}
        places |= {s.destination for s in self._stages.facts(index).sources if s.line == step.line}
        return any(within(p, directory) or within(directory, p.rstrip("/")) for p in places)

    # --- where the programs go

    def _placements(self, binaries: frozenset[str]) -> tuple[Placement, ...]:
        placed = placed_binaries(self._stages, self._final, binaries)
        missing = sorted(binaries - set(placed.values()))
        if missing:
            raise _ReasonError(f"where {', '.join(missing)} is in its image is not known")
        for facts in self._stages.chain(self._final):
            for step in self._dockerfile.stages[facts.index].instructions:
                if step.keyword == "RUN" and _names_one(shell_text(step), placed):
                    raise _ReasonError("its Dockerfile works on the program after copying it")
        return tuple(Placement(binary, path) for path, binary in sorted(placed.items()))


def _names_one(text: str, paths: Iterable[str]) -> bool:
    return any(re.search(rf"{re.escape(posixpath.basename(p))}(?![\w-])", text) for p in paths)
