from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from attune_dev.errors import ActionError, ConfigError
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.event import (
    Changed,
    Idle,
    Notice,
    Planned,
    Problem,
    Ready,
    Stopped,
    Unchanged,
)
from attune_dev.model.plan import ActionKind
from attune_dev.watching.inbox import Asked, Message, Request, Rescan, StopNow, Touched
from attune_dev.watching.scope import Scope
from tests.unit.watching.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from attune_dev.watching.snapshot import Snapshot

MakeStage = Callable[..., Stage]
BUILD_API = """\
[] -> #1 build api, services/api/main.rs: reads
[1] -> #2 recreate api, services/api/main.rs: reads"""


@pytest.fixture
def make_stage(tmp_path: Path) -> MakeStage:
    root, state = tmp_path / "root", tmp_path / "state"
    root.mkdir()
    state.mkdir()
    for path in ("services/api/main.rs", "services/executor/main.rs", "packs/core/a.yaml"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"content of {path}")
    (root / "compose.yaml").write_text("services: {}")
    (root / "README.md").write_text("read me")
    return lambda **options: Stage(root, state, **options)


@pytest.fixture
def stage(make_stage: MakeStage) -> Stage:
    return make_stage()


def rename(source: Path, target: Path) -> None:
    source.rename(target)


def write_once(path: Path, text: str) -> None:
    path.write_text(text)


def test_the_stack_comes_up_then_it_is_ready_then_idle(stage: Stage) -> None:
    assert stage.run() == 130
    assert stage.told == ["plan", "start", "end", "ready", "idle", "stop"]
    assert stage.planning.openings == [((), True)]
    assert stage.of(Ready)[0].urls == (("api", "http://127.0.0.1:8080"),)
    assert stage.of(Idle) == [Idle(ok=True, seconds=1.0)]
    assert stage.source.calls == ["start", "stop"]


def test_a_change_is_planned_and_done(stage: Stage) -> None:
    stage.write("services/api/main.rs", "new", at=110)
    stage.run()
    assert stage.described == [BUILD_API]
    assert stage.told[5:] == ["change", "plan", "start", "end", "start", "end", "idle", "stop"]
    assert stage.of(Changed) == [Changed((Change("services/api/main.rs"),))]
    assert stage.of(Idle)[-1].ok


def test_the_plan_is_made_within_the_debounce_time(stage: Stage) -> None:
    stage.write("services/api/main.rs", "new", at=110)
    stage.run()
    seen = stage.times[stage.events.index(stage.of(Changed)[0])]
    assert seen == pytest.approx(110.15)


def test_a_save_that_changes_no_byte_causes_nothing(stage: Stage) -> None:
    stage.write("README.md", "read me", at=110)
    stage.run()
    assert stage.of(Unchanged) == [Unchanged(("README.md",))]
    assert len(stage.worker.plans) == 1
    assert stage.told[-2:] == ["idle", "stop"]
    assert len(stage.of(Idle)) == 2


def test_a_file_that_nothing_reads_is_told_and_left_alone(stage: Stage) -> None:
    stage.write("README.md", "other", at=110)
    stage.run()
    assert stage.of(Planned)[-1].plan.describe() == "ignored README.md: nothing reads it"
    assert len(stage.worker.plans) == 1
    assert stage.of(Idle)[-1] == Idle(ok=True, seconds=0.0)


def test_many_saves_in_a_row_are_one_batch(stage: Stage) -> None:
    for number in range(10):
        stage.write("services/api/main.rs", f"v{number}", at=110 + number * 0.1)
    stage.run()
    assert stage.described == [BUILD_API]


def test_a_temporary_file_that_vanishes_within_the_batch_is_not_told(stage: Stage) -> None:
    stage.write("services/api/sedXYZ", "x", at=110)
    stage.remove("services/api/sedXYZ", at=110.05)
    stage.write("services/api/main.rs", "new", at=110.06)
    stage.run()
    assert stage.of(Changed) == [Changed((Change("services/api/main.rs"),))]


def test_a_save_without_a_change_names_no_file_that_came_and_went(stage: Stage) -> None:
    stage.write("services/api/sedXYZ", "x", at=110)
    stage.remove("services/api/sedXYZ", at=110.05)
    stage.write("README.md", "read me", at=110.06)
    stage.write("services/api/sedABC", "x", at=120)
    stage.remove("services/api/sedABC", at=120.05)
    stage.run()
    assert stage.of(Unchanged) == [Unchanged(("README.md",))]


