from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from attune_dev.docker.cancel import Cancel
from attune_dev.docker.port import BuildRequest
from attune_dev.docker.progress import Step, StepState
from attune_dev.errors import ActionError, Interrupted
from attune_dev.model.event import Ended, Event, Output, Started
from attune_dev.model.plan import Action, ActionKind, Because, Plan
from attune_dev.running.doing import Tools
from attune_dev.running.executor import execute
from attune_dev.running.outcome import Outcome, RunResult
from attune_dev.running.ports import ContentResult, PartlyDone
from attune_dev.running.turns import Turns
from attune_dev.testing import (
    BROKEN,
    CRASHES,
    FakeDocker,
    FakePacks,
    built_service,
    compose_project,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attune_dev.docker.port import BuildResult
    from attune_dev.docker.progress import BuildEvent
    from attune_dev.model.compose import Service

EVERYONE = ("api", "executor", "notifier", "web")


def docker(*extra: Service) -> FakeDocker:
    made = FakeDocker(compose_project(*(built_service(name) for name in EVERYONE), *extra))
    made.build(BuildRequest(tuple(made.project.services)))
    made.up(tuple(made.project.services))
    made.calls.clear()
    return made


def action(
    number: int,
    kind: ActionKind,
    *targets: str,
    needs: tuple[int, ...] = (),
    always: tuple[str, ...] = (),
) -> Action:
    causes = (Because(f"{number}.rs", "for the test"),)
    return Action(number, kind, targets, needs, causes, always)


def build_then_recreate(*services: str) -> Plan:
    return Plan(
        actions=(
            action(1, ActionKind.BUILD, *services, always=services),
            action(2, ActionKind.RECREATE, *services, needs=(1,)),
        )
    )


def outcomes(result: RunResult) -> list[Outcome]:
    return [each.outcome for each in result.results]


def running_ids(port: FakeDocker) -> dict[str, tuple[str, float]]:
    return {container.service: (container.id, container.started) for container in port.containers()}


def test_only_the_service_with_another_image_is_recreated() -> None:
    port = docker()
    before = running_ids(port)
    port.sources["api"] = "edited"
    result = execute(build_then_recreate(*EVERYONE), Tools(port))
    after = running_ids(port)
    assert {name for name in before if before[name] != after[name]} == {"api"}
    assert result.ok
    assert result.summary() == "4 built, 1 changed, 1 restarted"


def test_a_build_that_changes_no_image_leaves_compose_alone() -> None:
    port = docker()
    result = execute(build_then_recreate("api", "web"), Tools(port))
    assert outcomes(result) == [Outcome.UNCHANGED, Outcome.UNCHANGED]
    assert port.told == ["build api web", "wait_healthy api web"]
    assert result.results[1].because == "image and definition are the same"


def test_a_container_on_an_older_image_is_recreated_although_this_build_changed_nothing() -> None:
    port = docker()
    port.sources["api"] = "edited"
    port.build(BuildRequest(("api",)))  # an earlier run got this far
    result = execute(build_then_recreate("api"), Tools(port))
    assert outcomes(result) == [Outcome.UNCHANGED, Outcome.SUCCEEDED]
    assert result.results[1].changed == ("api",)


def test_a_stopped_container_is_started_although_its_image_is_unchanged() -> None:
    port = docker()
    port.stop(("api",))
    result = execute(build_then_recreate("api"), Tools(port))
    assert result.results[1].changed == ("api",)


def test_a_target_with_a_cause_of_its_own_is_always_put_to_compose() -> None:
    port = docker()
    actions = (
        action(1, ActionKind.BUILD, "api", "web", always=("api",)),
        action(2, ActionKind.RECREATE, "api", "web", needs=(1,), always=("web",)),
    )
    execute(Plan(actions=actions), Tools(port))
    assert port.told == ["build api web", "recreate web", "wait_healthy api web"]


def test_a_failed_build_skips_what_needs_it_and_touches_no_container() -> None:
    port = docker()
    before = running_ids(port)
    port.sources["api"] = BROKEN
    actions = (
        *build_then_recreate("api").actions,
        action(3, ActionKind.RESTART, "web", always=("web",)),
        action(4, ActionKind.RESTART, "notifier", needs=(2,), always=("notifier",)),
    )
    result = execute(Plan(actions=actions), Tools(port))
    assert outcomes(result) == [
        Outcome.FAILED,
        Outcome.SKIPPED,
        Outcome.SUCCEEDED,
        Outcome.SKIPPED,
    ]
    assert result.results[1].because == "build (action 1) failed"
    assert result.results[3].because == "recreate (action 2) was skipped"
    assert result.failed == ("api", "notifier")
    assert result.succeeded == {3}
    assert running_ids(port)["api"] == before["api"]
    assert result.error is not None
    assert BROKEN in result.error.why


def test_a_service_that_crashes_with_its_new_code_is_a_failure_with_its_log() -> None:
    port = docker()
    port.sources["api"] = CRASHES
    result = execute(build_then_recreate("api"), Tools(port))
    assert outcomes(result) == [Outcome.SUCCEEDED, Outcome.FAILED]
    assert result.error is not None
    assert "api crashes" in result.error.why


def test_a_restart_asked_for_by_itself_is_done_whatever_the_state() -> None:
    port = docker()
    plan = Plan(actions=(Action(1, ActionKind.RESTART, ("api",)),))
    assert execute(plan, Tools(port)).results[0].changed == ("api",)
    assert port.told == ["restart api", "wait_healthy api"]


class Prompt(FakeDocker):
    """One of whose services the first health check passes at once."""

    def restart(
        self, services: Sequence[str], on_line: Callable[[str], None] = print
    ) -> frozenset[str]:
        super().restart(services, on_line)
        return frozenset({"api"})


def test_what_has_passed_its_check_by_then_is_not_waited_for() -> None:
    port = Prompt(compose_project(*(built_service(name) for name in ("api", "web"))))
    port.build(BuildRequest(("api", "web")))
    port.up(("api", "web"))
    port.calls.clear()
    both = action(1, ActionKind.RESTART, "api", "web")
    assert execute(Plan(actions=(both,)), Tools(port)).ok
    assert port.told == ["restart api web", "wait_healthy web"]
    port.calls.clear()
    assert execute(Plan(actions=(action(1, ActionKind.RESTART, "api"),)), Tools(port)).ok
    assert port.told == ["restart api"]


def sync_then_restart(*, always: tuple[str, ...] = ()) -> Plan:
    return Plan(
        actions=(
            action(1, ActionKind.SYNC_PACKS, "core", always=("core",)),
            action(2, ActionKind.RESTART, "api", "web", needs=(1,), always=always),
        )
    )


def test_readers_are_left_alone_when_the_volume_has_not_changed_since_they_started() -> None:
    port = docker()
    result = execute(sync_then_restart(), Tools(port, FakePacks(since=1.0)))
    assert outcomes(result) == [Outcome.UNCHANGED, Outcome.UNCHANGED]
    assert port.told == ["wait_healthy api web"]


def test_readers_restart_when_the_volume_changed_after_they_started() -> None:
    port = docker()
    result = execute(sync_then_restart(), Tools(port, FakePacks(since=10_000.0)))
    assert result.results[0].outcome is Outcome.UNCHANGED
    assert result.results[1].changed == ("api", "web")


def test_readers_restart_when_it_is_unknown_since_when_the_volume_is_as_it_is() -> None:
    result = execute(sync_then_restart(), Tools(docker(), FakePacks()))
    assert result.results[1].changed == ("api", "web")


def test_a_reader_with_a_cause_of_its_own_restarts_alone() -> None:
    result = execute(sync_then_restart(always=("web",)), Tools(docker(), FakePacks(since=1.0)))
    assert result.results[1].changed == ("web",)


def test_a_filler_runs_again_only_when_its_image_is_another() -> None:
    def plan() -> Plan:
        return Plan(
            actions=(
                action(1, ActionKind.BUILD, "filler", always=("filler",)),
                action(2, ActionKind.RERUN, "filler", needs=(1,)),
                action(3, ActionKind.RESTART, "api", needs=(2,)),
            )
        )

    port = FakeDocker(
        compose_project(
            built_service("filler", restart="no"), built_service("api", once_done=["filler"])
        )
    )
    port.build(BuildRequest(("api", "filler")))
    port.up(("api",))
    port.calls.clear()
    assert outcomes(execute(plan(), Tools(port))) == [Outcome.UNCHANGED] * 3
    assert port.told == ["build filler", "wait_healthy api"]
    port.sources["filler"] = "edited"
    assert outcomes(execute(plan(), Tools(port))) == [Outcome.SUCCEEDED] * 3


def test_what_a_run_tells_is_a_start_and_an_end_of_each_action_that_ran() -> None:
    port = docker()
    port.sources["api"] = "edited"
    told: list[Event] = []
    execute(build_then_recreate("api"), Tools(port), told.append)
    kinds = [type(event) for event in told if not isinstance(event, Output)]
    assert kinds == [Started, Ended, Started, Ended]
    started, ended = told[0], told[-1]
    assert isinstance(started, Started)
    assert started.via == "image"
    assert isinstance(ended, Ended)
    assert (ended.ok, ended.outcome, ended.changed) == (True, "succeeded", ("api",))
    lines = [event.line for event in told if isinstance(event, Output)]
    assert lines == ["=> [api builder 1/1] RUN build", "Container api Recreated"]


def test_an_action_that_was_skipped_tells_its_end_and_no_start() -> None:
    port = docker()
    port.sources["api"] = BROKEN
    told: list[Event] = []
    execute(build_then_recreate("api"), Tools(port), told.append)
    assert [type(event) for event in told if not isinstance(event, Output)] == [
        Started,
        Ended,
        Ended,
    ]
    assert isinstance(told[-1], Ended)
    assert (told[-1].outcome, told[-1].detail) == ("skipped", "build (action 1) failed")


def test_a_stop_during_a_build_ends_it_and_starts_nothing_else() -> None:
    port = docker()
    before = port.images(EVERYONE)
    port.sources["api"] = "edited"
    cancel = Cancel()
    port.during("build", cancel.request)
    result = execute(build_then_recreate("api"), Tools(port), cancel=cancel)
    assert outcomes(result) == [Outcome.CANCELLED, Outcome.CANCELLED]
    assert isinstance(result.results[0].error, Interrupted)
    assert result.cancelled
    assert result.failed == ()
    assert port.images(EVERYONE) == before
    assert port.told == ["build api"]


def test_an_error_of_packs_is_kept_and_readers_are_not_restarted() -> None:
    port, packs = docker(), FakePacks("core")
    packs.fail("sync", ActionError("the volume is full"))
    result = execute(sync_then_restart(), Tools(port, packs))
    assert outcomes(result) == [Outcome.FAILED, Outcome.SKIPPED]
    assert port.told == []


def partly(*changed: str) -> FakePacks:
    packs = FakePacks()
    results = (
        ContentResult("core", changed=False, failed=True),
        ContentResult("other", "other" in changed),
    )
    packs.fail("sync", PartlyDone(ActionError("not synced: core"), results))
    return packs


def test_readers_restart_for_the_packs_that_were_synced_beside_one_that_was_not() -> None:
    port = docker()
    result = execute(sync_then_restart(), Tools(port, partly("other")))
    assert outcomes(result) == [Outcome.FAILED, Outcome.SUCCEEDED]
    assert result.results[0].changed == ("other",)
    assert not result.ok
    assert result.failed == ("core",)
    assert result.summary() == "1 synced, 2 restarted, 1 failed"
    assert port.told == ["restart api web", "wait_healthy api web"]


def test_readers_are_left_alone_when_no_pack_was_synced_beside_one_that_was_not() -> None:
    port = docker()
    result = execute(sync_then_restart(), Tools(port, partly()))
    assert outcomes(result) == [Outcome.FAILED, Outcome.SKIPPED]
    assert port.told == []


def test_a_pack_that_cannot_be_synced_keeps_nobody_from_starting() -> None:
    plan = Plan(
        actions=(
            action(1, ActionKind.SYNC_PACKS, "core", always=("core",)),
            action(2, ActionKind.RECREATE, "api", needs=(1,), always=("api",)),
        )
    )
    result = execute(plan, Tools(docker(), partly()))
    assert result.results[1].ok


def test_pack_binaries_and_packs_go_to_the_packs_port_in_order() -> None:
    packs = FakePacks("timer", "core", since=5.0)
    actions = (
        action(1, ActionKind.BUILD_PACK_BINARIES, "timer", always=("timer",)),
        action(2, ActionKind.SYNC_PACKS, "core", needs=(1,), always=("core",)),
    )
    result = execute(Plan(actions=actions), Tools(docker(), packs))
    assert packs.told == ["build_binaries timer", "sync core"]
    assert result.summary() == "1 built, 1 changed, 1 synced"


def test_a_plan_with_packs_where_there_are_none_is_an_error_not_a_crash() -> None:
    result = execute(sync_then_restart(), Tools(docker()))
    assert outcomes(result) == [Outcome.FAILED, Outcome.SKIPPED]


def test_reading_the_files_again_is_left_to_who_can() -> None:
    seen: list[str] = []
    tools = Tools(docker(), reload=lambda: seen.append("read"))
    plan = Plan(actions=(Action(1, ActionKind.RELOAD, ()),))
    assert execute(plan, tools).ok
    assert seen == ["read"]


def test_a_programming_error_is_not_taken_for_a_failed_action() -> None:
    def broken() -> None:
        raise RuntimeError

    plan = Plan(actions=(Action(1, ActionKind.RELOAD, ()),))
    with pytest.raises(RuntimeError):
        execute(plan, Tools(docker(), reload=broken))


def test_the_result_as_json_has_one_entry_per_target_with_outcome_and_reason() -> None:
    port = docker()
    port.sources["api"] = "edited"
    document = execute(build_then_recreate("api", "web"), Tools(port)).to_dict()
    assert (document["version"], document["ok"]) == (1, True)
    told = [(t["action"], t["name"], t["outcome"]) for t in document["targets"]]
    assert told == [
        ("build", "api", "compiled"),
        ("build", "web", "unchanged"),
        ("recreate", "api", "recreated"),
        ("recreate", "web", "unchanged"),
    ]
    assert document["targets"][0]["because"] == "for the test"


def test_the_result_as_json_tells_each_error_with_what_it_stopped() -> None:
    port = docker()
    port.sources["api"] = BROKEN
    document = execute(build_then_recreate("api"), Tools(port)).to_dict()
    [error] = document["errors"]
    assert (document["ok"], error["action"], error["targets"]) == (False, "build", ["api"])
    assert error["message"]
    assert BROKEN in error["why"]


def test_nothing_to_do_is_said_so() -> None:
    assert execute(Plan(), Tools(docker())).summary() == "nothing to do"


def build_and_sync_then_recreate(**recreate: tuple[str, ...]) -> Plan:
    """A pack and a crate in one batch: the recreate stands for the restart, too."""
    causes = (Because("x", "for the test"),)
    last = Action(3, ActionKind.RECREATE, ("api",), (1, 2), causes, restarts=("api",), **recreate)
    return Plan(
        actions=(
            action(1, ActionKind.SYNC_PACKS, "core"),
            action(2, ActionKind.BUILD, "api"),
            last,
        )
    )


def test_a_restart_taken_over_by_a_recreate_is_done_where_the_container_stays() -> None:
    port = docker()
    packs = FakePacks(since=1e12)
    result = execute(build_and_sync_then_recreate(always=("api",)), Tools(port, packs))
    assert "restart api" in port.told
    assert result.results[2].changed == ("api",)


def test_a_restart_taken_over_is_not_done_beside_a_new_container() -> None:
    port = docker()
    port.sources["api"] = "edited"
    execute(build_and_sync_then_recreate(always=("api",)), Tools(port, FakePacks()))
    assert "restart api" not in port.told


def test_a_restart_taken_over_is_left_out_where_content_and_image_are_the_same() -> None:
    port = docker()
    execute(build_and_sync_then_recreate(), Tools(port, FakePacks(since=1.0)))
    assert "restart api" not in port.told


class Gate:
    """A call that waits in its midst until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.open.wait(10)


def in_background(run: Callable[[], RunResult]) -> tuple[threading.Thread, list[RunResult]]:
    made: list[RunResult] = []
    thread = threading.Thread(target=lambda: made.append(run()), daemon=True)
    thread.start()
    return thread, made


def test_what_needs_no_build_is_done_while_it_runs() -> None:
    """A pack file and a crate saved at once: the pack is live before the build ends."""
    port, packs, building = docker(), FakePacks("core"), Gate()
    port.during("build", building)
    port.sources["api"] = "edited"
    actions = (
        action(1, ActionKind.SYNC_PACKS, "core", always=("core",)),
        action(2, ActionKind.RESTART, "web", needs=(1,), always=("web",)),
        action(3, ActionKind.BUILD, "api", always=("api",)),
        action(4, ActionKind.RECREATE, "api", needs=(3,)),
    )
    told: list[Event] = []
    restarted = threading.Event()

    def hear(event: Event) -> None:
        told.append(event)
        if isinstance(event, Ended) and event.action.kind is ActionKind.RESTART:
            restarted.set()

    thread, made = in_background(lambda: execute(Plan(actions=actions), Tools(port, packs), hear))
    assert restarted.wait(10)
    assert building.reached.is_set()
    assert "recreate api" not in port.told
    building.open.set()
    thread.join(10)
    [result] = made
    assert [each.action.id for each in result.results] == [1, 2, 3, 4]
    assert result.ok
    ends = [event.action.id for event in told if isinstance(event, Ended)]
    assert ends == [1, 2, 3, 4]


class Exporting(FakeDocker):
    """A Docker whose build is long in exporting."""

    def __init__(self, *services: Service) -> None:
        super().__init__(compose_project(*services))
        self.compiling, self.exporting = Gate(), Gate()

    def build(
        self,
        request: BuildRequest,
        on_event: Callable[[BuildEvent], None] = lambda _: None,
        *,
        cancel: Cancel | None = None,
    ) -> BuildResult:
        self.compiling()
        on_event(Step("e", "[api] exporting to image", StepState.STARTED))
        self.exporting()
        return super().build(request, on_event, cancel=cancel)


def start() -> Plan:
    asked = (Because("", "checked at start"),)
    return Plan(
        actions=(
            Action(1, ActionKind.BUILD_PACK_BINARIES, ("timer",), (), asked),
            Action(2, ActionKind.SYNC_PACKS, ("core",), (1,), asked, always=("core",)),
            Action(3, ActionKind.BUILD, ("api",), (), asked, always=("api",)),
            Action(4, ActionKind.RECREATE, ("api",), (2, 3), asked),
        )
    )


def test_at_a_start_packs_are_synced_while_images_are_exported() -> None:
    port, packs, synced = Exporting(built_service("api")), FakePacks(), threading.Event()
    packs.during("sync", synced.set)
    thread, made = in_background(lambda: execute(start(), Tools(port, packs)))
    assert port.compiling.reached.wait(10)
    assert packs.told == []
    port.compiling.open.set()
    assert synced.wait(10)
    assert port.exporting.reached.is_set()
    assert "build api" not in port.told
    port.exporting.open.set()
    thread.join(10)
    [result] = made
    assert result.ok
    assert packs.told == ["build_binaries timer", "sync core"]


def test_at_a_start_what_fails_beside_a_build_lets_it_finish() -> None:
    port, packs, failed = Exporting(built_service("api")), FakePacks(), threading.Event()
    packs.fail("build_binaries", ActionError("timer does not compile"))
    port.compiling.open.set()

    def hear(event: Event) -> None:
        if isinstance(event, Ended) and event.action.kind is ActionKind.BUILD_PACK_BINARIES:
            failed.set()

    thread, made = in_background(lambda: execute(start(), Tools(port, packs), hear))
    assert failed.wait(10)
    port.exporting.open.set()
    thread.join(10)
    [result] = made
    failure, skip = Outcome.FAILED, Outcome.SKIPPED
    assert outcomes(result) == [failure, skip, Outcome.SUCCEEDED, skip]


def test_a_stop_ends_what_runs_beside_each_other() -> None:
    port, packs, cancel = docker(), FakePacks("core"), Cancel()
    syncing, asked = Gate(), threading.Event()
    packs.during("sync", syncing)
    port.during("build", cancel.request)
    port.during("build", asked.set)
    actions = (
        action(1, ActionKind.SYNC_PACKS, "core", always=("core",)),
        action(2, ActionKind.BUILD, "api", always=("api",)),
        action(3, ActionKind.RESTART, "web", needs=(1,), always=("web",)),
    )
    thread, made = in_background(
        lambda: execute(Plan(actions=actions), Tools(port, packs), cancel=cancel)
    )
    assert syncing.reached.wait(10)
    assert asked.wait(10)
    syncing.open.set()
    thread.join(10)
    [result] = made
    assert outcomes(result) == [Outcome.CANCELLED] * 3


def test_plans_that_run_at_once_take_turns_on_what_both_work_on() -> None:
    port, turns = docker(), Turns()
    first, overtaken = Gate(), threading.Event()
    port.during("restart", first)
    restart = Plan(actions=(action(1, ActionKind.RESTART, "api", always=("api",)),))
    again = Plan(actions=(action(2, ActionKind.RESTART, "api", "web", always=("api", "web")),))
    build = Plan(actions=(action(3, ActionKind.BUILD, "api", always=("api",)),))
    one, _ = in_background(lambda: execute(restart, Tools(port, turns=turns)))
    assert first.reached.wait(10)
    port.during("restart", overtaken.set)
    two, _ = in_background(lambda: execute(again, Tools(port, turns=turns)))
    assert execute(build, Tools(port, turns=turns)).ok
    assert not overtaken.wait(0.05)
    first.open.set()
    one.join(10)
    two.join(10)
    assert overtaken.is_set()
    assert [told for told in port.told if "restart" in told] == ["restart api", "restart api web"]


def test_a_stop_ends_the_waiting_for_a_turn() -> None:
    port, turns, cancel = docker(), Turns(), Cancel()
    first = Gate()
    port.during("restart", first)
    restart = Plan(actions=(action(1, ActionKind.RESTART, "api", always=("api",)),))
    one, _ = in_background(lambda: execute(restart, Tools(port, turns=turns)))
    assert first.reached.wait(10)
    two, made = in_background(lambda: execute(restart, Tools(port, turns=turns), cancel=cancel))
    cancel.request()
    two.join(10)
    assert [outcomes(result) for result in made] == [[Outcome.CANCELLED]]
    first.open.set()
    one.join(10)
    assert port.told == ["restart api", "wait_healthy api"]


def test_a_programming_error_waits_for_what_runs_beside() -> None:
    port, building = docker(), Gate()
    port.during("build", building)

    def broken() -> None:
        assert building.reached.wait(10)
        building.open.set()
        raise RuntimeError

    actions = (Action(1, ActionKind.RELOAD, ()), action(2, ActionKind.BUILD, "api"))
    with pytest.raises(RuntimeError):
        execute(Plan(actions=actions), Tools(port, reload=broken))
    assert port.told == ["build api"]
