from __future__ import annotations

from dataclasses import replace

import pytest

from attune_dev.docker.cancel import Cancel
from attune_dev.docker.containers import ContainerState, HealthCheck, State
from attune_dev.docker.health import CheckResult, wait_healthy
from attune_dev.errors import ActionError, Interrupted

CHECKED = ContainerState("api", "1", started=1.0, health_check=HealthCheck(("true",), 1.0))
PLAIN = ContainerState("web", "2", started=1.0)


class Time:
    """Time that passes by itself: a tenth of a second per look at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.1
        return self.now


class NoSleep(Cancel):
    def sleep(self, seconds: float) -> None:
        self.check()


class Source:
    """Containers as a script: each look takes the next state, the last one stays."""

    def __init__(
        self, *looks: tuple[ContainerState, ...], checks: tuple[bool, ...] = (True,)
    ) -> None:
        self.looks = list(looks)
        self.checks = list(checks)
        self.checked = 0

    def containers(self) -> tuple[ContainerState, ...]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def check(self, container: ContainerState) -> CheckResult:
        self.checked += 1
        ok = self.checks.pop(0) if len(self.checks) > 1 else self.checks[0]
        return CheckResult(ok, "" if ok else "connection refused")

    def logs(self, service: str, lines: int = 20) -> tuple[str, ...]:
        return (f"{service} log",)


def wait(source: Source, *services: str, timeout: float = 5.0) -> None:
    wait_healthy(source, services or ("api",), timeout, cancel=NoSleep(), clock=Time())


def test_the_wait_ends_with_the_first_check_that_passes() -> None:
    source = Source((CHECKED,), checks=(False, False, True))
    wait(source)
    assert source.checked == 3


def test_a_service_that_passed_is_not_checked_again_while_others_are_waited_for() -> None:
    other = replace(CHECKED, service="other", id="3", state=State.CREATED)
    source = Source(
        (CHECKED, other), (CHECKED, other), (CHECKED, replace(other, state=State.RUNNING))
    )
    wait(source, "api", "other")
    assert source.checked == 2


def test_a_service_without_a_check_must_keep_running_for_a_moment() -> None:
    source = Source((PLAIN,), (replace(PLAIN, state=State.EXITED, exit_code=3),))
    with pytest.raises(ActionError, match="web ended with status 3"):
        wait(source, "web")


def test_a_service_without_a_check_that_keeps_running_is_well() -> None:
    wait(Source((PLAIN,)), "web")


def test_a_one_shot_that_ended_well_is_well() -> None:
    wait(Source((replace(PLAIN, state=State.EXITED),)), "web")


def test_a_service_that_ended_fails_at_once_with_its_log() -> None:
    source = Source((replace(CHECKED, state=State.EXITED, exit_code=101),))
    with pytest.raises(ActionError, match="api ended with status 101") as failure:
        wait(source)
    assert "api log" in failure.value.why
    assert failure.value.hint == "./inv logs api"


def test_a_service_that_the_engine_starts_again_and_again_fails() -> None:
    source = Source((CHECKED,), (replace(CHECKED, restarts=1),), checks=(False,))
    with pytest.raises(ActionError, match="api ended"):
        wait(source)


def test_earlier_restarts_are_not_held_against_a_service() -> None:
    wait(Source((replace(CHECKED, restarts=4),)))


def test_time_runs_out_with_the_checks_own_words() -> None:
    with pytest.raises(ActionError, match="api did not become healthy within 2 s") as failure:
        wait(Source((CHECKED,), checks=(False,)), timeout=2.0)
    assert "connection refused" in failure.value.why


def test_a_service_without_a_container_is_told_how_to_start() -> None:
    with pytest.raises(ActionError, match="api has no container") as failure:
        wait(Source(()))
    assert failure.value.hint == "./inv up"


def test_a_stop_ends_the_wait() -> None:
    cancel = NoSleep()
    cancel.request()
    with pytest.raises(Interrupted):
        wait_healthy(Source((CHECKED,), checks=(False,)), ["api"], 5.0, cancel=cancel, clock=Time())
