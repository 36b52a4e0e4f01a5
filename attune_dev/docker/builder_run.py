"""One call into a builder: sources in, cargo's words and the programs out."""

from __future__ import annotations

import hashlib
import re
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from attune_dev.docker import process
from attune_dev.docker.process import Completed
from attune_dev.docker.progress import CargoParser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attune_dev.docker.diagnostics import BuildRecord
    from attune_dev.docker.port import OnBuildEvent

_ENDS = re.compile(rb"[\r\n]")
_TAIL = 8000
READ_SIZE = 65536


@dataclass(frozen=True, slots=True)
class Program:
    """A program that cargo made.

    Attributes:
        name: Cargo's name for it.
        digest: SHA-256.
        content: its bytes, ``None`` where they were known by their digest.
    """

    name: str
    digest: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class CompileResult:
    """What a call of cargo made.

    Attributes:
        programs: in no order.
        compiled: how many packages were compiled.
        sources: digest of all sources.
        lock: the lock file afterwards.
    """

    programs: tuple[Program, ...] = ()
    compiled: int = 0
    sources: str = ""
    lock: bytes | None = None

    def of(self, sources: str) -> CompileResult:
        """The same, made from these sources."""
        return replace(self, sources=sources)


class BuilderRun:
    """A call that runs.

    Attributes:
        synced: whether the sources have arrived.
        status: cargo's exit status, ``None`` where it did not come to an end.
        completed: how the call itself ended.
    """

    def __init__(
        self, child: process.Child, given: bytes, record: BuildRecord, on_event: OnBuildEvent
    ) -> None:
        """Gives a waiting call what to do.

        Args:
            child: the call.
            given: for its standard input.
            record: is told the progress.
            on_event: the same.
        """
        self.synced = False
        self.status: int | None = None
        self.completed: Completed | None = None
        self._record = record
        self._on_event = on_event
        self._tail = b""
        self._child = child
        self._threads = [
            threading.Thread(target=self._feed, args=(given,), daemon=True),
            threading.Thread(target=self._listen, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def result(self) -> CompileResult:
        """Waits for the end."""
        programs: list[Program] = []
        lock: bytes | None = None
        with _piped(self._child.stdout) as out:
            for line in iter(out.readline, b""):
                match line.decode(errors="replace").split():
                    case ["attune-dev:", "synced"]:
                        self.synced = True
                    case ["attune-dev:", "exit", status]:
                        self.status = int(status)
                    case ["attune-dev:", "program", name, digest, size]:
                        content = out.read(int(size)) if int(size) else None
                        if content is not None:
                            digest = hashlib.sha256(content).hexdigest()
                        programs.append(Program(name, digest, content))
                    case ["attune-dev:", "lock", _, size]:
                        lock = out.read(int(size))
        code = self._child.wait()
        for thread in self._threads:
            thread.join(process.GRACE_SECONDS)
        said = self._tail.decode(errors="replace")
        self.completed = Completed(("docker", "exec"), code, "", said)
        return CompileResult(tuple(programs), self._record.compiled, lock=lock)

    def _feed(self, given: bytes) -> None:
        with suppress(BrokenPipeError), _piped(self._child.stdin) as stdin:
            stdin.write(given)  # where it ended before, its status tells why

    def _listen(self) -> None:
        """Cargo redraws its progress with carriage returns: each is a line."""
        parser = CargoParser()
        with _piped(self._child.stderr) as stream:
            for line in _lines(stream):
                self._tail = (self._tail + line + b"\n")[-_TAIL:]
                for event in parser.feed(line.decode(errors="replace")):
                    self._record.add(event)
                    self._on_event(event)


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the program was started without a pipe")
    return stream


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read1(READ_SIZE):  # type: ignore[attr-defined]
        *whole, rest = _ENDS.split(rest + chunk)
        yield from whole
    if rest:
        yield rest
