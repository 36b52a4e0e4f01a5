"""Reads a Dockerfile into stages and instructions, by BuildKit's grammar.

Two packages were tried first. ``dockerfile-parse`` knows no here-documents (their lines come out as
instructions), leaves ``--mount`` inside of the value and takes malformed input as it comes.
``dockerfile`` is BuildKit's own parser, but has wheels for few systems and needs a Go toolchain on
all others, and its errors name no line. So this follows BuildKit's ``frontend/dockerfile/parser``
(parser.go, line_parsers.go) and ``instructions/parse.go``.
"""

from __future__ import annotations

import difflib
import json
import platform
import re
from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError
from attune_dev.loading.dockerfile_run import flag_words, run_mounts
from attune_dev.model.dockerfile import Dockerfile, Instruction, Stage
from attune_dev.planning.image_words import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEYWORDS = frozenset(
    (
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME"),
        "WORKDIR",
    )
)
_JSON_FORMS = frozenset(("ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"))
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_HEREDOCS = frozenset(("ADD", "COPY", "RUN"))
_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
_HEREDOC = re.compile(r"(\d*)<<(-?)([^<]+)")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")


class _Line:
    """A logical line: what stands between two instructions."""

    __slots__ = ("heredocs", "number", "text")

    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.text = text
        self.heredocs: list[str] = []


def parse_dockerfile(text: str, path: str) -> Dockerfile:
    """Parses a Dockerfile.

    Args:
        text: its content.
        path: its name, relative to the repository root; errors tell it.

    Raises:
        ConfigError: it is no Dockerfile; with the line.
    """
    text = text.removeprefix("\ufeff")
    escape = _escape(text, path)
    global_args: dict[str, str | None] = {}
    stages: list[Stage] = []
    pending: list[Instruction] = []
    for line in _logical_lines(text, escape, path):
        instruction = _instruction(line, path)
        if instruction.keyword == "FROM":
            _close(stages, pending)
            stages.append(_stage(instruction, len(stages), path))
        elif stages:
            pending.append(instruction)
        elif instruction.keyword == "ARG":
            for word in instruction.words:
                name, has, value = word.partition("=")
                global_args[name] = value if has else None
        else:
            raise ConfigError(
                f"{instruction.keyword} stands before the first FROM", file=path, line=line.number
            )
    if not stages:
        raise ConfigError("has no FROM", why="a Dockerfile starts with a base image", file=path)
    _close(stages, pending)
    return Dockerfile(path, global_args, tuple(stages), escape)


def _close(stages: list[Stage], pending: list[Instruction]) -> None:
    if stages:
        last = stages[-1]
        stages[-1] = Stage(last.index, last.name, last.base, tuple(pending), last.line)
        pending.clear()


def _escape(text: str, path: str) -> str:
    """The escape character: directives stand at the very top, before anything else."""
    for number, line in enumerate(text.splitlines(), start=1):
        match = _DIRECTIVE.fullmatch(line.strip())
        if match is None:
            break
        if match.group(1).lower() == "escape":
            if match.group(2) not in ("\\", "`"):
                raise ConfigError("the escape character is ` or \\", file=path, line=number)
            return match.group(2)
    return "\\"


def _logical_lines(text: str, escape: str, path: str) -> Iterator[_Line]:
    continued = re.compile(rf"(?:(?<!{re.escape(escape)})|^){re.escape(escape)}[ \t]*$")
    physical = enumerate(text.split("\n"), start=1)
    current: _Line | None = None
    for number, raw in physical:
        line = raw.rstrip("\r")
        bare = line.strip()
        if not bare or bare.startswith("#"):  # both may stand inside of a continued line
            continue
        if current is None:
            current = _Line(number, "")
            line = line.lstrip()
        joined = continued.sub("", line)
        current.text += joined
        if joined != line:
            continue
        _read_heredocs(current, physical, path)
        yield current
        current = None
    if current is not None:  # the last line is continued by nothing
        _read_heredocs(current, physical, path)
        yield current


def _read_heredocs(line: _Line, physical: Iterator[tuple[int, str]], path: str) -> None:
    for _word, terminator, chomp in _heredoc_words(line.text):
        body: list[str] = []
        for _number, raw in physical:
            content = raw.rstrip("\r")
            content = content.lstrip("\t") if chomp else content
            if content == terminator:
                break
            body.append(content)
        else:
            raise ConfigError(
                f"here-document `{terminator}` has no end", file=path, line=line.number
            )
        line.heredocs.append("\n".join(body))