def test_a_failed_build_stays_pending_and_is_told_at_idle(stage: Stage) -> None:
    stage.do(109, lambda: stage.worker.fails.add("api"))
    stage.write("services/api/main.rs", "broken", at=110)
    stage.run()
    idle = stage.of(Idle)[-1]
    assert (idle.ok, idle.failed, idle.pending) == (False, ("api",), ("services/api/main.rs",))
    [work] = idle.work
    assert (work.kind, work.targets, work.paths) == ("build", ("api",), idle.pending)
    assert work.at == stage.clock.wall() - stage.clock.time + 111.15
    assert len(stage.described) == 1


def test_an_unrelated_change_does_not_repeat_a_failed_build(stage: Stage) -> None:
    stage.do(109, lambda: stage.worker.fails.add("api"))
    stage.write("services/api/main.rs", "broken", at=110)
    stage.write("packs/core/a.yaml", "new", at=120)
    stage.run()
    assert stage.described == [BUILD_API, "[] -> #1 sync-packs core, packs/core/a.yaml: reads"]
    assert stage.of(Idle)[-1].failed == ("api",)
    assert stage.of(Idle)[-1].pending == ("services/api/main.rs",)


def test_a_change_of_another_file_of_the_same_service_takes_the_failed_work_along(
    stage: Stage,
) -> None:
    stage.do(109, lambda: stage.worker.fails.add("api"))
    stage.write("services/api/main.rs", "uses help", at=110)
    stage.do(119, stage.worker.fails.clear)
    stage.write("services/api/help.rs", "fn help", at=120)
    stage.run()
    assert stage.described[1].splitlines()[0] == (
        "[] -> #1 build api, services/api/help.rs: reads; services/api/main.rs: reads"
    )
    assert stage.of(Idle)[-1] == Idle(ok=True, seconds=1.0)


def test_going_back_after_a_failure_builds_again(stage: Stage) -> None:
    stage.do(109, lambda: stage.worker.fails.add("api"))
    stage.write("services/api/main.rs", "broken", at=110)
    stage.do(119, stage.worker.fails.clear)
    stage.write("services/api/main.rs", "content of services/api/main.rs", at=120)
    stage.run()
    assert stage.described == [BUILD_API, BUILD_API]
    assert stage.of(Idle)[-1].ok


def test_failed_work_is_done_again_on_request(stage: Stage) -> None:
    stage.do(109, lambda: stage.worker.fails.add("api"))
    stage.write("services/api/main.rs", "broken", at=110)
    stage.do(119, stage.worker.fails.clear)
    stage.send(Asked(Request.RETRY), at=120)
    stage.run()
    assert stage.described == [BUILD_API, BUILD_API]
    assert stage.of(Idle)[-1].ok


def test_a_save_without_change_does_not_repeat_a_failed_build(stage: Stage) -> None:
    stage.do(109, lambda: stage.worker.fails.add("api"))
    stage.write("services/api/main.rs", "broken", at=110)
    stage.write("services/api/main.rs", "broken", at=120)
    stage.run()
    assert stage.described == [BUILD_API]
    assert not stage.of(Idle)[-1].ok


def test_a_change_during_an_action_is_taken_up_after_it(stage: Stage) -> None:
    stage.worker.seconds = 3.0
    stage.write("services/api/main.rs", "one", at=110)
    stage.write("services/api/main.rs", "two", at=111)
    stage.run()
    assert stage.described == [BUILD_API, BUILD_API]
    assert len(stage.of(Changed)) == 2
    assert stage.of(Idle)[-1].ok


def test_going_back_during_an_action_is_a_change(stage: Stage) -> None:
    stage.worker.seconds = 3.0
    stage.write("services/api/main.rs", "one", at=110)
    stage.write("services/api/main.rs", "content of services/api/main.rs", at=111)
    stage.run()
    assert stage.described == [BUILD_API, BUILD_API]


def test_what_was_another_for_a_moment_while_a_build_ran_is_built_again(stage: Stage) -> None:
    stage.worker.seconds = 3.0
    stage.write("services/api/main.rs", "one", at=110)
    stage.write("services/api/help.rs", "for a moment", at=111)
    stage.remove("services/api/help.rs", at=111.05)
    stage.run()
    assert stage.described[0] == BUILD_API
    assert stage.described[1].startswith("[] -> #1 build api, services/api/help.rs")
    assert stage.of(Idle)[-1].ok


