"""What is found out about a stage, and where its files come from."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace

from attune_dev.model.dockerfile import CargoBuild, Instruction, SourcePattern

_HEREDOC_WORD = re.compile(r"(?:^|(?<=\s))\d*<<-?[^\s<]+")
_SHELL = re.compile(r"(?:\S*/)?(?:env\s+)?(?:ba|da|a|z)?sh(?:\s+-\S*)*")


@dataclass(frozen=True, slots=True)
class Taken:
    """A path in a stage and what it was taken from.

    Attributes:
        path: absolute path in the stage.
        source: absolute path in ``stage``; ``None`` where it is not known.
        stage: index of the stage, -1 for the build context, -2 for another image.
        inside: whether the source is put into the folder ``path``.
        context: folder of the build context, for ``stage`` -1.
        line: of the instruction.
    """

    path: str
    source: str | None
    stage: int
    inside: bool = False
    context: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True)
class Places:
    """Where files of the build context are in a stage.

    Attributes:
        taken: out of the context, the latest first.
        texts: of scripts, by path relative to the context.
    """

    taken: tuple[Taken, ...]
    texts: tuple[tuple[str, str], ...]

    def script(self, path: str) -> str | None:
        """The text of a script in the stage, ``None`` where it is not known."""
        found = self.context_path(path)
        return next((text for name, text in self.texts if name == found and text), None)

    def context_path(self, path: str) -> str | None:
        """Where in the context a file of the stage comes from, ``None`` where it does not."""
        for taken in self.taken:
            source = (taken.source or "/")[1:]
            folder = taken.path.rstrip("/") + "/"
            if taken.inside and path == folder + posixpath.basename(source):
                return source
            if path == taken.path and not taken.inside:
                return source
            if path.startswith(folder):
                if any(char in source for char in "*?["):
                    source = posixpath.dirname(source)
                return posixpath.join(source, path[len(folder) :])
        return None


@dataclass(slots=True)
class StageFacts:
    """What going through a stage found.

    Attributes:
        index: of the stage.
        base: index of the stage it starts from, ``None`` for an image.
        uses: indexes of the stages it takes from.
        images: images that are not stages.
        env: ``ENV`` at its end.
        args: values of its arguments.
        workdir: working folder at its end.
        sources: what it reads out of contexts.
        taken: where files come from, in order.
        builds: cargo calls.
        cache_ids: ids of its cache mounts.
        scripts: scripts of the context that it runs and whose text is not known.
        shipped: paths that it takes out of other stages.
        triggers: ``ONBUILD`` instructions.
    """

    index: int
    base: int | None = None
    uses: set[int] = field(default_factory=set)
    images: set[str] = field(default_factory=set)
    env: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    sources: list[SourcePattern] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    builds: list[CargoBuild] = field(default_factory=list)
    cache_ids: set[str] = field(default_factory=set)
    scripts: set[str] = field(default_factory=set)
    shipped: list[Taken] = field(default_factory=list)
    triggers: list[Instruction] = field(default_factory=list)


def rooted(path: str) -> str:
    """As an absolute path: a stage's paths are read from its root."""
    return posixpath.normpath("/" + path.lstrip("/"))


def shell_text(instruction: Instruction) -> str:
    """The shell text of a ``RUN``, empty where another language is run."""
    if instruction.words:
        return " ".join("'" + word.replace("'", "'\\''") + "'" for word in instruction.words)
    if not instruction.heredocs:
        return instruction.value
    command = _HEREDOC_WORD.sub("", instruction.value).strip()
    if command and _SHELL.fullmatch(command) is None:
        return command  # the documents are data for it
    bodies = [text for text in instruction.heredocs if _is_shell(text)]
    return "\n".join(bodies)


def _is_shell(text: str) -> bool:
    """Whether a document without a foreign ``#!`` line."""
    first = text.split("\n", 1)[0]
    return not first.startswith("#!") or re.search(r"\b(ba|da|a|z|k)?sh\b", first) is not None


def through(mounted: list[Taken], path: str) -> Taken | None:
    """The place behind the innermost mount that a path leads to.

    What cargo leaves below a mounted source folder is its own, nothing of the context.
    """
    found: Taken | None = None
    for mount in mounted:
        inside = path == mount.path or path.startswith(mount.path.rstrip("/") + "/")
        if inside and mount.source and (found is None or len(mount.path) > len(found.path)):
            found = mount
    if found is None or found.source is None:
        return None
    rest = path[len(found.path.rstrip("/")) + 1 :]
    if found.stage == -1 and "target" in rest.split("/"):
        return None
    return replace(found, path=path, source=posixpath.join(found.source, rest).rstrip("/") or "/")