def _heredoc_words(text: str) -> list[tuple[str, str, bool]]:
    """The here-documents that an instruction opens: word, terminator, whether tabs are cut."""
    keyword, rest = _divided(text)
    if keyword == "ONBUILD":
        keyword, rest = _divided(rest)
    if keyword not in _HEREDOCS or "<<" not in rest:
        return []
    if _json_words(rest.strip()) is not None:
        return []
    found = []
    for word in split_words(rest):
        match = _HEREDOC.fullmatch(word)
        if match is not None:
            terminator = re.sub(r"""["'\\]""", "", match.group(3))
            found.append((word, terminator, bool(match.group(2))))
    return found


def _instruction(line: _Line, path: str) -> Instruction:
    keyword, rest = _divided(line.text)
    if not keyword:
        raise ConfigError("an escape character continues nothing", file=path, line=line.number)
    if keyword not in KEYWORDS:
        near = difflib.get_close_matches(keyword, KEYWORDS, 1)
        hint = f"did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"unknown instruction `{keyword}`", file=path, line=line.number, hint=hint
        )
    if not rest:
        raise ConfigError(f"{keyword} needs an argument", file=path, line=line.number)
    if keyword == "ONBUILD":
        return _onbuild(line, rest, path)
    flags, value = flag_words(rest)
    words = _words(keyword, value, line, path)
    return Instruction(
        keyword=keyword,
        value=value,
        words=words,
        flags={name: "\n".join(values) for name, values in flags.items() if name != "mount"},
        mounts=run_mounts(flags.get("mount", ()), path, line.number) if keyword == "RUN" else (),
        heredocs=tuple(line.heredocs),
        line=line.number,
    )


def _divided(text: str) -> tuple[str, str]:
    """The keyword in upper case, and the rest."""
    keyword, *rest = text.split(None, 1) or [""]
    return keyword.upper(), rest[0].strip() if rest else ""


def _onbuild(line: _Line, rest: str, path: str) -> Instruction:
    inner = _Line(line.number, rest)
    inner.heredocs = line.heredocs
    trigger = _instruction(inner, path)
    if trigger.keyword in ("ONBUILD", "FROM", "MAINTAINER"):
        raise ConfigError(f"ONBUILD cannot trigger {trigger.keyword}", file=path, line=line.number)
    return Instruction("ONBUILD", rest, trigger=trigger, line=line.number)


def _words(keyword: str, value: str, line: _Line, path: str) -> tuple[str, ...]:
    if keyword in ("ARG", "ENV"):
        return _assignments(keyword, value, line, path)
    if keyword in ("COPY", "ADD"):
        words = _json_words(value)
        opened = {word for word, _, _ in _heredoc_words(line.text)}
        kept = words or tuple(word for word in value.split() if word not in opened)
        if len(kept) + len(line.heredocs) < 2:
            raise ConfigError(
                f"{keyword} needs at least a source and a destination", file=path, line=line.number
            )
        return kept
    if keyword in _JSON_FORMS:
        return _json_words(value) or ()
    return ()


def _assignments(keyword: str, value: str, line: _Line, path: str) -> tuple[str, ...]:
    words = split_words(value)
    if keyword == "ENV" and words and "=" not in words[0]:
        name, _, rest = value.partition(" ")  # the old form: one name, the rest is its value
        if not rest.strip():
            raise ConfigError("ENV needs a name and a value", file=path, line=line.number)
        return (f"{name}={rest.strip()}",)
    for word in words:
        name, has, _ = word.partition("=")
        if not name or (keyword == "ENV" and not has):
            raise ConfigError(
                f"`{word}` is not of the form name=value", file=path, line=line.number
            )
    return words


def _json_words(value: str) -> tuple[str, ...] | None:
    """The words of an exec form, ``None`` for anything that is not a list of texts."""
    if not value.startswith("["):
        return None
    try:
        words = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        return tuple(words)
    return None


def _stage(instruction: Instruction, index: int, path: str) -> Stage:
    words: Sequence[str] = instruction.value.split()
    if len(words) == 1:
        return Stage(index, "", words[0], (), instruction.line)
    if len(words) != 3 or words[1].lower() != "as":
        raise ConfigError(
            "FROM takes an image and, after AS, a name", file=path, line=instruction.line
        )
    name = words[2].lower()
    if _STAGE_NAME.fullmatch(name) is None:
        raise ConfigError(f"`{words[2]}` is no name for a stage", file=path, line=instruction.line)
    return Stage(index, name, words[0], (), instruction.line)


def predefined_arguments() -> dict[str, str]:
    """The arguments that BuildKit sets for a build on this machine, such as ``TARGETARCH``."""
    machine = platform.machine().lower()
    architecture = _ARCHITECTURES.get(machine, machine)
    found = {}
    for side in ("TARGET", "BUILD"):
        found[f"{side}PLATFORM"] = f"linux/{architecture}"
        found[f"{side}OS"] = "linux"
        found[f"{side}ARCH"] = architecture
        found[f"{side}VARIANT"] = ""
    return found
