"""The one door for running other programs: own process group, bounded output, clean ends.

The rules come from what was measured of wrapped ``docker`` calls: a signal must reach the whole
group (a plugin is a child of the client), output is not always UTF-8, and a reader that joins what
it has read is quadratic.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from attune_dev.errors import ActionError, EnvironmentLacksError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Child = subprocess.Popen[bytes]
"""A program that was started, with pipes in bytes."""

LINE_LIMIT = 8192
TAIL_LINES = 200
GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that ended.

    Attributes:
        argv: what was run.
        returncode: exit status, negative signal number where a signal ended it.
        stdout: decoded with replacement; the last lines only where it was streamed.
        stderr: the same.
        seconds: how long it ran.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it exited with 0."""
        return self.returncode == 0


class CommandFailed(ActionError):  # noqa: N818 - reads as what happened
    """A program exited with another status than 0.

    Attributes:
        completed: what it left.
    """

    def __init__(self, completed: Completed) -> None:
        program = " ".join(completed.argv[:3])
        tail = (completed.stderr.strip() or completed.stdout.strip()).splitlines()[-10:]
        super().__init__(f"`{program} …` exited with {completed.returncode}", why="\n".join(tail))
        self.completed = completed


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,  # noqa: A002 - the name subprocess uses
    timeout: float | None = None,
    check: bool = True,
    whole: bool = False,
) -> Completed:
    """Runs a program to its end and keeps its output.

    Args:
        argv: program and arguments, never a shell line.
        cwd: working folder.
        env: the whole environment; ours where it is ``None``.
        input: bytes for its standard input; nothing is inherited otherwise.
        timeout: seconds until its group is killed.
        check: whether a status other than 0 raises.
        whole: whether an interrupt waits for the program's own end, where breaking it off would
            do harm.

    Raises:
        EnvironmentLacksError: the program is not there, or it ran into the time limit.
        CommandFailed: it failed and ``check`` is set.
    """
    started = time.monotonic()
    child = _spawn(argv, cwd, env, stdin=subprocess.PIPE if input is not None else None)
    try:
        out, err = child.communicate(input, timeout=timeout)
    except subprocess.TimeoutExpired:
        _abandon(child, grace=1.0)
        raise EnvironmentLacksError(
            f"`{' '.join(argv[:3])} …` did not finish within {timeout:.0f} s"
        ) from None
    except BaseException:
        if whole:
            child.communicate()
        else:
            _abandon(child)
        raise
    completed = Completed(
        tuple(argv),
        child.returncode,
        out.decode(errors="replace"),
        err.decode(errors="replace"),
        time.monotonic() - started,
    )
    if check and not completed.ok:
        raise CommandFailed(completed)
    return completed


