"""Every error that a user can see.

AttuneDevError            exit 1
├── ActionError           exit 1   an action failed: a build, a restart, a sync
├── UsageError            exit 2   a wrong word on the command line
├── ConfigError           exit 2   a file of the repository is wrong
├── EnvironmentLacksError exit 3   the machine lacks something: engine, plugin, image
└── Interrupted           exit 130 Ctrl-C (143 for SIGTERM, 129 for SIGHUP)
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller."""

    OK = 0
    ACTION_FAILED = 1
    USAGE = 2
    ENVIRONMENT = 3
    SOMETHING_TO_DO = 10
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class AttuneDevError(Exception):
    """An error that is told in at most four lines, never by a traceback.

    Args:
        what: what went wrong, one line, without the word "error".
        why: the reason, one or more lines; empty where ``what`` says it all.
        hint: the one next step, usually a command to type.
        file: repository-relative or absolute path that is at fault.
        line: one-based line in ``file``.
        column: one-based column in ``line``.
    """

    exit_code: int = ExitCode.ACTION_FAILED

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        hint: str = "",
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint
        self.file = file
        self.line = line
        self.column = column

    @property
    def where(self) -> str:
        """``file:line``, ``file`` or an empty string."""
        if self.file is None:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def lines(self) -> list[str]:
        """The message as a person reads it, one item per line, without control characters."""
        where = f" ({self.where})" if self.where else ""
        told = [f"error: {self.what}{where}"]
        told += [f"  {line}" for line in self.why.splitlines()]
        if self.hint:
            told.append(f"  fix: {self.hint}")
        return told


class ActionError(AttuneDevError):
    """An action failed; what ran before still runs."""


class UsageError(AttuneDevError):
    """The command line names something that does not exist or does not fit."""

    exit_code = ExitCode.USAGE


class ConfigError(AttuneDevError):
    """A file of the repository cannot be understood."""

    exit_code = ExitCode.USAGE


class EnvironmentLacksError(AttuneDevError):
    """The machine lacks something that the work needs."""

    exit_code = ExitCode.ENVIRONMENT


class Interrupted(AttuneDevError):  # noqa: N818 - it is a state, not a fault
    """The user or the system asked to stop.

    Args:
        code: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
    """

    def __init__(self, code: int = ExitCode.INTERRUPTED, what: str = "interrupted") -> None:
        super().__init__(what)
        self.exit_code = code