def test_going_there_and_back_within_one_batch_during_a_build_is_built_again(stage: Stage) -> None:
    stage.worker.seconds = 3.0
    stage.write("services/api/main.rs", "one", at=110)
    stage.write("services/api/main.rs", "two", at=111)
    stage.write("services/api/main.rs", "one", at=111.05)
    stage.run()
    assert stage.described == [BUILD_API, BUILD_API]
    assert len(stage.of(Changed)) == 1
    assert stage.of(Idle)[-1].ok


def test_a_touch_during_work_that_does_not_read_it_causes_nothing(stage: Stage) -> None:
    stage.worker.seconds = 3.0
    stage.write("packs/core/a.yaml", "new", at=110)
    stage.write("services/api/main.rs", "content of services/api/main.rs", at=111)
    stage.run()
    assert len(stage.described) == 1


def test_an_action_that_touches_its_own_sources_does_not_go_on_for_ever(stage: Stage) -> None:
    source = stage.root / "services/api/main.rs"

    def touch() -> None:
        source.write_text(source.read_text())
        stage.send(Touched(frozenset({"services/api/main.rs"})), at=stage.clock.time)

    stage.worker.does[ActionKind.BUILD] = touch
    stage.write("services/api/main.rs", "new", at=110)
    stage.run()
    assert 1 <= len(stage.described) <= 3
    assert stage.of(Idle)[-1].ok


def test_idle_is_not_told_while_work_is_left(stage: Stage) -> None:
    stage.worker.seconds = 3.0
    stage.write("services/api/main.rs", "one", at=110)
    stage.write("packs/core/a.yaml", "two", at=111)
    stage.run()
    assert stage.told.count("idle") == 2


def test_a_broken_definition_keeps_the_last_good_one_and_is_told(stage: Stage) -> None:
    error = ConfigError("not valid YAML", file="compose.yaml", line=3)
    stage.do(109, lambda: setattr(stage.planning, "problem", error))
    stage.write("compose.yaml", "a: [", at=110)
    stage.write("services/api/main.rs", "new", at=120)
    stage.do(129, lambda: setattr(stage.planning, "problem", None))
    stage.write("compose.yaml", "a: []", at=130)
    stage.run()
    assert stage.of(Problem) == [Problem(error)]
    assert stage.described == [BUILD_API, "[] -> #1 reload, compose.yaml: reads"]
    assert [idle.ok for idle in stage.of(Idle)] == [True, False, False, True]
    assert stage.of(Idle)[1].pending == ("compose.yaml",)


def test_with_broken_definitions_the_rest_goes_on_by_the_last_good_ones(stage: Stage) -> None:
    error = ConfigError("not valid YAML", file="compose.yaml", line=3)
    stage.planning.defining = {"compose.yaml", "services/api/main.rs"}
    stage.do(109, lambda: setattr(stage.planning, "problem", error))
    stage.write("compose.yaml", "a: [", at=110)
    stage.write("services/api/main.rs", "new", at=120)
    stage.do(129, lambda: setattr(stage.planning, "problem", None))
    stage.write("compose.yaml", "services: {}", at=130)
    stage.run()
    assert stage.of(Problem) == [Problem(error)]
    assert stage.described == [BUILD_API]
    assert [notice.text for notice in stage.of(Notice)] == ["the definitions are in order again"]
    assert stage.of(Idle)[-1].ok


def test_work_that_failed_by_wrong_definitions_is_done_when_they_are_as_before(
    stage: Stage,
) -> None:
    (stage.root / "compose.yaml").write_text("good")
    stage.planning.defining = {"compose.yaml"}
    broken = ConfigError("not valid YAML", file="compose.yaml", line=3)

    def break_it() -> None:
        stage.planning.problem = broken
        stage.worker.fails.add("api")

    def mend_it() -> None:
        stage.planning.problem = None
        stage.worker.fails.clear()

    stage.do(109, break_it)
    stage.write("compose.yaml", "a: [", at=110)
    stage.write("services/api/main.rs", "new", at=120)
    stage.do(129, mend_it)
    stage.write("compose.yaml", "good", at=130)
    stage.run()
    assert stage.of(Idle)[-1].ok
    assert stage.described == [BUILD_API, BUILD_API]