class Running:
    """A program that runs while its lines are read; ``cancel`` may come from any thread."""

    def __init__(
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        on_error_line: Callable[[str], None] | None = None,
        input: bytes | None = None,  # noqa: A002 - the name subprocess uses
        line_limit: int = LINE_LIMIT,
    ) -> None:
        """Starts the program.

        Args:
            argv: program and arguments.
            on_line: called with each line of standard output, without its line end.
            cwd: working folder.
            env: the whole environment; ours where it is ``None``.
            on_error_line: the same for standard error; ``on_line`` where it is ``None``.
            input: bytes for its standard input.
            line_limit: bytes above which a line comes in pieces.

        Raises:
            EnvironmentLacksError: the program is not there.
        """
        self.argv = tuple(argv)
        self.cancelled = False
        self._line_limit = line_limit
        self._started = time.monotonic()
        self._child = _spawn(argv, cwd, env, stdin=subprocess.PIPE if input is not None else None)
        self._tails: tuple[deque[str], deque[str]] = (
            deque(maxlen=TAIL_LINES),
            deque(maxlen=TAIL_LINES),
        )
        sinks = (on_line, on_error_line or on_line)
        streams = (self._child.stdout, self._child.stderr)
        self._errors: list[BaseException] = []
        self._readers = [
            threading.Thread(target=self._read, args=(stream, sink, tail), daemon=True)
            for stream, sink, tail in zip(streams, sinks, self._tails, strict=True)
        ]
        for reader in self._readers:
            reader.start()
        if input is not None and self._child.stdin is not None:
            with suppress(BrokenPipeError):
                self._child.stdin.write(input)
                self._child.stdin.close()

    def _read(self, stream: IO[bytes], sink: Callable[[str], None], tail: deque[str]) -> None:
        with stream:
            for line in _lines(stream, self._line_limit):
                tail.append(line)
                try:
                    sink(line)
                except Exception as problem:  # noqa: BLE001 - told by wait(), the pipe must drain
                    self._errors.append(problem)

    def wait(self, timeout: float | None = None, *, check: bool = True) -> Completed:
        """Waits for the end.

        Raises:
            TimeoutError: it still runs after ``timeout`` seconds.
            CommandFailed: it failed, was not cancelled, and ``check`` is set.
        """
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        except BaseException:
            self.cancel()
            raise
        for reader in self._readers:
            reader.join(GRACE_SECONDS)
        if self._errors:
            raise self._errors[0]
        completed = Completed(
            self.argv,
            self._child.returncode,
            "\n".join(self._tails[0]),
            "\n".join(self._tails[1]),
            time.monotonic() - self._started,
        )
        if check and not completed.ok and not self.cancelled:
            raise CommandFailed(completed)
        return completed

    def cancel(self, grace: float = GRACE_SECONDS) -> None:
        """Ends the whole group: interrupt, then terminate, then kill."""
        self.cancelled = True
        end_group(self._child, grace=grace)

    @property
    def pid(self) -> int:
        """Its process, the leader of a group of its own."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None


def stream(
    argv: Sequence[str],
    on_line: Callable[[str], None],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,  # noqa: A002 - the name subprocess uses
    check: bool = True,
) -> Completed:
    """Runs a program and hands on each line of both its outputs as it comes.

    Raises:
        EnvironmentLacksError: the program is not there.
        CommandFailed: it failed and ``check`` is set.
    """
    return Running(argv, on_line, cwd=cwd, env=env, input=input).wait(check=check)


def pipe(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    buffer: int = -1,
) -> subprocess.Popen[bytes]:
    """Starts a program with all three streams as pipes, for talking with it in bytes.

    The caller ends it, with :func:`end_group` where it does not end by itself.

    Args:
        argv: the program and its arguments.
        cwd: its folder, ours where it is ``None``.
        env: its environment, ours where it is ``None``.
        buffer: bytes that each of our ends buffers; Python's own choice where it is negative.

    Raises:
        EnvironmentLacksError: the program is not there.
    """
    return _spawn(argv, cwd, env, stdin=subprocess.PIPE, buffer=buffer)


def attach(
    argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> int:
    """Hands the terminal to a program and waits: for ``exec``, ``logs`` and the like.

    Returns:
        Its exit status.

    Raises:
        EnvironmentLacksError: the program is not there.
    """
    try:
        child = subprocess.Popen(list(argv), cwd=cwd, env=env)
    except FileNotFoundError:
        raise _not_found(argv[0]) from None
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # the terminal has told the child too; it decides


def ends_within(child: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether a program ends by itself in this time."""
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def end_group(child: subprocess.Popen[bytes], *, grace: float = GRACE_SECONDS) -> None:
    """Ends a program and all its children, the gentle way first."""
    for number, patience in (
        (signal.SIGINT, grace),
        (signal.SIGTERM, grace),
        (signal.SIGKILL, grace),
    ):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
        if ends_within(child, patience):
            break
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _abandon(child: subprocess.Popen[bytes], grace: float = GRACE_SECONDS) -> None:
    """Ends a program whose output nobody wants any more."""
    end_group(child, grace=grace)
    for pipe_end in (child.stdin, child.stdout, child.stderr):
        if pipe_end is not None:
            pipe_end.close()


def _spawn(
    argv: Sequence[str],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    *,
    stdin: int | None,
    buffer: int = -1,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=buffer,
            start_new_session=True,
        )
    except FileNotFoundError:
        if cwd is not None and not Path(cwd).is_dir():
            raise EnvironmentLacksError(f"the folder {cwd} does not exist") from None
        raise _not_found(argv[0]) from None


def _not_found(program: str) -> EnvironmentLacksError:
    return EnvironmentLacksError(
        f"`{program}` is not installed", why="it is not on PATH", hint=f"install {program}"
    )


def _lines(stream: IO[bytes], limit: int) -> Iterator[str]:
    """Lines without their ends; one that is longer than the limit comes in pieces."""
    while chunk := stream.readline(limit):
        yield chunk.decode(errors="replace").rstrip("\r\n")
