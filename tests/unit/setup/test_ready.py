"""The fast answer holds only as long as nothing that it rests on has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from attune_dev.setup import ready
from attune_dev.setup.engine import Engine, Plugin
from attune_dev.setup.report import Item, State
from tests.unit.unix_server import UnixAnswers, UnixServer, serving


class EngineSocket(UnixServer):
    """Answers on a Unix socket as an engine with some images does."""

    images: set[str]


class Answers(UnixAnswers):
    """Knows ``/_ping`` and ``/images/NAME/json``."""

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        assert isinstance(self.server, EngineSocket)
        name = unquote(self.path).removeprefix("/images/").removesuffix("/json")
        known = self.path == "/_ping" or name in self.server.images
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture
def engine_socket(tmp_path: Path) -> Iterator[EngineSocket]:
    server = EngineSocket(str(tmp_path / "s"), Answers)
    server.images = {"standin/rust:1"}
    with serving(server):
        yield server


@pytest.fixture
def root(tmp_path: Path, engine_socket: EngineSocket, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose full check has just found all well."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "RUST_IMAGE", "DEBIAN_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "client"))
    checkout = tmp_path / "checkout"
    for folder in (checkout / "docker", tmp_path / "client" / "cli-plugins"):
        folder.mkdir(parents=True)
    (checkout / "docker" / "Dockerfile").write_text("ARG RUST_IMAGE=rust:1\n")
    (checkout / ".env").write_text("RUST_IMAGE=standin/rust:1\n")
    plugins = {}
    for name in ("compose", "buildx"):
        path = tmp_path / "client" / "cli-plugins" / f"docker-{name}"
        path.write_text("program")
        plugins[name] = Plugin(str(path), "9.9")
    endpoint = f"unix://{tmp_path / 's'}"
    engine = Engine(Item("engine", State.OK), plugins, "x86_64", endpoint)
    ready.remember(checkout, engine, ["standin/rust:1"])
    return checkout


def test_after_a_full_check_the_answer_is_yes(root: Path) -> None:
    assert ready.is_remembered(root)


def test_without_a_record_the_answer_is_no(tmp_path: Path) -> None:
    assert not ready.is_remembered(tmp_path)


def test_a_removed_image_voids_the_record(root: Path, engine_socket: EngineSocket) -> None:
    engine_socket.images.clear()
    assert not ready.is_remembered(root)


def test_an_engine_that_is_gone_voids_the_record(root: Path) -> None:
    (root.parent / "s").unlink()
    assert not ready.is_remembered(root)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a removed plugin": lambda root: (root.parent / "client/cli-plugins/docker-buildx").unlink(),
    "another plugin program": lambda root: (
        root.parent / "client/cli-plugins/docker-compose"
    ).write_text("another program"),
    "another client configuration": lambda root: (root.parent / "client/config.json").write_text(
        "{}"
    ),
    "another Dockerfile": lambda root: (root / "docker/Dockerfile").write_text("ARG A=1"),
    "a removed .env": lambda root: (root / ".env").unlink(),
    "a torn record": lambda root: (root / ".attune-dev/ready.json").write_text('{"state": '),
    "a record of another kind": lambda root: (root / ".attune-dev/ready.json").write_text("[]"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_answer_rests_on_voids_it_by_changing(change: str, root: Path) -> None:
    CHANGES[change](root)
    assert not ready.is_remembered(root)


def test_naming_another_engine_voids_the_record(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere.sock")
    assert not ready.is_remembered(root)


def test_a_remote_engine_is_asked_in_full_each_time(root: Path) -> None:
    (root / ".attune-dev/ready.json").unlink()
    engine = Engine(Item("engine", State.OK), {}, "x86_64", "ssh://box")
    ready.remember(root, engine, [])
    assert not (root / ".attune-dev/ready.json").exists()
