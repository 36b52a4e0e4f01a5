"""A Dockerfile that compiles in its own way, made one with a rendered part (pure).

The stages that call cargo give way to the rendered part. What they set up before (packages,
variables) becomes a stage that it starts from, what is taken out of them is taken out of the new
builder, and packs are copied into images no more.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError
from attune_dev.planning.globs import within
from attune_dev.planning.rendered import BEGIN, END, Strategy

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from attune_dev.model.dockerfile import Dockerfile, Instruction, Stage

TOOLCHAIN = "toolchain"
_CARGO = re.compile(r"(?<![\w./-])cargo(?![\w.])")
_KEPT_SETTINGS = ("ENV",)
_OUR_ARGUMENTS = ("BINARIES", "CARGO_PROFILE", "SERVICE")


def with_rendered_part(
    dockerfile: Dockerfile,
    text: str,
    compiling: Collection[int],
    *,
    packs: Collection[str] = (),
    only: str = "",
) -> str:
    """The text of a Dockerfile with an empty rendered part in place of what compiled.

    Args:
        dockerfile: parsed.
        text: of the file.
        compiling: indexes of the stages that call cargo, at least one.
        packs: folders of packs, relative to the context.
        only: the one binary that all its images ship; empty where it differs.

    Raises:
        ConfigError: something that an image takes cannot be told to be a binary.
    """
    lines = text.split("\n")
    first = min(compiling)
    names = _Names(dockerfile, compiling, only)
    out = lines[: _begin(lines, dockerfile.stages[first])]
    out += _part(lines, dockerfile, dockerfile.stages[first])
    for stage in dockerfile.stages:
        begin, end = _begin(lines, stage), _end(lines, dockerfile, stage)
        if stage.index in compiling:
            continue
        if stage.index < first:
            continue  # part of what comes before, as it is
        out += _stage(lines, stage, begin, end, names, packs)
    return "\n".join(out)


def without_packs(dockerfile: Dockerfile, text: str, packs: Collection[str]) -> str:
    """The text of a Dockerfile that copies no packs into its images."""
    lines = text.split("\n")
    dropped: set[int] = set()
    for stage in dockerfile.stages:
        for instruction, end in _spans(lines, stage, _end(lines, dockerfile, stage)):
            if _takes_packs(instruction, packs):
                dropped |= set(range(instruction.line - 1, end))
    return "\n".join(line for number, line in enumerate(lines) if number not in dropped)


def copies_packs(dockerfile: Dockerfile, packs: Collection[str]) -> bool:
    """Whether a stage copies packs out of the build context."""
    return any(_takes_packs(i, packs) for stage in dockerfile.stages for i in stage.instructions)


class _Names:
    """What the stages that compiled are called, and what is taken out of them."""

    def __init__(self, dockerfile: Dockerfile, compiling: Collection[int], only: str) -> None:
        self.path = dockerfile.path
        self._stages = dockerfile.stages
        self._only = only
        self.compiling = {str(index) for index in compiling}
        self.compiling |= {s.name for s in dockerfile.stages if s.index in compiling and s.name}

    def rewritten(self, instruction: Instruction) -> str | None:
        """A ``COPY`` out of a stage that compiled as it is now, ``None`` for any other."""
        source = instruction.flags.get("from", "").lower()
        if instruction.keyword != "COPY" or not source:
            return None
        if source not in self.compiling:
            if source.isdigit():
                raise ConfigError(
                    f"--from={source} counts stages, whose number changes",
                    hint=f"give stage {source} a name, and copy from it by that",
                    file=self.path,
                    line=instruction.line,
                )
            return None
        *taken, target = instruction.words
        paths = [self._binary(path, instruction) for path in taken]
        flags = [
            f"--{k}={v}" if v else f"--{k}" for k, v in instruction.flags.items() if k != "from"
        ]
        return " ".join(["COPY", "--from=builder", *flags, *paths, target])

    def _binary(self, path: str, instruction: Instruction) -> str:
        name = posixpath.basename(path.rstrip("/"))
        if self._only and not re.search(r"[*?\[]", name):
            return f"/out/{self._only}"
        if not name or name in ("bin", "debug", "dist", "out", "release", "target"):
            raise ConfigError(
                f"it cannot be told which binary {path} is",
                hint="name the binary's own path in this COPY, then run it again",
                file=self.path,
                line=instruction.line,
            )
        return f"/out/{name}"


def _part(lines: Sequence[str], dockerfile: Dockerfile, stage: Stage) -> list[str]:
    """The rendered part, empty but for what it starts from, after a stage that prepares that."""
    setup: list[str] = []
    settled = False
    for instruction, end in _spans(lines, stage, _end(lines, dockerfile, stage)):
        mounts_sources = any(m.kind == "bind" and not m.from_ for m in instruction.mounts)
        copies = instruction.keyword in ("COPY", "ADD") and not instruction.flags.get("from")
        runs_cargo = instruction.keyword == "RUN" and (
            _CARGO.search(instruction.value) or mounts_sources
        )
        settled = settled or copies or bool(runs_cargo)
        name = instruction.value.partition("=")[0].strip()
        if instruction.keyword in ("WORKDIR", "ARG") and (settled or name in _OUR_ARGUMENTS):
            continue
        if instruction.keyword == "WORKDIR":
            continue
        if not settled or instruction.keyword in _KEPT_SETTINGS:
            setup += lines[instruction.line - 1 : end]
    setup = [line for line in setup if not line.startswith("ENV CARGO_HOME=/usr/local/cargo")]
    base = TOOLCHAIN if setup else stage.base
    prepared = [f"FROM {stage.base} AS {TOOLCHAIN}", *setup, ""] if setup else []
    body = f"FROM {base} AS builder"
    return [*prepared, BEGIN.format(strategy=Strategy.ONCE), body, END, ""]


def _stage(
    lines: Sequence[str],
    stage: Stage,
    begin: int,
    end: int,
    names: _Names,
    packs: Collection[str],
) -> list[str]:
    out = list(lines[begin:end])
    for instruction, last in reversed(list(_spans(lines, stage, end))):
        here = slice(instruction.line - 1 - begin, last - begin)
        if _takes_packs(instruction, packs):
            out[here] = []
        elif (text := names.rewritten(instruction)) is not None:
            out[here] = [text]
    if stage.base.lower() in names.compiling:
        raise ConfigError(
            "an image starts from the stage that compiles",
            why="it would hold sources and compiler",
            hint="start it from a runtime image, and copy the binary into it",
            file=names.path,
            line=stage.line,
        )
    return out


def _takes_packs(instruction: Instruction, packs: Collection[str]) -> bool:
    if instruction.keyword not in ("COPY", "ADD") or instruction.flags.get("from"):
        return False
    sources = [posixpath.normpath(word).lstrip("/") for word in instruction.words[:-1]]
    return bool(sources) and all(any(within(s, folder) for folder in packs) for s in sources)


def _begin(lines: Sequence[str], stage: Stage) -> int:
    """Where a stage begins: its comment goes with it. Zero-based."""
    line = stage.line - 1
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
    return line


def _end(lines: Sequence[str], dockerfile: Dockerfile, stage: Stage) -> int:
    following = dockerfile.stages[stage.index + 1 :]
    return _begin(lines, following[0]) if following else len(lines)


def _spans(lines: Sequence[str], stage: Stage, end: int) -> list[tuple[Instruction, int]]:
    """Instructions with the line behind their last one, without comments and blank lines."""
    found = []
    starts = [i.line - 1 for i in stage.instructions[1:]]
    for instruction, following in zip(stage.instructions, [*starts, end], strict=True):
        last = following
        while last > instruction.line and _is_empty(lines[last - 1]):
            last -= 1
        found.append((instruction, last))
    return found


def _is_empty(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")
