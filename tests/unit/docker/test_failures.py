from __future__ import annotations

import pytest

from attune_dev.docker.failures import explain
from attune_dev.docker.port import BuildRequest, DockerPort
from attune_dev.docker.process import Completed
from attune_dev.docker.unavailable import UnavailableDocker
from attune_dev.errors import ActionError, AttuneDevError, EnvironmentLacksError
from attune_dev.model.compose import ComposeProject


def failure(stderr: str, *argv: str) -> AttuneDevError:
    return explain(Completed(argv or ("docker", "compose"), 1, "", stderr), "starting api")


@pytest.mark.parametrize(
    "said",
    [
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. "
            "Is the docker daemon running?"
        ),
        "failed to connect to the docker API at unix:///x.sock; check if the path is correct",
        "error during connect: Get http://%2F%2F: EOF",
    ],
)
def test_an_engine_that_does_not_answer_is_the_environments_fault(said: str) -> None:
    error = failure(f"noise\n{said}")
    assert isinstance(error, EnvironmentLacksError)
    assert error.why == said


def test_a_socket_that_may_not_be_opened_is_never_answered_with_sudo_or_chmod() -> None:
    error = failure("permission denied while trying to connect to the Docker daemon socket")
    assert isinstance(error, EnvironmentLacksError)
    assert "group `docker`" in error.hint
    assert "sudo" not in error.hint


@pytest.mark.parametrize(
    ("said", "plugin"),
    [
        ("unknown flag: --project-name", "compose"),
        ("docker: 'compose' is not a docker command.", "compose"),
        ("docker: unknown command: docker compose", "compose"),
        ("docker: unknown command: docker buildx\n\nRun 'docker --help'", "buildx"),
    ],
)
def test_a_missing_plugin_leads_to_the_setup(said: str, plugin: str) -> None:
    error = failure(said)
    assert isinstance(error, EnvironmentLacksError)
    assert plugin in error.what
    assert error.hint == "./inv setup"


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Bind for 127.0.0.1:8080 failed: port is already allocated", ".env"),
        ('The container name "/attune-api" is already in use', "attune-api"),
        ("Error response from daemon: No such image: demo-api:latest", "./inv build"),
        ("something else", ""),
    ],
)
def test_the_next_step_fits_the_refusal(said: str, hint: str) -> None:
    error = failure(said)
    assert type(error) is ActionError
    assert error.what == "starting api failed"
    assert hint in error.hint
    assert said in error.why


def test_only_the_last_lines_are_told_and_without_control_sequences() -> None:
    error = failure("\n".join(f"\x1b[31mline {n}\x1b[0m" for n in range(50)))
    assert error.why.splitlines() == [f"line {n}" for n in range(40, 50)]


def test_silence_is_told_as_the_exit_status() -> None:
    assert "exited with 1" in failure("").why


def test_without_docker_every_call_tells_the_one_reason() -> None:
    reason = EnvironmentLacksError("the Docker engine does not answer")
    port: DockerPort = UnavailableDocker(ComposeProject("demo", {}), reason)
    assert port.project.name == "demo"
    for call in (
        lambda: port.build(BuildRequest(("api",))),
        lambda: port.up(["api"]),
        lambda: port.recreate(["api"]),
        lambda: port.restart(["api"]),
        lambda: port.rerun("api"),
        lambda: port.stop(["api"]),
        port.down,
        port.containers,
        lambda: port.images(["api"]),
        lambda: port.logs("api"),
        lambda: port.wait_healthy(["api"], 1.0),
    ):
        with pytest.raises(EnvironmentLacksError) as told:
            call()
        assert told.value is reason
