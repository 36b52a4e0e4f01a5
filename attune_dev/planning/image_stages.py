"""One stage of a Dockerfile for given build arguments: what it reads, runs and puts where."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from attune_dev.errors import ConfigError
from attune_dev.model.compose import BuildConfig
from attune_dev.model.dockerfile import (
    CargoBuild,
    Dockerfile,
    Instruction,
    RunMount,
    SourcePattern,
    Stage,
)
from attune_dev.planning.image_cargo import cargo_build, placements
from attune_dev.planning.image_facts import Places, StageFacts, Taken, rooted, shell_text, through
from attune_dev.planning.image_ignore import clean_source, source_matches
from attune_dev.planning.image_words import expand
from attune_dev.planning.shell_run import Call, Followed, Shell
from attune_dev.planning.shell_words import UNKNOWN, Scope

_VALUE_LIMIT = 100_000
_REMOTE = ("http://", "https://", "git@", "git://", "ssh://")


class Stages:
    """Goes through the stages of one Dockerfile as far as they are asked for.

    Args:
        dockerfile: parsed.
        build: target, arguments and contexts.
        predefined: arguments that BuildKit sets, such as ``TARGETARCH``.
        scripts: texts of context files by path relative to the context, for following them.
    """

    def __init__(
        self,
        dockerfile: Dockerfile,
        build: BuildConfig,
        predefined: Mapping[str, str],
        scripts: Mapping[str, str],
    ) -> None:
        self.dockerfile = dockerfile
        self._build = build
        self._texts = tuple(sorted(scripts.items()))
        self._given = {k: v for k, v in build.args.items() if v is not None}
        self._facts: dict[int, StageFacts] = {}
        self.global_args = dict(predefined)
        for name, default in dockerfile.global_args.items():
            if name in self._given:
                self.global_args[name] = self._given[name]
            elif default is not None:
                self.global_args[name] = self._expand(default, self.global_args)

    def find(self, reference: str, before: int) -> int | None:
        """The stage that a name or number means, among those before ``before``."""
        stages = self.dockerfile.stages[:before]
        for stage in reversed(stages):
            if stage.name and stage.name == reference.lower():
                return stage.index
        if reference.isdigit() and int(reference) < len(stages):
            return int(reference)
        return None

    def facts(self, index: int) -> StageFacts:
        """What a stage does.

        Raises:
            ConfigError: its base image is empty once arguments are substituted.
        """
        if index not in self._facts:
            self._facts[index] = self._gothrough(self.dockerfile.stages[index])
        return self._facts[index]

    def chain(self, index: int) -> list[StageFacts]:
        """A stage and the stages it starts from, the first one first."""
        found: list[StageFacts] = []
        at: int | None = index
        while at is not None:
            found.append(self.facts(at))
            at = found[-1].base
        return found[::-1]

    def _gothrough(self, stage: Stage) -> StageFacts:
        facts = StageFacts(stage.index)
        base = self._expand(stage.base, self.global_args)
        if not base:
            raise ConfigError(
                f"the base image `{stage.base}` is empty",
                why="an ARG in it has no value",
                file=self.dockerfile.path,
                line=stage.line,
            )
        inherited: list[Instruction] = []
        folder = self._context_of(base)
        facts.base = None if folder is not None else self.find(base, stage.index)
        if facts.base is not None:
            below = self.facts(facts.base)
            facts.env, facts.workdir = dict(below.env), below.workdir
            facts.uses.add(facts.base)
            inherited = below.triggers
        elif folder is not None:
            self._from_context(facts, folder, stage)
        elif base != "scratch":
            facts.images.add(base)
        for instruction in (*inherited, *stage.instructions):
            self._instruction(facts, instruction)
        return facts

    def _from_context(self, facts: StageFacts, folder: str, stage: Stage) -> None:
        if "://" in folder or folder.startswith(("service:", "target:")):
            facts.images.add(folder.removeprefix("docker-image://"))
        else:
            facts.sources.append(SourcePattern("", folder, "/", "FROM", stage.line))

    def _context_of(self, name: str) -> str | None:
        """The additional context that stands for a stage or an image of this name."""
        return self._build.additional_contexts.get(name)

    def _expand(self, text: str, values: Mapping[str, str]) -> str:
        value = expand(text, values, escape=self.dockerfile.escape)
        if len(value) > _VALUE_LIMIT:
            raise ConfigError("arguments grow without end", file=self.dockerfile.path)
        return value

    def _values(self, facts: StageFacts) -> dict[str, str]:
        return {**facts.args, **facts.env}

    def _instruction(self, facts: StageFacts, instruction: Instruction) -> None:
        keyword = instruction.keyword
        if keyword == "ARG":
            for word in instruction.words:
                self._arg(facts, word)
        elif keyword == "ENV":
            values = self._values(facts)
            for word in instruction.words:
                name, _, value = word.partition("=")
                facts.env[self._expand(name, values)] = self._expand(value, values)
        elif keyword == "WORKDIR":
            path = self._expand(instruction.value, self._values(facts))
            facts.workdir = posixpath.normpath(posixpath.join(facts.workdir, path))
        elif keyword in ("COPY", "ADD"):
            self._copy(facts, instruction)
        elif keyword == "RUN":
            self._run(facts, instruction)
        elif keyword == "ONBUILD" and instruction.trigger is not None:
            facts.triggers.append(instruction.trigger)

    def _arg(self, facts: StageFacts, word: str) -> None:
        name, has, default = word.partition("=")
        if name in self._given:
            facts.args[name] = self._given[name]
        elif has:
            facts.args[name] = self._expand(default, self._values(facts))
        elif name in self.global_args:
            facts.args[name] = self.global_args[name]

    def _copy(self, facts: StageFacts, instruction: Instruction) -> None:
        values = self._values(facts)
        words = [self._expand(word, values) for word in instruction.words]
        sources, target = words[:-1], words[-1]
        path = posixpath.normpath(posixpath.join(facts.workdir, target))
        several = len(sources) + len(instruction.heredocs) > 1
        inside = several or target.endswith("/") or target == "." or path == facts.workdir
        exclude = (
            tuple(instruction.flags.get("exclude", "").split("\n"))
            if ("exclude" in instruction.flags)
            else ()
        )
        origin = self._origin(facts, self._expand(instruction.flags.get("from", ""), values))
        for source in sources:
            if isinstance(origin, str):
                if instruction.keyword == "ADD" and source.startswith(_REMOTE):
                    continue
                pattern = clean_source(source)
                facts.sources.append(
                    SourcePattern(
                        pattern, origin, path, instruction.keyword, instruction.line, exclude
                    )
                )
                facts.taken.append(Taken(path, f"/{pattern}", -1, inside, origin, instruction.line))
            else:
                taken = Taken(path, rooted(source), origin, inside, line=instruction.line)
                facts.taken.append(taken)
                if origin >= 0:
                    facts.shipped.append(taken)

    def _origin(self, facts: StageFacts, reference: str) -> str | int:
        """A context's folder, or the index of a stage, or -2 for an image."""
        if not reference:
            return self._build.context
        folder = self._context_of(reference)
        if folder is not None:
            if "://" in folder or folder.startswith(("service:", "target:")):
                facts.images.add(folder.removeprefix("docker-image://"))
                return -2
            return folder
        stage = self.find(reference, facts.index)
        if stage is not None:
            facts.uses.add(stage)
            return stage
        facts.images.add(reference)
        return -2

    def _run(self, facts: StageFacts, instruction: Instruction) -> None:
        values = self._values(facts)
        mounted = [
            taken
            for mount in instruction.mounts
            if (taken := self._mount(facts, mount, values, instruction.line)) is not None
        ]
        places = self._places(facts, mounted)
        followed = _follow(shell_text(instruction), tuple(values.items()), facts.workdir, places)
        compiles = False
        for call in followed.calls:
            compiles |= self._call(facts, call, mounted, instruction.line)
        if followed.lost:
            facts.builds.append(
                CargoBuild(workspace=True, line=instruction.line, note="too long to follow")
            )
        elif not compiles:
            self._unknown_scripts(facts, places, followed.scripts, instruction.line)
        for path in followed.scripts:
            if (script := places.context_path(path)) is not None:
                facts.scripts.add(script)

    def _mount(
        self, facts: StageFacts, mount: RunMount, values: Mapping[str, str], line: int
    ) -> Taken | None:
        if mount.kind == "cache":
            facts.cache_ids.add(self._expand(mount.cache_id, values))
        if mount.kind not in ("bind", "cache"):
            return None
        reference = self._expand(mount.from_, values)
        source = self._expand(mount.source, values)
        target = posixpath.join(facts.workdir, self._expand(mount.target, values))
        if mount.kind == "cache" and not reference:
            own = posixpath.normpath(target)
            return Taken(own, own, facts.index, line=line)
        origin = self._origin(facts, reference)
        if isinstance(origin, str):
            pattern = clean_source(source)
            facts.sources.append(SourcePattern(pattern, origin, target, "bind", line))
            return Taken(posixpath.normpath(target), f"/{pattern}", -1, context=origin, line=line)
        return Taken(posixpath.normpath(target), rooted(source), origin, line=line)

    def _call(self, facts: StageFacts, call: Call, mounted: list[Taken], line: int) -> bool:
        build = cargo_build(call, line)
        if build is not None:
            # What is no cargo itself can compile what is ours only where it sees a manifest.
            if build not in facts.builds and (not build.note or self._sees_manifest(facts)):
                facts.builds.append(build)
            return True
        for placed in placements(call):
            taken = Taken(placed.target, placed.source, facts.index, placed.inside, line=line)
            origin = through(mounted, placed.source) if placed.source else None
            if origin is not None:
                taken = replace(origin, path=placed.target, inside=placed.inside)
                if origin.stage >= 0 and origin.stage != facts.index:
                    facts.shipped.append(taken)
            facts.taken.append(taken)
        return False

    def _unknown_scripts(
        self, facts: StageFacts, places: Places, scripts: list[str], line: int
    ) -> None:
        """A script of the repository that is not known may well call cargo."""
        if not self._sees_manifest(facts):
            return
        for path in scripts:
            if places.context_path(path) is not None:
                note = f"`{path.replace(UNKNOWN, '*')}` may compile anything"
                facts.builds.append(CargoBuild(facts.workdir, workspace=True, line=line, note=note))

    def _sees_manifest(self, facts: StageFacts) -> bool:
        return any(
            source_matches(source.pattern, "Cargo.toml") or "Cargo.toml" in source.pattern
            for part in self._chain_of(facts)
            for source in part.sources
        )

    def _places(self, facts: StageFacts, mounted: list[Taken]) -> Places:
        taken = [t for part in reversed(self._chain_of(facts)) for t in reversed(part.taken)]
        of_context = tuple(t for t in (*mounted, *taken) if t.stage == -1)
        return Places(of_context, self._texts)

    def _chain_of(self, facts: StageFacts) -> list[StageFacts]:
        return [facts] if facts.base is None else [*self.chain(facts.base), facts]


@lru_cache(maxsize=2048)
def _follow(
    text: str, values: tuple[tuple[str, str], ...], directory: str, places: Places
) -> Followed:
    """Services that share a Dockerfile share most of what its stages run."""
    return Shell(places.script).follow(text, Scope(dict(values), directory=directory))
