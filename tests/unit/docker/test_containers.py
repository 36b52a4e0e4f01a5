from __future__ import annotations

from typing import Any

import pytest

from attune_dev.docker.containers import (
    ContainerMount,
    Health,
    HealthCheck,
    PublishedPort,
    State,
    containers_from_inspect,
    epoch,
    full_image_name,
    images_from_inspect,
)


def document(service: str = "api", **labels: str) -> dict[str, Any]:
    return {
        "Id": "c0ffee",
        "Name": "/demo-api-1",
        "Created": "2026-11-22T12:00:00.123456789Z",
        "Image": "sha256:1",
        "RestartCount": 2,
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "StartedAt": "2026-11-22T12:00:01Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": "starting"},
        },
        "Config": {
            "Labels": {
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": "1",
                "com.docker.compose.config-hash": "abc",
                "com.docker.compose.oneoff": "False",
            }
            | {f"com.docker.compose.{key}": value for key, value in labels.items()},
            "Healthcheck": {"Test": ["CMD", "curl", "x"], "Timeout": 3_000_000_000},
            "StopTimeout": 25,
        },
        "Mounts": [
            {"Type": "volume", "Name": "data", "Source": "/v", "Destination": "/d", "RW": False},
            {"Type": "bind", "Source": "/repo/c", "Destination": "/c", "RW": True},
        ],
        "NetworkSettings": {
            "Ports": {
                "8080/tcp": [
                    {"HostIp": "127.0.0.1", "HostPort": "9000"},
                    {"HostIp": "127.0.0.1", "HostPort": "9000"},
                ],
                "9/tcp": None,
            }
        },
    }


def test_a_container_is_read_with_all_that_is_asked_of_it_later() -> None:
    (state,) = containers_from_inspect([document()])
    assert (state.service, state.id, state.name) == ("api", "c0ffee", "demo-api-1")
    assert (state.state, state.health, state.restarts) == (State.RUNNING, Health.STARTING, 2)
    assert (state.image_id, state.config_hash) == ("sha256:1", "abc")
    assert state.started == pytest.approx(state.created + 0.876544)
    assert state.ended == 0.0
    assert state.health_check == HealthCheck(("curl", "x"), 3.0)
    assert state.stop_seconds == 25
    assert state.ports == (PublishedPort("127.0.0.1", 9000, 8080),)
    assert state.mounts == (
        ContainerMount("bind", "/repo/c", "/c", read_only=False),
        ContainerMount("volume", "data", "/d", read_only=True),
    )


def test_one_off_and_foreign_containers_are_left_out() -> None:
    foreign: dict[str, Any] = {"Id": "1", "Config": {"Labels": None}}
    assert containers_from_inspect([document(oneoff="True"), foreign]) == ()


def test_containers_come_sorted_by_service_and_number() -> None:
    found = containers_from_inspect(
        [document("web"), document("api", **{"container-number": "2"}), document("api")]
    )
    assert [(c.service, c.number) for c in found] == [("api", 1), ("api", 2), ("web", 1)]


@pytest.mark.parametrize(
    ("test", "command"),
    [
        (["CMD", "a", "b"], ("a", "b")),
        (["CMD-SHELL", "a | b"], ("/bin/sh", "-c", "a | b")),
        (["NONE"], None),
        ([], None),
    ],
)
def test_a_health_check_is_the_command_to_execute(
    test: list[str], command: tuple[str, ...] | None
) -> None:
    made = document()
    made["Config"]["Healthcheck"] = {"Test": test}
    (state,) = containers_from_inspect([made])
    assert (state.health_check.command if state.health_check else None) == command


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("api", "docker.io/library/api:latest"),
        ("api:1", "docker.io/library/api:1"),
        ("me/api", "docker.io/me/api:latest"),
        ("docker.io/library/api:latest", "docker.io/library/api:latest"),
        ("localhost:5000/api", "localhost:5000/api:latest"),
        ("registry.example.org/a/b:1", "registry.example.org/a/b:1"),
        ("api@sha256:0a", "docker.io/library/api@sha256:0a"),
    ],
)
def test_names_are_compared_in_their_full_form(name: str, full: str) -> None:
    assert full_image_name(name) == full


def test_images_are_found_by_any_of_their_names() -> None:
    images = images_from_inspect(
        [{"Id": "sha256:1", "RepoTags": ["demo-api:latest", "other:1"], "Size": 5, "Created": ""}]
    )
    assert images["docker.io/library/demo-api:latest"].size == 5
    assert images["docker.io/library/other:1"].id == "sha256:1"


def test_times_of_the_engine_are_seconds_and_never_is_zero() -> None:
    assert epoch("1970-01-01T00:00:01.5Z") == 1.5
    assert epoch("1970-01-01T01:00:01.123456789+01:00") == pytest.approx(1.123456)
    assert epoch("0001-01-01T00:00:00Z") == 0.0
    assert epoch("") == 0.0
