"""What the builds of a repository read: Dockerfiles and ignore files, resolved per service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from attune_dev.errors import ConfigError
from attune_dev.loading.dockerfile import parse_dockerfile, predefined_arguments
from attune_dev.loading.safe_yaml import read_bounded
from attune_dev.model.cargo import CargoModel
from attune_dev.model.compose import BuildConfig, ComposeProject
from attune_dev.model.dockerfile import Dockerfile, ImageInputs, Stage
from attune_dev.model.packs import PacksFolder
from attune_dev.model.workspace import IgnoreFile
from attune_dev.planning.image_ignore import IgnoreRules
from attune_dev.planning.image_inputs import image_inputs

SIZE_LIMIT = 1024 * 1024
SCRIPT_LIMIT = 50


@dataclass(slots=True)
class Images:
    """What is found out about builds.

    Attributes:
        services: inputs by service.
        pack_binaries: inputs by Dockerfile, of those that compile pack binaries.
        compile_lines: lines that only feed a cargo compile, by service or Dockerfile.
        ignore_files: by path.
    """

    services: dict[str, ImageInputs] = field(default_factory=dict)
    pack_binaries: dict[str, ImageInputs] = field(default_factory=dict)
    compile_lines: dict[str, frozenset[int]] = field(default_factory=dict)
    ignore_files: dict[str, IgnoreFile] = field(default_factory=dict)


class ImageLoader:
    """Reads each Dockerfile and ignore file once; problems are collected."""

    def __init__(self, root: Path, problems: list[ConfigError]) -> None:
        self._root = root
        self._problems = problems
        self._texts: dict[str, str | None] = {}
        self._parsed: dict[str, Dockerfile | None] = {}
        self._refused: set[str] = set()
        self._predefined = predefined_arguments()
        self.found = Images()

    def load_services(self, compose: ComposeProject) -> None:
        """Resolves the build of every service that has one inside the repository."""
        for name, service in compose.services.items():
            build = service.build
            if build is None or _is_outside(build.context):
                continue
            inputs = self._inputs(name, build)
            if inputs is not None:
                self.found.services[name] = inputs

    def load_pack_binaries(
        self, dockerfiles: Iterable[str], cargo: CargoModel, folders: Iterable[PacksFolder]
    ) -> None:
        """Finds the Dockerfiles, used by no service, that compile pack binaries.

        Args:
            dockerfiles: candidates.
            cargo: its packages decide where the build context is: the workspace's folder.
            folders: the packs.
        """
        wanted = {b.name: b.package for f in folders for p in f.packs.values() for b in p.binaries}
        used = {inputs.dockerfile for inputs in self.found.services.values()}
        for path in dockerfiles if wanted else ():
            text = self._text(path) or ""
            if path in used or not any(name in text for name in wanted):
                continue
            for context in _contexts(path, cargo, wanted):
                inputs = self._inputs("", BuildConfig(context, path), key=path)
                built = {b for c in (inputs.cargo_builds if inputs else ()) for b in c.binaries}
                if inputs is not None and built & set(wanted):
                    self.found.pack_binaries[path] = inputs
                    break

    def _inputs(self, service: str, build: BuildConfig, key: str = "") -> ImageInputs | None:
        dockerfile = self._dockerfile(service, build)
        if dockerfile is None:
            return None
        try:
            ignore_file = self._ignore_file(build)
            inputs = self._resolve(service, build, dockerfile, ignore_file)
        except ConfigError as problem:
            self._problems.append(problem)
            return None
        self.found.compile_lines[key or service] = compile_lines(dockerfile, inputs)
        return inputs

    def _resolve(
        self, service: str, build: BuildConfig, dockerfile: Dockerfile, ignore_file: str
    ) -> ImageInputs:
        """The inputs, with the scripts that a build runs followed as far as they are there."""
        scripts: dict[str, str] = {}
        while True:
            inputs = image_inputs(
                service,
                build,
                dockerfile,
                predefined=self._predefined,
                scripts=scripts,
                ignore_file=ignore_file,
            )
            new = set(inputs.scripts) - scripts.keys()
            if not new or len(scripts) > SCRIPT_LIMIT:
                return inputs
            for path in sorted(new):
                full = f"{build.context}/{path}" if build.context else path
                scripts[path] = self._text(full) or ""

    def _dockerfile(self, service: str, build: BuildConfig) -> Dockerfile | None:
        if build.inline is not None:
            return self._parse(f"dockerfile_inline of {service}", build.inline)
        if build.dockerfile not in self._parsed:
            text = self._text(build.dockerfile)
            self._parsed[build.dockerfile] = (
                None if text is None else self._parse(build.dockerfile, text)
            )
            if text is None and build.dockerfile not in self._refused:
                what = f"the Dockerfile of service {service} does not exist: {build.dockerfile}"
                hint = f"make it, or correct `build.dockerfile` of {service} in the Compose file"
                file, line = build.places.get("dockerfile", (build.dockerfile, None))
                self._problems.append(ConfigError(what, hint=hint, file=file, line=line))
        return self._parsed[build.dockerfile]

    def _parse(self, path: str, text: str) -> Dockerfile | None:
        try:
            return parse_dockerfile(text, path)
        except ConfigError as problem:
            self._problems.append(problem)
            return None

    def _text(self, path: str) -> str | None:
        if path not in self._texts:
            try:
                self._texts[path] = read_bounded(self._root / path, name=path, limit=SIZE_LIMIT)
            except FileNotFoundError:
                self._texts[path] = None
            except ConfigError as problem:
                self._problems.append(problem)
                self._refused.add(path)
                self._texts[path] = None
        return self._texts[path]

    def _ignore_file(self, build: BuildConfig) -> str:
        """The ignore file in force: the Dockerfile's own, else that of the context."""
        common = f"{build.context}/.dockerignore" if build.context else ".dockerignore"
        for path in (f"{build.dockerfile}.dockerignore", common):
            text = self._text(path)
            if text is not None:
                lines = tuple(text.splitlines())
                IgnoreRules.parse(lines, path)
                known = self.found.ignore_files.get(path)
                if known is None:
                    self.found.ignore_files[path] = IgnoreFile(path, build.context, lines)
                return path
        return ""