def test_a_new_scope_is_listened_to_and_what_came_into_view_has_not_changed(stage: Stage) -> None:
    wider = Scope(trees=frozenset({"services", "packs"}))

    def widen() -> None:
        stage.planning.new_scope = wider

    stage.do(109, widen)
    stage.write("compose.yaml", "other", at=110)
    stage.run()
    assert stage.source.scope == wider
    assert stage.looker.scope == wider
    assert stage.of(Changed) == [Changed((Change("compose.yaml"),))]


def test_what_an_action_writes_itself_causes_nothing_more(stage: Stage) -> None:
    binary = stage.root / "packs/core/sensors/timer"

    def place() -> None:
        binary.parent.mkdir(exist_ok=True)
        binary.write_text("ELF")

    stage.worker.does[ActionKind.BUILD_PACK_BINARIES] = place
    stage.write("timer/main.rs", "new", at=110)
    stage.send(Touched(frozenset({"packs/core/sensors/timer"})), at=111.5)
    stage.run()
    assert len(stage.described) == 1
    assert len(stage.of(Changed)) == 1
    assert not stage.of(Unchanged)
    assert stage.of(Idle)[-1].ok


def test_what_is_written_over_an_actions_own_file_is_a_change(stage: Stage) -> None:
    binary = stage.root / "packs/core/sensors/timer"

    def place() -> None:
        binary.parent.mkdir(exist_ok=True)
        binary.write_text("ELF")

    stage.worker.does[ActionKind.BUILD_PACK_BINARIES] = place
    stage.worker.does[ActionKind.SYNC_PACKS] = partial(write_once, binary, "mine")
    stage.write("timer/main.rs", "new", at=110)
    stage.run()
    assert len(stage.described) == 2
    assert stage.of(Changed)[1].note == "by an action"


def test_a_lock_file_that_a_build_brings_up_to_date_causes_nothing_more(stage: Stage) -> None:
    def mend() -> None:
        stage.planning.lock_mended = True
        (stage.root / "Cargo.lock").write_text("new")

    stage.worker.does[ActionKind.BUILD] = mend
    stage.write("services/api/main.rs", "new", at=110)
    stage.send(Touched(frozenset({"Cargo.lock"})), at=111.5)
    stage.run()
    assert len(stage.described) == 1
    assert len(stage.of(Changed)) == 1
    assert not stage.of(Unchanged)
    assert stage.of(Idle)[-1].ok


@pytest.mark.usefixtures("modes_bind")
def test_a_file_that_cannot_be_read_is_told_and_not_said_to_be_as_it_was(stage: Stage) -> None:
    def hide() -> Message:
        file = stage.root / "services/api/main.rs"
        file.write_text("other")
        file.chmod(0)
        return Touched(frozenset({"services/api/main.rs"}))

    stage.do(110, hide)
    stage.run()
    assert [each.error.what for each in stage.of(Problem)] == ["cannot read services/api/main.rs"]
    assert not stage.of(Unchanged)
    assert not stage.of(Changed)


def test_git_at_work_is_waited_for_and_the_net_difference_is_one_batch(stage: Stage) -> None:
    stage.git.busy_until = 115.0
    stage.write("services/api/main.rs", "other branch", at=110)
    stage.write("services/executor/main.rs", "other branch", at=112)
    stage.write("services/api/main.rs", "content of services/api/main.rs", at=114)
    stage.run()
    assert stage.of(Changed) == [Changed((Change("services/executor/main.rs"),))]
    assert [notice.text for notice in stage.of(Notice)] == ["waiting: git is at work"]


def test_a_look_during_which_git_begins_is_taken_again_when_git_has_ended(stage: Stage) -> None:
    def begin() -> None:
        stage.looker.during = lambda: None
        stage.git.busy_until = 113.0
        (stage.root / "services/api/main.rs").write_text("other branch")

    def await_git() -> None:
        stage.looker.during = begin

    stage.do(105, await_git)
    stage.write("services/api/main.rs", "saved", at=110)  # and looked at when git begins
    stage.write("services/executor/main.rs", "other branch", at=112)
    stage.run()
    both = (Change("services/api/main.rs"), Change("services/executor/main.rs"))
    assert stage.of(Changed) == [Changed(both)]


def test_a_look_just_in_case_waits_for_git_too(make_stage: MakeStage) -> None:
    stage = make_stage(rescan=5.0)
    stage.git.busy_until = 130.0
    stage.write("services/api/main.rs", "other branch", at=110, hint=False)
    stage.write("services/api/main.rs", "content of services/api/main.rs", at=128, hint=False)
    stage.run()
    assert stage.of(Changed) == []
    assert stage.of(Idle)[-1].ok


