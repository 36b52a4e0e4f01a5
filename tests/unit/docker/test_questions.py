"""Questions through the engine's socket: where it is, and that no wrong answer is taken for one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune_dev.docker.engine import Engine
from attune_dev.docker.questions import USUAL, NoAnswer, Questions, socket_path
from attune_dev.errors import EnvironmentLacksError
from attune_dev.testing import compose_project
from tests.unit.unix_server import UnixAnswers, UnixServer, serving


class Told(UnixServer):
    """Answers on a Unix socket by a script: path to status and body."""

    script: dict[str, tuple[int, bytes]]


class Answers(UnixAnswers):
    def _answer(self) -> None:
        assert isinstance(self.server, Told)
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path = self.path.partition("?")[0]
        status, body = self.server.script.get(path, (404, b'{"message": "no such"}'))
        self.send_response(status)
        if path.endswith("/start"):  # a stream, to its end
            self.send_header("Connection", "close")
            self.end_headers()
            for piece in body.split(b"|"):
                self.wfile.write(piece)
                time.sleep(0.02)
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - the base class's names


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Told]:
    server = Told(str(tmp_path / "s"), Answers)
    server.script = {}
    with serving(server):
        yield server


def asking(engine: Told) -> Questions:
    return Questions({"DOCKER_HOST": f"unix://{engine.server_address!s}"})


def test_what_is_not_there_is_left_out(engine: Told) -> None:
    engine.script = {
        "/containers/json": (200, b'[{"Id": "a"}, {"Id": "gone"}, {"Id": "b"}]'),
        "/containers/a/json": (200, b'{"Id": "a"}'),
        "/containers/b/json": (200, b'{"Id": "b"}'),
        "/images/x/y%3A1/json": (200, b'{"Id": "i"}'),
    }
    assert asking(engine).containers("label") == [{"Id": "a"}, {"Id": "b"}]
    assert asking(engine).images(["x/y:1", "none"]) == [{"Id": "i"}]
    assert asking(engine).file("a", "/etc/none") is None


@pytest.mark.parametrize("answer", [(500, b"{}"), (403, b"no"), (200, b"<html>"), (200, b"")])
def test_what_is_no_answer_is_not_taken_for_one(engine: Told, answer: tuple[int, bytes]) -> None:
    engine.script = {"/containers/json": answer, "/images/a/json": answer}
    with pytest.raises(NoAnswer):
        asking(engine).containers("label")
    with pytest.raises(NoAnswer):
        asking(engine).images(["a"])


def test_a_command_tells_its_status_and_both_streams(engine: Told) -> None:
    engine.script = {
        "/containers/a/exec": (201, b'{"Id": "e"}'),
        "/exec/e/start": (200, b"\1\0\0\0\0\0\0\3out|\2\0\0\0\0\0\0\3err"),
        "/exec/e/json": (200, b'{"ExitCode": 3}'),
    }
    told = asking(engine).execute("a", ["true"], 5)
    assert (told.status, told.output) == (3, "outerr")
    engine.script["/exec/e/json"] = (200, b'{"Running": true, "ExitCode": null}')
    with pytest.raises(NoAnswer):
        asking(engine).execute("a", ["true"], 5)


def test_a_command_that_goes_on_talking_runs_into_its_time(engine: Told) -> None:
    engine.script = {
        "/containers/a/exec": (201, b'{"Id": "e"}'),
        "/exec/e/start": (200, b"|".join([b"x"] * 1000)),
    }
    with pytest.raises(TimeoutError):
        asking(engine).execute("a", ["true"], 0.2)


def test_a_command_in_what_does_not_run_is_the_clients_to_explain(engine: Told) -> None:
    engine.script = {"/containers/a/exec": (409, b'{"message": "is not running"}')}
    for container in ("a", "gone"):
        with pytest.raises(NoAnswer):
            asking(engine).execute(container, ["true"], 5)


def test_the_socket_is_the_clients(tmp_path: Path) -> None:
    assert socket_path({"DOCKER_HOST": "unix:///x/y.sock", "DOCKER_CONTEXT": "far"}) == "/x/y.sock"
    assert socket_path({"DOCKER_HOST": "tcp://far:2376"}) == ""
    assert socket_path({"DOCKER_CONTEXT": "far"}) == ""
    config = tmp_path / "config.json"
    environ = {"DOCKER_CONFIG": str(tmp_path)}
    usual = socket_path(environ)
    assert usual in (USUAL, "")  # as it is on this machine
    for text in ('{"currentContext": "far"}', "{", "[]"):
        config.write_text(text)
        assert socket_path(environ) == ""
    for text in ("{}", '{"currentContext": "default"}', '{"currentContext": ""}'):
        config.write_text(text)
        assert socket_path(environ) == usual


def test_an_engine_that_is_gone_is_told_as_the_client_tells_it(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": f"unix://{tmp_path}/none", "PATH": "/nowhere"}
    with pytest.raises(NoAnswer):
        Questions(environ).containers("label")
    with pytest.raises(EnvironmentLacksError):
        Engine(compose_project(), environ).containers()
