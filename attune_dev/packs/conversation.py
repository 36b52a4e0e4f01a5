"""Talks with the agent: frames over a pipe, whether it runs in a container or beside us."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from attune_dev.docker import process
from attune_dev.docker.failures import environment_error
from attune_dev.errors import ActionError, AttuneDevError, EnvironmentLacksError

AGENT = Path(__file__).with_name("agent.pl")
PROTOCOL = b"1"
BOOTSTRAP = (
    "my $n=shift;my $s='';while(length $s<$n){sysread(STDIN,$s,$n-length $s,length $s) or exit 1}"
    "eval $s;die $@ if $@"
)
"""Reads the agent from its standard input: no mount and no image of our own is needed."""
BUFFER = 256 * 1024
"""Bytes: a small file and what tells of it travel in one write."""
CLOSE_SECONDS = 15.0
KILL_SECONDS = 1.0
FAILURES = {
    "full": ("no space left for the packs", "free some space on the engine's disk and sync again"),
    "corrupt": ("a file of a pack changed while it was sent", "sync again"),
}

Frame = tuple[str, tuple[bytes, ...]]
Step = Callable[[str], None]


class HelperLost(ActionError):  # noqa: N818 - reads as what happened
    """The helper ended in the middle of a conversation."""


class AgentTrouble(ActionError):  # noqa: N818 - reads as what happened
    """The agent could not do what was asked; the volume is as it was.

    Attributes:
        kind: ``full``, ``corrupt``, ``refused`` or ``failed``.
    """

    def __init__(self, kind: str, text: str) -> None:
        what, hint = FAILURES.get(kind, ("the packs volume could not be written", ""))
        super().__init__(what, why=text, hint=hint)
        self.kind = kind


class Conversation:
    """One running agent."""

    def __init__(self, argv: Sequence[str], *, on_step: Step | None = None) -> None:
        """Starts the agent.

        Args:
            argv: a command that runs perl with ``BOOTSTRAP``, the agent's length and its arguments.
            on_step: called at each named point of the agent's work, which waits meanwhile.

        Raises:
            EnvironmentLacksError: there is no such program.
            HelperLost: it ended at once.
        """
        self.on_step = on_step
        self._child = process.pipe(argv, buffer=BUFFER)
        stdin, stdout, stderr = self._child.stdin, self._child.stdout, self._child.stderr
        assert stdin is not None  # noqa: S101 - all three are pipes
        assert stdout is not None  # noqa: S101
        assert stderr is not None  # noqa: S101
        self._in: IO[bytes] = stdin
        self._out: IO[bytes] = stdout
        self._complaints: deque[bytes] = deque(maxlen=20)
        self._greeted = False
        self._listener = threading.Thread(target=self._listen, args=(stderr,), daemon=True)
        self._listener.start()
        self._write(script())
        hello = self.answer()
        if hello != ("hello", (PROTOCOL,)):
            self.close()
            raise HelperLost("the packs helper speaks another language", why=repr(hello))
        self._greeted = True
        if on_step is not None:
            self.send("announce")

    def _listen(self, stream: IO[bytes]) -> None:
        with suppress(ValueError):
            self._complaints.extend(iter(lambda: stream.readline(8192), b""))

    @property
    def alive(self) -> bool:
        """Whether the agent still runs."""
        return self._child.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the program that was started."""
        return self._child.pid

    def send(self, verb: str, *fields: bytes) -> None:
        """Sends a request, with the next :meth:`flush` or answer at the latest.

        Raises:
            HelperLost: the agent is gone.
        """
        self._write(frame(verb, *fields))

    def flush(self) -> None:
        """Puts requests on their way that are answered later.

        Raises:
            HelperLost: the agent is gone.
        """
        try:
            self._in.flush()
        except (BrokenPipeError, ValueError):
            raise self._lost() from None

    def ask(self, verb: str, *fields: bytes) -> Iterator[Frame]:
        """Sends a request and hands on what is answered.

        Raises:
            HelperLost: the agent is gone.
            AgentTrouble: it could not do it.
        """
        self.send(verb, *fields)
        yield from self.answers()

    def answers(self) -> Iterator[Frame]:
        """What is answered to a request that was sent; see :meth:`ask`."""
        while True:
            yield self.answer()

    def answer(self) -> Frame:
        """The next frame; steps are handed to ``on_step`` and confirmed.

        Raises:
            HelperLost: the agent is gone.
            AgentTrouble: it says that it could not do what was asked.
        """
        self.flush()
        while True:
            head = self._out.readline(200)
            verb, _, length = head.decode("ascii", "replace").rstrip("\n").partition(" ")
            if not head.endswith(b"\n") or not length.isdigit():
                raise self._lost()
            payload = self._out.read(int(length))
            if len(payload) < int(length):
                raise self._lost()
            fields = tuple(payload.split(b"\0")) if payload else ()
            if verb == "error":
                kind, text = (os.fsdecode(field) for field in (*fields, b"", b"")[:2])
                raise AgentTrouble(kind, text)
            if verb != "step":
                return verb, fields
            if self.on_step is not None:
                self.on_step(os.fsdecode(fields[0]))
            self.send("go")
            self.flush()

    def _write(self, data: bytes) -> None:
        try:
            self._in.write(data)
        except (BrokenPipeError, ValueError):
            raise self._lost() from None

    def _lost(self) -> AttuneDevError:
        self.close(kill=True)
        code = self._child.returncode
        told = b"".join(self._complaints).decode(errors="replace").strip()
        if not self._greeted and code in {125, 126, 127} and told:
            return environment_error(told) or EnvironmentLacksError(
                "the packs helper could not be started", why=told, hint="run `inv setup`"
            )
        return HelperLost(
            f"the sync was interrupted: its helper ended with exit code {code}",
            why=told,
            hint="run `inv packs.sync` again, it repairs what was left",
        )

    def close(self, *, kill: bool = False) -> None:
        """Ends the agent; it tidies up first, unless it is killed."""
        with suppress(OSError, ValueError):
            self._in.close()
        # its standard error ends with it; a killed one may be about to tell why it ends
        self._listener.join(KILL_SECONDS if kill else CLOSE_SECONDS)
        if not process.ends_within(self._child, 0.1 if self._listener.is_alive() else KILL_SECONDS):
            process.end_group(self._child, grace=1.0)
            self._listener.join(CLOSE_SECONDS)
        for stream in (self._out, self._child.stderr):
            if stream is not None:
                stream.close()


def frame(verb: str, *fields: bytes) -> bytes:
    """A request or answer as it travels: ``VERB LENGTH`` and the fields with NUL between them."""
    payload = b"\0".join(fields)
    return b"%s %d\n%s" % (verb.encode(), len(payload), payload)


def script() -> bytes:
    """The agent's source."""
    return AGENT.read_bytes()


def perl_command(*arguments: str, perl: str = "perl") -> list[str]:
    """The command that runs the agent from its standard input."""
    return [perl, "-e", BOOTSTRAP, str(len(script())), *arguments]