def test_a_rescan_finds_what_no_event_told(stage: Stage) -> None:
    stage.write("services/api/main.rs", "unheard", at=110, hint=False)
    stage.send(Rescan("too many changes at once"), at=111)
    stage.run()
    assert stage.described == [BUILD_API]
    assert "too many changes at once; looking at everything again" in [
        notice.text for notice in stage.of(Notice)
    ]


def test_a_lost_event_is_found_within_the_rescan_time(stage: Stage) -> None:
    stage.write("services/api/main.rs", "unheard", at=110, hint=False)
    stage.run()
    assert stage.described == [BUILD_API]


def test_a_tree_that_takes_long_to_look_at_is_looked_at_seldom(stage: Stage) -> None:
    """A second for all of it: not every minute, whatever was saved and looked at since."""
    scan, looks = stage.looker.scan, []

    def slow(known: Snapshot | None = None) -> Snapshot:
        looks.append(stage.clock.time)
        return replace(scan(known), seconds=1.0)

    stage.looker.scan = slow  # type: ignore[method-assign]
    stage.write("services/api/main.rs", "saved", at=150)
    stage.run(until=900)
    assert [round(at) for at in looks] == [100, 651]


def test_a_sleep_of_the_machine_leads_to_a_look_at_everything(stage: Stage) -> None:
    def sleep() -> None:
        (stage.root / "services/api/main.rs").write_text("unheard")
        stage.clock.slept = 3600

    stage.do(110, sleep)
    stage.run(until=115)
    assert stage.described == [BUILD_API]


def test_a_suspended_process_looks_at_everything(stage: Stage) -> None:
    def suspend() -> None:
        (stage.root / "services/api/main.rs").write_text("unheard")
        stage.clock.time += 20

    stage.do(110, suspend)
    stage.run(until=135)
    assert stage.described == [BUILD_API]


def test_until_idle_ends_with_zero_when_all_is_well(make_stage: MakeStage) -> None:
    stage = make_stage(until_idle=True)
    assert stage.run() == 0
    assert stage.told[-2:] == ["idle", "stop"]
    assert stage.of(Stopped) == [Stopped(0)]


def test_until_idle_ends_with_one_when_something_failed(make_stage: MakeStage) -> None:
    stage = make_stage(until_idle=True)
    stage.worker.fails.add("api")
    assert stage.run() == 1
    assert [(idle.ok, idle.failed) for idle in stage.of(Idle)] == [(False, ("api",))]
    assert not stage.of(Ready)


def test_a_failed_start_is_tried_again_after_the_next_change(stage: Stage) -> None:
    stage.worker.fails.add("api")
    stage.do(109, stage.worker.fails.clear)
    stage.write("services/api/main.rs", "fixed", at=110)
    stage.run()
    change = Change("services/api/main.rs")
    assert stage.planning.openings == [((), True), ((change,), True)]
    assert stage.told.count("ready") == 1
    assert stage.of(Idle)[-1].ok


def test_a_save_while_the_stack_comes_up_is_planned_and_the_stack_not_opened_twice(
    stage: Stage,
) -> None:
    stage.worker.seconds = 3.0
    stage.write("services/api/main.rs", "new", at=101)
    stage.run()
    assert stage.planning.openings == [((), True)]
    assert stage.described == [BUILD_API]
    assert stage.of(Idle)[-1].ok


def test_a_job_that_comes_to_no_plan_is_told_and_retried_on_request(stage: Stage) -> None:
    stage.worker.raises = ActionError("the engine does not answer")
    stage.do(109, lambda: setattr(stage.worker, "raises", None))
    stage.send(Asked(Request.RETRY), at=110)
    stage.run()
    assert [problem.error.what for problem in stage.of(Problem)] == ["the engine does not answer"]
    assert [idle.ok for idle in stage.of(Idle)] == [False, True]


def test_a_mistake_in_planning_does_not_end_the_loop(stage: Stage) -> None:
    stage.do(109, lambda: setattr(stage.planning, "broken", True))
    stage.write("services/api/main.rs", "one", at=110)
    stage.do(119, lambda: setattr(stage.planning, "broken", False))
    stage.write("services/api/main.rs", "two", at=120)
    stage.run()
    assert "division by zero" in stage.of(Problem)[0].error.what
    assert len(stage.of(Problem)) == 1
    assert stage.described == [BUILD_API]
    assert stage.of(Idle)[-1].ok


