"""A build that fails for some services: the others get what was built for them."""

from __future__ import annotations

from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.docker.port import BuildRequest
from attune_dev.model.plan import Action, ActionKind, Plan
from attune_dev.running.doing import Tools
from attune_dev.running.executor import execute
from attune_dev.running.outcome import Outcome, RunResult
from attune_dev.running.update import ImageUpdate, StartingUpdate
from attune_dev.testing import FakeDocker, built_service, compose_project
from attune_dev.testing.docker import BROKEN

NAMES = ("api", "web", "worker")


def docker() -> FakeDocker:
    """A project in which ``worker`` waits for ``web``; nothing is built and nothing runs."""
    services = (built_service("api"), built_service("web"), built_service("worker", after=("web",)))
    return FakeDocker(compose_project(*services))


def run(port: FakeDocker, *names: str, image: type[ImageUpdate] = StartingUpdate) -> RunResult:
    """Builds and starts."""

    def concerned(failure: BuildFailed, services: object) -> frozenset[str]:
        return frozenset(name for name in names if name == failure.step)

    actions = (
        Action(1, ActionKind.BUILD, names),
        Action(2, ActionKind.RECREATE, names, (1,), always=names),
    )
    update = image(port, concerned=concerned)
    return execute(Plan(actions=actions), Tools(port, update=update))


def running(port: FakeDocker) -> list[str]:
    return [each.service for each in port.containers() if each.running]


def test_a_first_start_brings_up_what_builds() -> None:
    port = docker()
    port.sources["api"] = BROKEN
    result = run(port, *NAMES)
    assert running(port) == ["web", "worker"]
    assert [each.outcome for each in result.results] == [Outcome.FAILED, Outcome.SKIPPED]
    assert result.failed == ("api",)
    assert result.error is not None
    assert result.error.what == "the build of api failed"
    assert BROKEN in result.error.why
    assert result.results[1].because == "the build of api failed"
    assert result.summary() == "2 built, 2 changed, 2 restarted, 1 failed, 1 skipped"


def test_what_waits_for_one_that_cannot_start_does_not_start_either() -> None:
    port = docker()
    port.sources["web"] = BROKEN
    result = run(port, *NAMES)
    assert running(port) == ["api"]
    assert result.failed == ("web", "worker")
    assert "worker waits for web, whose build failed" in result.results[1].because


def test_what_ran_before_goes_on_and_keeps_nobody_back() -> None:
    port = docker()
    port.build(BuildRequest(NAMES))
    port.up(NAMES)
    before = {each.service: each.id for each in port.containers()}
    port.sources |= {"web": BROKEN, "worker": "edited", "api": "edited"}
    result = run(port, *NAMES, image=ImageUpdate)
    now = {each.service: each.id for each in port.containers()}
    assert now["web"] == before["web"]
    assert now["worker"] != before["worker"]
    assert result.failed == ("web",)


def test_where_what_is_left_does_not_build_either_the_first_failure_is_told() -> None:
    port = docker()
    port.sources |= {"api": BROKEN, "web": BROKEN}
    result = run(port, *NAMES)
    assert running(port) == []
    assert result.failed == NAMES
    assert [each.outcome for each in result.results] == [Outcome.FAILED, Outcome.SKIPPED]
    assert port.told == ["build api web worker", "build web worker"]


def test_where_nothing_can_be_told_apart_there_is_no_second_try() -> None:
    port = docker()
    port.sources["api"] = BROKEN
    result = execute(
        Plan(actions=(Action(1, ActionKind.BUILD, NAMES),)), Tools(port, update=ImageUpdate(port))
    )
    assert port.told == ["build api web worker"]
    assert isinstance(result.error, BuildFailed)
