"""The program behind ``./inv`` and ``attune-dev``.

``./inv`` (and plain ``inv``) take the tasks from the repository's ``tasks.py``; ``attune-dev``
brings its own and runs no code of a repository it is used in.
"""

from __future__ import annotations

import difflib
import gc
import os
import sys
from pathlib import Path
from typing import NoReturn

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from attune_dev import __version__
from attune_dev.cli.command import silence_stdout
from attune_dev.cli.names import TASK_NAMES
from attune_dev.errors import ExitCode

# The models of a repository live as long as the process and hold no cycles: to look for some every
# 700 objects, as Python does by itself, is a fifth of the time of a large plan.
OBJECTS_BETWEEN_COLLECTIONS = 50_000


class AttuneProgram(Program):
    """Invoke's program with our exit codes, near matches, and a list where nothing is asked."""

    def parse_cleanup(self) -> None:
        """Lists the tasks where none is named."""
        if not self.core.unparsed and not self.args.help.value and not self.args.complete.value:
            self.args.list.set_value(self.args.list.value or True, cast=False)
        super().parse_cleanup()

    def parse_tasks(self) -> None:
        """Parses the words after the core options; wrong ones get the near matches."""
        try:
            super().parse_tasks()
        except ParseError as problem:
            _refuse(_explain(problem))
        except ValueError as problem:  # a value that does not convert, from an option's own type
            _refuse(f"error: {problem}")

    def parse_core(self, argv: list[str] | None) -> None:
        """Parses the core options; wrong ones end with exit code 2."""
        try:
            super().parse_core(argv)
        except ParseError as problem:
            _refuse(_explain(problem))


def main(argv: list[str] | None = None) -> NoReturn:
    """Runs a command line and exits.

    Args:
        argv: program and arguments; ``sys.argv`` where it is ``None``.
    """
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    if argv is not None:
        sys.argv = argv
    root = os.environ.get("ATTUNE_DEV_ROOT")
    own = root is not None and (Path(root) / "tasks.py").is_file()
    if own:
        sys.argv[1:1] = ["--search-root", str(root)]
    program = AttuneProgram(
        version=__version__,
        namespace=None if own else _bundled(),
        name="attune-dev",
        binary="./inv" if own else "attune-dev",
    )
    try:
        program.run(list(sys.argv))
    except BrokenPipeError:
        silence_stdout()
    sys.exit(ExitCode.OK)


def _bundled() -> Collection:
    from attune_dev.cli.namespace import namespace

    return namespace()


def _explain(problem: ParseError) -> str:
    message = str(problem)
    lines = [f"error: {message}"]
    if "No idea what" in message:
        word = message.partition("'")[2].rpartition("'")[0]
        near = difflib.get_close_matches(word, sorted(TASK_NAMES), n=3)
        kind = "option" if word.startswith("-") else "task"
        lines = [f"error: unknown {kind} `{word}`"]
        if near:
            lines.append(f"  did you mean: {', '.join(near)}?")
        lines.append("  fix: `--list` shows the tasks, `--help TASK` what a task takes")
    return "\n".join(lines)


def _refuse(message: str) -> NoReturn:
    raise Exit(message, code=ExitCode.USAGE)


if __name__ == "__main__":
    main()