def test_the_next_start_finds_what_changed_while_nobody_watched(make_stage: MakeStage) -> None:
    make_stage().run()
    second = make_stage()
    (second.root / "services/api/main.rs").write_text("edited at night")
    (second.root / "README.md").unlink()
    second.run()
    changes = (Change("README.md", ChangeKind.DELETED), Change("services/api/main.rs"))
    assert second.of(Changed) == [Changed(changes, "since the last run")]
    assert second.planning.openings == [(changes, False)]


def test_a_start_without_changes_says_nothing_of_any(make_stage: MakeStage) -> None:
    make_stage().run()
    second = make_stage()
    second.run()
    assert not second.of(Changed)
    assert second.planning.openings == [((), False)]


def test_what_failed_is_pending_again_at_the_next_start(make_stage: MakeStage) -> None:
    first = make_stage()
    first.do(109, lambda: first.worker.fails.add("api"))
    first.write("services/api/main.rs", "broken", at=110)
    first.run()
    (first.root / "services/api/main.rs").write_text("content of services/api/main.rs")
    second = make_stage()
    second.run()
    assert second.of(Changed) == [Changed((Change("services/api/main.rs"),), "since the last run")]


def test_a_kill_during_an_action_leaves_its_changes_pending(make_stage: MakeStage) -> None:
    first = make_stage()

    def kill() -> Message | None:
        raise SystemExit

    first.write("services/api/main.rs", "half done", at=110)
    first.do(110.5, kill)
    with pytest.raises(SystemExit):
        first.run()
    (first.root / "services/api/main.rs").write_text("content of services/api/main.rs")
    second = make_stage()
    second.run()
    assert second.of(Changed)[0].changes == (Change("services/api/main.rs"),)


def test_a_kill_before_the_stack_was_up_leaves_no_record(make_stage: MakeStage) -> None:
    first = make_stage()
    first.worker.fails.add("api")
    first.run()
    second = make_stage()
    second.run()
    assert second.planning.openings == [((), True)]


def test_the_first_stop_lets_running_work_end(stage: Stage) -> None:
    stage.worker.seconds = 50
    stage.send(StopNow(143), at=110)
    assert stage.run() == 143
    assert stage.worker.cancelled == 1
    assert stage.clock.time < 111
    assert stage.of(Stopped) == [Stopped(143, "terminated")]


def test_work_that_does_not_end_is_waited_for_no_longer_than_three_seconds(stage: Stage) -> None:
    stage.worker.seconds = 50
    stage.worker.stubborn = True
    stage.send(StopNow(130), at=110)
    assert stage.run() == 130
    assert stage.clock.time == pytest.approx(113, abs=0.01)


def test_the_second_stop_does_not_wait(stage: Stage) -> None:
    stage.worker.seconds = 50
    stage.worker.stubborn = True
    stage.send(StopNow(130), at=110)
    stage.send(StopNow(130), at=110.5)
    assert stage.run() == 130
    assert stage.clock.time == pytest.approx(110.5, abs=0.01)


def test_a_pause_holds_work_back_until_it_is_over(stage: Stage) -> None:
    stage.send(Asked(Request.PAUSE), at=109)
    stage.write("services/api/main.rs", "new", at=110)
    stage.send(Asked(Request.PAUSE), at=120)
    stage.run()
    assert stage.described == [BUILD_API]
    started = stage.times[stage.events.index(stage.of(Planned)[1])]
    assert started == pytest.approx(121, abs=0.5)


def test_building_all_is_an_opening(stage: Stage) -> None:
    stage.send(Asked(Request.BUILD_ALL), at=110)
    stage.run()
    assert len(stage.planning.openings) == 2
    assert stage.told.count("ready") == 1


def test_a_vanished_root_is_told_once_and_deletes_nothing(stage: Stage) -> None:
    away = stage.root.parent / "away"
    stage.do(110, partial(rename, stage.root, away))
    stage.send(Touched(frozenset({"services"})), at=110.1)
    stage.send(Touched(frozenset({"packs"})), at=112)
    stage.do(120, partial(rename, away, stage.root))
    stage.send(Rescan("the project folder was replaced"), at=120.1)
    stage.run()
    assert len(stage.of(Problem)) == 1
    assert not stage.of(Changed)
    assert len(stage.worker.plans) == 1
