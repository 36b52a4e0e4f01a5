"""Which compiled files an image ships: paths of the final stage followed back through copies."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

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


def shipped_names(stages: Stages, final: int) -> tuple[str, ...]:
    """Names of the files that the final stage takes out of other stages.

    Args:
        stages: of one Dockerfile.
        final: index of the final stage.

    Returns:
        Sorted file names as they were compiled; patterns where only a part is known.
    """
    tracer = _Tracer(stages)
    names: set[str] = set()
    for facts in stages.chain(final):
        for taken in facts.shipped:
            if taken.source is None:
                names.add("*")
            else:
                names |= tracer.names(taken.stage, taken.source)
    return tuple(sorted(names))


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
    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._seen: set[tuple[int, str]] = set()

    def names(self, stage: int, path: str) -> set[str]:
        """Under which names what stands at a path was compiled."""
        if stage < 0 or (stage, path) in self._seen or len(self._seen) > _STEP_LIMIT:
            return set()
        self._seen.add((stage, path))
        if path.startswith(tuple(f"{folder}/" for folder in _SYSTEM)) or path in _SYSTEM:
            return set()
        chain = self._stages.chain(stage)
        found: set[str] = set()
        followed = False
        for taken in (t for facts in reversed(chain) for t in reversed(facts.taken)):
            if taken.source is not None and taken.stage == stage and taken.source == path:
                continue
            sources = _sources(taken, path)
            if not sources:
                continue
            followed = True
            for source in sources:
                found |= {"*"} if source is None else self._follow(taken, source)
            if _is_exact(taken, path):
                break  # what was there before is overwritten
        return found if followed else _own_name(chain, path)

    def _follow(self, taken: Taken, source: str) -> set[str]:
        if taken.stage == -1:
            return set()  # out of the context: a source, nothing compiled
        return self.names(taken.stage, source)


def _sources(taken: Taken, path: str) -> list[str | None]:
    """What ``path`` (or what is below it) was copied from by this step."""
    name = posixpath.basename(taken.source) if taken.source else "*"
    file = posixpath.join(taken.path, name) if taken.inside else taken.path
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
    if path.startswith(folder) and taken.source is not None:
        if taken.inside and path.startswith(file + "/"):
            return [posixpath.join(taken.source, path[len(file) + 1 :])]
        if not taken.inside or taken.stage >= 0:
            # A folder whose content went into the folder. A single file stays what it is.
            return [posixpath.join(taken.source, path[len(folder) :])] if not taken.inside else []
    return []


def _rename(source: str | None, name: str) -> str | None:
    """The file that a pattern of several stands for, once the name is known."""
    return None if source is None else posixpath.join(posixpath.dirname(source), name)


def _is_exact(taken: Taken, path: str) -> bool:
    name = posixpath.basename(taken.source) if taken.source else ""
    file = posixpath.join(taken.path, name) if taken.inside else taken.path
    return file == path


def _has_glob(text: str) -> bool:
    return any(char in text for char in _GLOB) or UNKNOWN in text


def _own_name(chain: list[StageFacts], path: str) -> set[str]:
    """The name of a file that no copy made: a program wrote it, most often cargo."""
    name = posixpath.basename(path.rstrip("/")).replace(UNKNOWN, "*")
    builds = [build for facts in chain for build in facts.builds]
    if not builds or posixpath.splitext(name)[1]:
        return {name} if name else set()
    if not name or path.endswith("/") or name in _FOLDER_NAMES:
        return {"*"}
    if _all_named(builds) and not _is_compiled(builds, name):
        return {"*"}  # a folder, or a name that the build gives by means not followed
    return {name}


def _all_named(builds: list[CargoBuild]) -> bool:
    return all(build.binaries and not build.workspace for build in builds)


def _is_compiled(builds: list[CargoBuild], name: str) -> bool:
    return any(
        fnmatchcase(name, pattern) or fnmatchcase(pattern, name)
        for build in builds
        for pattern in build.binaries
    )
