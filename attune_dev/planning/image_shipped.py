"""Which compiled files an image ships: paths of the final stage followed back through copies."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from attune_dev.model.dockerfile import SourcePattern
from attune_dev.planning.shell_words import UNKNOWN

if TYPE_CHECKING:
    from attune_dev.model.dockerfile import CargoBuild, ImageInputs
    from attune_dev.planning.image_facts import StageFacts, Taken
    from attune_dev.planning.image_stages import Stages

# Folders of a system in which no build leaves what it compiled.
_SYSTEM = ("/etc", "/lib", "/lib64", "/usr/lib", "/usr/share", "/var/lib", "/usr/local/share")
_FOLDER_NAMES = frozenset(
    ("artifacts", "bin", "bins", "binaries", "build", "debug", "dist", "out", "output", "release")
)
_GLOB = "*?["
_STEP_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Shipped:
    """What the final stage takes out of other stages.

    Attributes:
        names: of files as they were compiled; patterns where only a part is known, sorted.
        sources: what it takes that another stage has only copied out of a context.
    """

    names: tuple[str, ...]
    sources: tuple[SourcePattern, ...]


def trace_shipped(stages: Stages, final: int) -> Shipped:
    """Follows what the final stage takes out of other stages back to where it came from.

    Args:
        stages: of one Dockerfile.
        final: index of the final stage.
    """
    names: set[str] = set()
    sources: dict[SourcePattern, None] = {}
    for facts in stages.chain(final):
        for build in facts.builds:  # compiled where it stays
            names |= set(build.binaries) or {"*"}
        for taken in facts.shipped:
            tracer = _Tracer(stages, taken)
            if taken.source is None:
                names.add("*")
            else:
                tracer.trace(taken.stage, taken.source)
            names |= tracer.names
            sources |= tracer.sources
    return Shipped(tuple(sorted(names)), tuple(sources))


def placed_binaries(stages: Stages, final: int, known: frozenset[str]) -> dict[str, str]:
    """Where an image has its Cargo binaries, as far as that is certain.

    Args:
        stages: of one Dockerfile.
        final: index of the final stage.
        known: names of the binaries that the image ships.

    Returns:
        Absolute path in the image to the binary's name.
    """
    placed: dict[str, str] = {}
    for facts in stages.chain(final):
        for taken in facts.shipped:
            if taken.source is None or _has_glob(taken.path) or UNKNOWN in taken.path:
                continue
            tracer = _Tracer(stages, taken)
            tracer.trace(taken.stage, taken.source)
            names = tracer.names & known
            if not names or names != tracer.names:
                continue
            if len(names) == 1 and not _is_folder(stages, taken):
                placed[_file(taken)] = next(iter(names))
            else:
                placed |= {posixpath.join(taken.path, name): name for name in names}
    return placed


def _is_folder(stages: Stages, taken: Taken) -> bool:
    """Whether what is copied is known to be a folder that files were put into."""
    source = (taken.source or "").rstrip("/")
    return any(
        other.path == source and other.inside
        for facts in stages.chain(taken.stage)
        for other in facts.taken
    )


def shipped_binaries(inputs: ImageInputs, known_binaries: frozenset[str]) -> frozenset[str]:
    """The Cargo binaries that an image ships.

    Args:
        inputs: of the image.
        known_binaries: names of all binary targets that its cargo calls could compile.

    Returns:
        Those that it takes out of other stages; all that its cargo calls compile where the files
        it takes cannot be told apart.
    """
    compiled = _compiled(inputs, known_binaries)
    shipped = {
        name
        for name in compiled or known_binaries
        if any(fnmatchcase(name, pattern) for pattern in inputs.shipped)
    }
    return frozenset(shipped or compiled)


def _compiled(inputs: ImageInputs, known: frozenset[str]) -> set[str]:
    found: set[str] = set()
    for build in inputs.cargo_builds:
        if build.workspace or not build.binaries:
            found |= known
        else:
            found |= {n for n in known if any(fnmatchcase(n, b) for b in build.binaries)}
    return found


class _Tracer:
    """Follows one path of the final stage; all ways in which it may have come to be count."""

    def __init__(self, stages: Stages, shipped: Taken) -> None:
        self.names: set[str] = set()
        self.sources: dict[SourcePattern, None] = {}
        self._stages = stages
        self._shipped = shipped
        self._seen: set[tuple[int, str]] = set()

    def trace(self, stage: int, path: str) -> None:
        """Finds what stands at a path of a stage."""
        if (stage, path) in self._seen or len(self._seen) > _STEP_LIMIT:
            return
        self._seen.add((stage, path))
        chain = self._stages.chain(stage)
        builds = [build for facts in chain for build in facts.builds]
        copied = self._trace_copies(chain, path, compiled=bool(builds))
        if any(_holds(path, build.directory) for build in builds):
            self.names.add("*")
        elif not copied and not _is_below(path, _SYSTEM):
            self.names |= _own_name(builds, path)

    def _trace_copies(self, chain: list[StageFacts], path: str, *, compiled: bool) -> bool:
        """Follows the copies that made a path; whether it is certain that one did."""
        certain = False
        in_target = compiled and "target" in path.split("/")
        for facts in reversed(chain):
            for taken in reversed(facts.taken):
                by_copy = taken.stage != facts.index
                for source in _sources(taken, path, by_copy=by_copy):
                    if source is None:
                        self.names.add("*")
                    elif taken.stage >= 0:
                        self.trace(taken.stage, source)
                    elif taken.stage == -1 and not in_target:
                        self._add_source(taken, source)
                    certain |= taken.stage != -1 or _file(taken) == path
        return certain

    def _add_source(self, taken: Taken, source: str) -> None:
        pattern = source.strip("/").replace(UNKNOWN, "*")
        found = SourcePattern(
            pattern, taken.context, self._shipped.path, line=self._shipped.line, final=True
        )
        self.sources[found] = None


def _sources(taken: Taken, path: str, *, by_copy: bool) -> list[str | None]:
    """What a path, or what is below it, was taken from by this step; all that is possible."""
    file = _file(taken)
    pattern = path.replace(UNKNOWN, "*")
    below = path.rstrip("/") + "/"
    if (
        file == path
        or file.startswith(below)
        or (_has_glob(pattern) and fnmatchcase(file, pattern))
    ):
        return [taken.source]
    if _has_glob(file) and fnmatchcase(path, file.replace(UNKNOWN, "*")):
        return [_rename(taken.source, posixpath.basename(path))]
    folder = taken.path.rstrip("/") + "/"
    if taken.source is None or not path.startswith(folder):
        return []
    if (
        taken.inside
        and path.startswith(file.rstrip("/") + "/")
        and file.rstrip("/") + "/" != folder
    ):
        return [posixpath.join(taken.source, path[len(file) + 1 :])]
    if taken.inside and not by_copy:
        return []  # `cp file folder/` puts nothing else there
    source = posixpath.dirname(taken.source) if _has_glob(taken.source) else taken.source
    return [posixpath.join(source, path[len(folder) :])]  # COPY puts a folder's content there


def _file(taken: Taken) -> str:
    """The path that a step makes, if its source is a file."""
    name = posixpath.basename(taken.source) if taken.source else "*"
    return posixpath.join(taken.path, name) if taken.inside else taken.path


def _rename(source: str | None, name: str) -> str | None:
    """The file that a pattern of several stands for, once the name is known."""
    return None if source is None else posixpath.join(posixpath.dirname(source), name)


def _has_glob(text: str) -> bool:
    return any(char in text for char in _GLOB) or UNKNOWN in text


def _holds(path: str, directory: str) -> bool:
    """Whether a folder holds the target folder of a compile in ``directory``."""
    return f"{directory}/target/x/".startswith(path.rstrip("/") + "/")


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    return path.startswith(tuple(f"{folder}/" for folder in folders)) or path in folders


def _own_name(builds: list[CargoBuild], path: str) -> set[str]:
    """The name of a file that no copy made: a program wrote it, most often cargo."""
    name = posixpath.basename(path).replace(UNKNOWN, "*")
    if not builds or posixpath.splitext(name)[1]:
        return {name} if name else set()
    if not name or name in _FOLDER_NAMES:
        return {"*"}
    named = all(build.binaries and not build.workspace for build in builds)
    if (named and not _is_compiled(builds, name)) or any(build.note for build in builds):
        return {name, "*"}  # a folder, or a name that the build gives by means not followed
    return {name}


def _is_compiled(builds: list[CargoBuild], name: str) -> bool:
    return any(
        fnmatchcase(name, pattern) or fnmatchcase(pattern, name)
        for build in builds
        for pattern in build.binaries
    )
