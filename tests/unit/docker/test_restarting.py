"""Containers that restart at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from attune_dev.docker.containers import ContainerState, HealthCheck
from attune_dev.docker.health import CheckResult
from attune_dev.docker.restarting import restart_together
from attune_dev.errors import ActionError

CHECK = HealthCheck(("true",), 1.0)
API = ContainerState("api", "1", "demo-api-1", health_check=CHECK, stop_seconds=25)
WEB = ContainerState("web", "2", "demo-web-1", health_check=CHECK)
WEB_2 = replace(WEB, id="3", name="demo-web-2")
CRON = ContainerState("cron", "4", "demo-cron-1")


class Client:
    """Goes on only when all that are to restart are at it."""

    def __init__(self, together: int, refuses: str = "") -> None:
        self.words: list[tuple[str, ...]] = []
        self._all = threading.Barrier(together, timeout=10)
        self._refuses = refuses

    def __call__(self, what: str, words: Sequence[str], *, seconds: float) -> None:
        self._all.wait()
        self.words.append(tuple(words))
        if words[-1] == self._refuses:
            raise ActionError("no")


def test_all_restart_at_once_with_the_time_that_each_has_to_end() -> None:
    client, told = Client(3), list[str]()
    restart_together([API, WEB, CRON], client, lambda _: CheckResult(ok=True), told.append)
    assert sorted(client.words) == [
        ("restart", "-t", "25", "1"),
        ("restart", "2"),
        ("restart", "4"),
    ]
    assert sorted(told) == [
        "Container demo-api-1 Restarted",
        "Container demo-cron-1 Restarted",
        "Container demo-web-1 Restarted",
    ]


def test_those_are_ready_of_which_every_container_has_passed_its_check() -> None:
    def check(container: ContainerState) -> CheckResult:
        return CheckResult(container.id in {"1", "2"})

    containers = [API, WEB, WEB_2, CRON]
    assert restart_together(containers, Client(4), check, print) == {"api"}
    assert restart_together([API, WEB], Client(2), check, print) == {"api", "web"}


def test_one_that_is_refused_keeps_no_other_from_restarting() -> None:
    client, told = Client(2, refuses="1"), list[str]()
    with pytest.raises(ActionError):
        restart_together([API, WEB], client, lambda _: CheckResult(ok=True), told.append)
    assert told == ["Container demo-web-1 Restarted"]
