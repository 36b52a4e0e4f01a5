"""What the docker client says, as a person needs it. The client is a script that says it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attune_dev.errors import AttuneDevError, ExitCode
from attune_dev.setup import images
from attune_dev.setup.engine import look_at_engine
from attune_dev.setup.ensure import check, ensure
from attune_dev.setup.report import State

CLIENT = {"Plugins": [{"Name": "compose", "Version": "2.40.3-3", "Path": "/p/docker-compose"}]}
ENDPOINT = "unix:///run/test.sock"


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a program ``docker`` on PATH that answers as ``script`` does."""
    program = folder / "docker"
    program.write_text(
        f'#!/bin/sh\ncase "$1 $2" in\n"context inspect") echo {ENDPOINT}; exit;;\nesac\n{script}\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def info(server: dict[str, object], problem: str = "") -> str:
    said = json.dumps({**server, "ClientInfo": CLIENT})
    return f"echo '{said}'; " + (f"echo '{problem}' >&2; exit 1" if problem else "exit 0")


def test_an_engine_that_answers_is_ok(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, info({"ServerVersion": "28.1", "Architecture": "x86_64"}), monkeypatch)
    engine = look_at_engine()
    assert engine.item.ok
    assert (engine.architecture, engine.endpoint) == ("x86_64", ENDPOINT)
    assert engine.plugins["compose"].version == "2.40.3-3"


def test_without_the_client_the_message_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    item = look_at_engine().item
    assert item.state is State.MISSING
    assert "docker CLI not found" in item.why


def test_an_engine_that_is_down_is_told_with_its_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, info({"ServerVersion": ""}, "Cannot connect to the daemon"), monkeypatch)
    with pytest.raises(AttuneDevError) as caught:
        ensure(tmp_path, print)
    assert caught.value.exit_code == ExitCode.ENVIRONMENT
    assert caught.value.what == f"engine not reachable at {ENDPOINT}"
    assert caught.value.hint.startswith("start it")
    assert [item.name for item in check(tmp_path).lacking] == ["engine", "buildx"]


def test_no_permission_leads_to_the_group_and_never_to_sudo_or_chmod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = "permission denied while trying to connect to the docker API"
    install(tmp_path, info({"ServerErrors": [denied]}, denied), monkeypatch)
    item = look_at_engine().item
    assert item.why == "no permission on /run/test.sock"
    assert "group docker" in item.hint
    assert "chmod" not in item.hint
    assert "sudo" not in item.hint


def test_output_that_is_no_json_is_an_engine_that_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "echo '{broken'; exit 0", monkeypatch)
    assert look_at_engine().item.state is State.MISSING


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("dial tcp: lookup r.test: no such host", images.Pull.NO_ANSWER),
        ("net/http: TLS handshake timeout", images.Pull.NO_ANSWER),
        ("received unexpected HTTP status: 503 Service Unavailable", images.Pull.NO_ANSWER),
        ("manifest for rust:9.9 not found: manifest unknown", images.Pull.REFUSED),
        ("pull access denied for mine, repository does not exist", images.Pull.REFUSED),
        ("toomanyrequests: You have reached your pull rate limit", images.Pull.REFUSED),
    ],
)
def test_a_registry_that_refuses_is_not_one_that_is_silent(
    words: str, expected: images.Pull, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, f"echo 'Error response from daemon: {words}' >&2; exit 1", monkeypatch)
    how, said = images.pull("rust:1", print)
    assert how is expected
    assert words in said


def test_a_pull_that_works_is_announced_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "echo '1: Pulling from library/rust'; echo 'ab: Pulling fs layer'; echo 'Status: ok'"
    install(tmp_path, script, monkeypatch)
    told: list[str] = []
    assert images.pull("rust:1", told.append) == (images.Pull.DONE, "")
    assert told == ["pulling rust:1"]


def test_a_registry_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "exec sleep 60", monkeypatch)
    monkeypatch.setattr(images, "_FIRST_WORD_SECONDS", 0.2)
    how, said = images.pull("rust:1", print)
    assert how is images.Pull.NO_ANSWER
    assert "no answer" in said
