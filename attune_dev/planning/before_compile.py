"""Steps of a Dockerfile that change what is compiled before cargo is called (pure).

The builder calls cargo over the sources as they are on disk. Where an image is compiled from
others, because a step rewrites, makes or removes some or sets the compile up, that would be other
code.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from attune_dev.planning.globs import within
from attune_dev.planning.image_cargo import cargo_build
from attune_dev.planning.image_facts import shell_text
from attune_dev.planning.shell_run import Shell
from attune_dev.planning.shell_words import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from attune_dev.model.dockerfile import CargoBuild, Instruction, Stage
    from attune_dev.planning.image_facts import StageFacts
    from attune_dev.planning.image_stages import Stages
    from attune_dev.planning.shell_run import Call

_CARGO = re.compile(r"(?<![\w./-])cargo(?![\w.])")
_INTO = re.compile(r"(?<![-<=>])>{1,2}\|?\s*(?![&>])[\"']?([^\s;&|)\"']+)")
# Subcommands that write manifests, the lock file or sources; `run` does what its program does.
_REWRITES = frozenset(
    (
        *("add", "fix", "fmt", "generate", "generate-lockfile", "init", "new", "r", "remove", "rm"),
        *("run", "set-version", "sqlx", "update", "upgrade", "vendor", "xtask"),
    )
)
_HARMLESS = frozenset(
    (
        *("cat", "chmod", "chown", "command", "date", "df", "du", "echo", "env", "exec", "free"),
        *("ls", "mkdir", "nice", "nproc", "printf", "pwd", "rustc", "sccache", "sleep", "time"),
        *("timeout", "touch", "uname", "bash", "dash", "ash", "sh"),
    )
)
_REMOVES = frozenset(("find", "rm", "unlink"))
_FRESHEN = "freshen.sh"
_BETWEEN = re.compile(r"[;&|\n]+")
_LEADS = re.compile(
    r"(?:[({!\s]|\b(?:do|then|else|if|while|until|sudo|env|exec|time)\s|\w+=\S*\s)*"
)
_TOOL = re.compile(r"cargo\s+(?:\+\S+\s+)?(?:install|binstall)\b(?!.*\s--path)")
_NAMERS = frozenset(
    (
        *("adduser", "apk", "apt", "apt-get", "dnf", "echo", "groupadd", "microdnf", "pacman"),
        *("useradd", "yum", "zypper"),
    )
)


def works_for_cargo(text: str) -> bool:
    """Whether a ``RUN`` is cargo's work on sources, which the builder is made without.

    One that installs programs, cargo itself among them, makes a tool. Programs that cargo alone
    calls, ``cargo-chef``, are not needed for a call of cargo itself.

    Args:
        text: its shell text.
    """
    parts = [_LEADS.sub("", part, count=1).strip() for part in _BETWEEN.split(text)]
    named = [part for part in parts if _CARGO.search(part)]
    working = [part for part in named if not _makes_tools(part)]
    installs = [part for part in named if _TOOL.match(part)]
    if working or not installs:
        return bool(working)
    words = [word for part in installs for word in part.split()[2:] if not word.startswith("-")]
    return len(installs) == len(parts) and all(word.startswith("cargo-") for word in words)


def _makes_tools(part: str) -> bool:
    if _TOOL.match(part) or re.match(r"cargo\s+(--version|-V)\b", part):
        return True
    return part.split(maxsplit=1)[0] in _NAMERS


def unfollowed(
    stages: Stages,
    index: int,
    builds: Sequence[CargoBuild],
    takes_sources: Callable[[int, Instruction], bool],
) -> str:
    """Why calling cargo over the sources is not what a stage does, empty where it is.

    Args:
        stages: of its Dockerfile.
        index: of the stage.
        builds: its calls of cargo.
        takes_sources: whether a step of a stage takes sources of the compile in.
    """
    cargo = builds[-1]
    earlier = [
        (facts, step)
        for facts in stages.chain(index)
        for step in stages.dockerfile.stages[facts.index].instructions
        if facts.index != index or step.line <= cargo.line
    ]
    taking = [
        at
        for at, (facts, step) in enumerate(earlier)
        if step.keyword in ("COPY", "ADD") and takes_sources(facts.index, step)
    ]
    # what a step before the last of them has made is written over, as stand-ins of sources are
    for facts, step in earlier[max(taking, default=0) :]:
        last = step.line == cargo.line
        if step.keyword != "RUN" or not (taking or last):
            continue
        values = {**facts.args, **facts.env}
        if what := meddles(step, values, facts.workdir, cargo.directory, compiles=last):
            return f"{what} may change its sources before they are compiled"
    since = max((earlier[at][1].line for at in taking), default=0)
    ways = {
        (each.options, each.environment, each.directory, each.manifest, each.profile)
        for each in builds
        if each.line > since
    }
    return "cargo is called in several ways" if len(ways) > 1 else cargo.note


def given_by_arguments(facts: StageFacts, stage: Stage, line: int) -> Iterator[str]:
    """What a call of cargo is given by ``ARG`` alone, as ``NAME=value``.

    A ``RUN`` has the arguments of its stage in its environment, where ``option_env!`` and build
    scripts find them. One that some line uses by its name is there for that line.

    Args:
        facts: of the stage that calls cargo.
        stage: the same.
        line: of the call.
    """
    used = "\n".join(
        text
        for step in stage.instructions
        for text in (step.value, *step.words, *step.heredocs, *step.flags.values())
        if step.keyword != "ARG"
    )
    for step in stage.instructions:
        for word in step.words if step.keyword == "ARG" and step.line < line else ():
            name = word.partition("=")[0]
            named = re.search(rf"\$\{{?{re.escape(name)}\b", used)
            if name in facts.args and name not in facts.env and not named:
                yield f"{name}={facts.args[name]}"


def meddles(
    step: Instruction, values: Mapping[str, str], workdir: str, directory: str, *, compiles: bool
) -> str:
    """What of a ``RUN`` changes the sources or the settings of a compile, empty where nothing does.

    Args:
        step: a step that has the sources.
        values: of arguments and ``ENV``.
        workdir: where it runs.
        directory: where cargo is called.
        compiles: whether it is the step that calls cargo, of which nothing but that call is done
            in the builder; another one is a part of the builder's image, and fails there where it
            needs a source.
    """
    text = shell_text(step)
    followed = Shell().follow(text, Scope(dict(values), directory=workdir))
    calls = followed.calls
    if not compiles:
        return next(_dismissed(calls, directory), "")
    last = [n for n, call in enumerate(calls) if cargo_build(call, step.line) is not None]
    if not last:
        return ""  # cargo is called by a script: what that is given is known elsewhere
    before = calls[: last[-1]]
    for path in _written(text, workdir):
        if not path.startswith(("/dev/", "/tmp/")) and "target" not in path.split("/"):  # noqa: S108
            return f"`> {posixpath.basename(path)}`"
    if found := next(_dismissed(before, directory), ""):
        return found
    for call in before:
        name = posixpath.basename(call.argv[0])
        if name in (".", "source"):
            name = posixpath.basename(call.argv[1]) if len(call.argv) > 1 else name
        if name not in _HARMLESS | _REMOVES | {"cargo", _FRESHEN}:
            return f"`{name}`"
    return ""


def _dismissed(calls: Iterable[Call], directory: str) -> Iterator[str]:
    """Calls that take sources away, or let cargo rewrite them; they leave no trace in an image."""
    for call in calls:
        name, words = posixpath.basename(call.argv[0]), call.argv[1:]
        if name == "cargo":
            plain = [word for word in words if not word.startswith(("-", "+"))]
            if plain and plain[0] in _REWRITES:
                yield f"`cargo {plain[0]}`"
        elif name == "find" and not {"-delete", "-exec", "-execdir", "-ok"}.isdisjoint(words):
            if "touch" not in words:
                yield "`find`"
        elif name in ("rm", "unlink"):
            paths = [posixpath.join(call.directory, w) for w in words if not w.startswith("-")]
            if any(_is_source(posixpath.normpath(path), directory) for path in paths):
                yield f"`{name}`"


def _written(text: str, workdir: str) -> Iterator[str]:
    """Files that the shell writes before it calls cargo for the last time."""
    calls = list(_CARGO.finditer(text))
    for found in _INTO.finditer(text[: calls[-1].start()] if calls else text):
        yield posixpath.normpath(posixpath.join(workdir, found[1]))


def _is_source(path: str, directory: str) -> bool:
    return within(path, directory) and "target" not in path.split("/")