def compile_lines(dockerfile: Dockerfile, inputs: ImageInputs) -> frozenset[int]:
    """Lines of instructions in stages that run cargo: what they copy is there to be compiled."""
    names = {stage.name: stage for stage in dockerfile.stages if stage.name}
    builds = {build.line for build in inputs.cargo_builds}
    chosen = set()
    for stage in dockerfile.stages:
        runs = [i for i in stage.instructions if i.keyword == "RUN"]
        if any(i.line in builds or _runs_cargo(i.value, i.heredocs) for i in runs):
            current: Stage | None = stage
            while current is not None and current.index not in chosen:
                chosen.add(current.index)
                current = names.get(current.base.lower())
    return frozenset(
        instruction.line
        for stage in dockerfile.stages
        if stage.index in chosen
        for instruction in stage.instructions
    )


def _runs_cargo(text: str, heredocs: Iterable[str]) -> bool:
    return any("cargo" in part for part in (text, *heredocs))


def _contexts(dockerfile: str, cargo: CargoModel, wanted: Mapping[str, str | None]) -> list[str]:
    """Folders that may be the context of a pack binary's build: its workspace, the root.

    A workspace that the Dockerfile lies in comes first.
    """
    packages = cargo.packages()
    found = [packages[root].workspace for root in wanted.values() if root and root in packages]
    around = [folder for folder in found if folder and dockerfile.startswith(f"{folder}/")]
    return list(dict.fromkeys((*around, "", *found)))


def _is_outside(path: str) -> bool:
    return path.startswith(("/", "..")) or "://" in path
