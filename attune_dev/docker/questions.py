"""Questions to the engine through its Unix socket: 3 ms each, where the docker client takes 50.

Only what has one plain answer is asked here. Wherever this way does not lead to one (an engine that
is somewhere else, a context, no permission), the docker client is asked, which knows all ways and
says what is wrong.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

USUAL = "/var/run/docker.sock"
SECONDS = 10.0
_SCHEME = "unix://"
_STREAM_HEAD = 8
_PIECE = 1 << 16


class NoAnswer(Exception):  # noqa: N818 - reads as what happened
    """The engine cannot be asked in this way, or says that something is wrong."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container left: its exit status, and what it said on either stream."""

    status: int
    output: str


class SocketConnection(http.client.HTTPConnection):
    """HTTP through a Unix socket.

    Args:
        path: of the socket.
        seconds: how long each step of an answer may take.
    """

    def __init__(self, path: str, seconds: float = SECONDS) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path
        self._seconds = seconds

    def connect(self) -> None:
        """Connects to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._seconds)
        self.sock.connect(self._path)


def socket_path(environ: Mapping[str, str]) -> str:
    """The socket that the docker client would use, empty where it is none or a context tells.

    Args:
        environ: environment of the client.
    """
    if host := environ.get("DOCKER_HOST", ""):
        return host.removeprefix(_SCHEME) if host.startswith(_SCHEME) else ""
    if environ.get("DOCKER_CONTEXT", "default") not in ("", "default"):
        return ""
    home = environ.get("HOME", "")
    folder = environ.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else "")
    try:
        said = json.loads((Path(folder) / "config.json").read_bytes()) if folder else {}
        context = str(said.get("currentContext") or "default")
    except FileNotFoundError:
        context = "default"
    except (OSError, ValueError, AttributeError):
        return ""
    return USUAL if context == "default" and os.access(USUAL, os.R_OK | os.W_OK) else ""


class Questions:
    """Asks one engine.

    Args:
        environ: environment of the docker client that would be asked otherwise.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def containers(self, label: str) -> list[dict[str, Any]]:
        """What ``docker container inspect`` tells of all containers with a label.

        Raises:
            NoAnswer: see there.
        """
        words = urlencode({"all": "true", "filters": json.dumps({"label": [label]})})
        with closing(self._connect()) as engine:
            listed = _read(_ask(engine, f"/containers/json?{words}"))
            # one that went away meanwhile is left out
            found = [_ask(engine, f"/containers/{each['Id']}/json") for each in listed]
            return [_read(answer) for answer in found if answer is not None]

    def images(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """What ``docker image inspect`` tells of the images that are there.

        Raises:
            NoAnswer: see there.
        """
        with closing(self._connect()) as engine:
            found = [_ask(engine, f"/images/{quote(name)}/json") for name in names]
            return [_read(answer) for answer in found if answer is not None]

    def file(self, container: str, path: str) -> bytes | None:
        """A file of a container as an archive, ``None`` where it is not there.

        Raises:
            NoAnswer: see there.
        """
        with closing(self._connect()) as engine:
            return _ask(engine, f"/containers/{container}/archive?{urlencode({'path': path})}")

    def execute(self, container: str, words: Iterable[str], seconds: float) -> ExecResult:
        """Runs a command in a container.

        Args:
            container: its id.
            words: the command.
            seconds: how long it may take.

        Raises:
            NoAnswer: see there.
            TimeoutError: it took longer.
        """
        told = {"AttachStdout": True, "AttachStderr": True, "Cmd": [*words]}
        with closing(self._connect(seconds)) as engine:
            made = _read(_ask(engine, f"/containers/{container}/exec", told))
            place = f"/exec/{made.get('Id')}"
            said = _ask(engine, f"{place}/start", {"Detach": False, "Tty": False}, seconds)
        with closing(self._connect()) as engine:
            status = _read(_ask(engine, f"{place}/json")).get("ExitCode")
        if said is None or status is None:
            raise NoAnswer("the engine does not say how the command ended")
        return ExecResult(int(status), _joined(said).decode(errors="replace"))

    def _connect(self, seconds: float = SECONDS) -> SocketConnection:
        path = socket_path(self._environ)
        if not path:
            raise NoAnswer("the engine is not at a socket that is known")
        return SocketConnection(path, seconds)


def _ask(
    engine: SocketConnection,
    path: str,
    document: Mapping[str, Any] | None = None,
    seconds: float = 0.0,
) -> bytes | None:
    """The body of an answer, ``None`` where the engine does not know what it is asked about.

    Args:
        engine: whom.
        path: what.
        document: is posted where there is one.
        seconds: how long the whole answer may take, where that is bounded.
    """
    body = None if document is None else json.dumps(document).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    try:
        engine.request("GET" if body is None else "POST", path, body, headers)
        answer = engine.getresponse()
        said = _within(answer, seconds) if seconds else answer.read()
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException) as problem:
        raise NoAnswer(str(problem)) from None
    if answer.status == http.client.NOT_FOUND:
        return None
    if answer.status >= http.client.MULTIPLE_CHOICES:
        raise NoAnswer(f"{answer.status} {answer.reason}")
    return said


def _within(answer: http.client.HTTPResponse, seconds: float) -> bytes:
    """All of an answer that comes piece by piece."""
    end = time.monotonic() + seconds
    said = b""
    while piece := answer.read1(_PIECE):
        said += piece
        if time.monotonic() > end:
            raise TimeoutError
    return said


def _read(answer: bytes | None) -> Any:
    try:
        return json.loads(answer or b"")
    except ValueError:
        raise NoAnswer("this is no answer of an engine") from None


def _joined(stream: bytes) -> bytes:
    """Both streams of a command as they came: each piece has a head with its length."""
    found = b""
    while len(stream) >= _STREAM_HEAD:
        end = _STREAM_HEAD + int.from_bytes(stream[4:_STREAM_HEAD])
        found += stream[_STREAM_HEAD:end]
        stream = stream[end:]
    return found
