from __future__ import annotations

from dataclasses import replace

import pytest

from attune_dev.model.change import Change
from attune_dev.model.event import (
    Changed,
    Ended,
    EngineAway,
    EngineBack,
    Event,
    FailedWork,
    Idle,
    Notice,
    Output,
    Paused,
    Planned,
    Problem,
    Progress,
    Ready,
    Services,
    ServiceState,
    Started,
    Stopped,
    Unchanged,
)
from attune_dev.model.plan import Action, ActionKind, Plan
from attune_dev.reporting.view import Fault, Phase, State, View, Work
from tests.unit.reporting.boards import (
    BROKEN,
    BUILD,
    PLAN,
    RECREATE,
    RUNNING,
    SOURCE,
    SYNC,
    WHY,
    WORKING,
    folded,
)

BUILT = Ended(BUILD, ok=True, seconds=6.0, outcome="succeeded", built=1, changed=("api",))
REPLACED = Ended(RECREATE, ok=True, seconds=1.0, outcome="succeeded", changed=("api",))
FAILED = Ended(BUILD, ok=False, seconds=3.0, outcome="failed", error=BROKEN)
SKIPPED = Ended(RECREATE, ok=False, seconds=0.0, outcome="skipped")
NOT_LIVE = Idle(
    ok=False,
    failed=("api",),
    pending=(SOURCE,),
    work=(FailedWork("build", ("api",), 5.0, (SOURCE,), BROKEN),),
)


def states(view: View) -> dict[str, str]:
    return {row.name: row.state.value for row in view.rows}


def test_services_are_as_the_engine_says_while_nothing_is_done() -> None:
    view = folded([RUNNING])
    assert states(view) == {
        "api": "live",
        "init-packs": "done",
        "sensor": "live",
        "worker": "stopped",
    }
    assert {row.name: row.health for row in view.rows} == {
        "api": "healthy",
        "init-packs": "",
        "sensor": "unhealthy",
        "worker": "exited 137",
    }


def test_a_change_goes_from_waiting_to_building_to_live() -> None:
    view = folded(WORKING[:3])
    assert view.row("api").state is State.WAITING
    view = folded([Started(BUILD, "image")], view)
    assert view.row("api").state is State.BUILDING
    assert view.phase is Phase.WORKING
    assert view.work == (Work("build api", 1.0, 1, State.BUILDING, frozenset({"api"})),)
    view = folded([BUILT, Started(RECREATE)], view)
    assert view.row("api").state is State.STARTING
    view = folded([REPLACED, Idle(ok=True)], view, at=20.0)
    row = view.row("api")
    assert row.state is State.LIVE
    assert (row.edits, row.edits_at) == ((SOURCE,), 21.0)
    assert (row.action, row.why) == ("replaced", f"{SOURCE}: compiles attune-api")
    assert view.phase is Phase.LIVE
    assert view.pending == ()


def test_a_failed_build_is_kept_with_its_error_until_it_is_mended() -> None:
    view = folded([*WORKING, FAILED, SKIPPED, NOT_LIVE])
    row = view.row("api")
    assert row.state is State.FAILED
    assert (row.failed, row.failed_at, row.pending) == ("build", 5.0, frozenset({SOURCE}))
    assert view.phase is Phase.FAILED
    [fault] = view.faults
    assert fault.lines == (
        "crates/api/src/main.rs:10: the build of api failed",
        "error[E0425]: cannot find value `x`",
        " --> crates/api/src/main.rs:10:5",
        "fix: correct crates/api/src/main.rs:10 and save",
    )
    view = folded([Changed((Change("README.md"),)), Idle(ok=False, work=NOT_LIVE.work)], view)
    assert view.faults == (fault,)
    view = folded([Planned(PLAN), Started(BUILD), BUILT], view)
    assert view.faults == ()
    view = folded([REPLACED, Idle(ok=True)], view)
    assert view.row("api").state is State.LIVE


def test_what_failed_before_the_board_was_there_is_told_at_idle() -> None:
    view = folded([RUNNING, NOT_LIVE])
    assert [fault.targets for fault in view.faults] == [("api",)]


def test_wrong_definitions_are_shown_once_however_long_they_are_wrong() -> None:
    work = (FailedWork("reload", (), 5.0, ("compose.yaml",), BROKEN),)
    waiting = Idle(ok=False, pending=("compose.yaml",), work=work)
    view = folded([RUNNING, Problem(BROKEN), waiting, *WORKING, BUILT, REPLACED, waiting])
    assert len(view.faults) == 1


def test_an_error_outside_of_actions_stays_until_all_is_live() -> None:
    view = folded([Problem(BROKEN), Problem(BROKEN), Idle(ok=False)])
    assert len(view.faults) == 1
    assert folded([Idle(ok=True)], view).faults == ()


def test_code_that_was_swapped_in_is_told_until_an_image_has_it() -> None:
    swap = Ended(BUILD, ok=True, seconds=1.0, outcome="succeeded", via="swap", changed=("api",))
    view = folded([*WORKING, swap, Idle(ok=True)])
    assert view.row("api").state is State.SWAPPED
    assert view.row("api").edits == (SOURCE,)
    view = folded([Planned(PLAN), Started(BUILD), BUILT, REPLACED, Idle(ok=True)], view)
    assert view.row("api").state is State.LIVE


def test_progress_and_output_are_the_works() -> None:
    view = folded([*WORKING, Progress(BUILD, "compiling serde", 3, 10, 8.0)])
    about = (1, State.BUILDING, frozenset({"api"}))
    assert view.work == (Work("build api", 4.0, *about, "compiling serde", 3, 10, 8.0, 5.0),)
    view = folded([Output(BUILD, "  \x1b[2Jspoken\x07 ")], view)
    assert [work.line for work in view.work] == ["spoken"]
    assert folded([Output(None, "nobody works")]).work == ()


def test_what_runs_at_once_is_kept_apart() -> None:
    """A pack file saved during a build: the service is built and restarted at once."""
    restart = Action(3, ActionKind.RESTART, ("api",), (), WHY)
    beside = (Started(SYNC), Progress(BUILD, "compiling serde", 3, 10), Started(restart))
    view = folded([*WORKING, *beside, Output(restart, "stopping")])
    assert [(work.text, work.line) for work in view.work] == [
        ("build api", "compiling serde"),
        ("sync-packs core", ""),
        ("restart api", "stopping"),
    ]
    assert view.row("api").state is State.STARTING
    ended = Ended(restart, ok=True, seconds=1.0, outcome="succeeded", changed=("api",))
    view = folded([ended], view)
    assert view.row("api").state is State.BUILDING  # what else is done with it
    assert [work.text for work in view.work] == ["build api", "sync-packs core"]


def test_the_engine_goes_and_comes() -> None:
    view = folded([RUNNING, EngineAway("cannot connect"), Idle(ok=False)])
    assert view.phase is Phase.AWAY
    view = folded([EngineBack(), Services((ServiceState("api", "absent"),))], view)
    assert view.phase is Phase.WORKING
    assert view.row("api").state is State.ABSENT
    assert view.row("worker").engine is None


def test_a_pause_is_shown_until_it_ends() -> None:
    view = folded([Paused(on=True), Idle(ok=False)])
    assert view.phase is Phase.PAUSED
    assert folded([Paused(on=False), Idle(ok=True)], view).phase is Phase.LIVE


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Unchanged(("a\x1b[2J.rs",)), "saved, no change: a\\x1b[2J.rs"),
        (Notice("git \x1b]0;title\x07is at work"), "git is at work"),
        (Ready(3.0, (("api", "http://x"),)), "ready after 3.0 s"),
        (Changed((Change("a\nb"),)), "changed a\\nb"),
    ],
)
def test_what_happens_is_told_and_cannot_draw(event: Event, told: str) -> None:
    assert folded([event]).done[0].text == told


def test_the_past_is_bounded() -> None:
    assert len(folded([Notice("again")] * 200).done) == 50


def test_the_end_is_a_phase() -> None:
    assert folded([*WORKING, Stopped(130, "interrupted")]).phase is Phase.STOPPED


def test_the_same_work_cancelled_leaves_no_service_building() -> None:
    view = folded([*WORKING, Ended(BUILD, ok=False, seconds=1.0, outcome="cancelled")])
    assert view.row("api").state is State.LIVE
    assert view.faults == ()


def test_a_fault_of_another_service_stays() -> None:
    other = Fault("build", ("sensor",), ("sensor broke",), 1.0)
    view = folded([*WORKING, BUILT], View(faults=(other,)))
    assert view.faults == (other,)


def test_what_failed_in_part_is_well_for_the_others() -> None:
    both = replace(BUILD, targets=("api", "web"))
    start = replace(RECREATE, targets=("api", "web"))
    view = folded(
        [
            RUNNING,
            Planned(Plan(actions=(both, start))),
            Started(both),
            Ended(
                both,
                ok=False,
                seconds=3.0,
                outcome="failed",
                error=BROKEN,
                broken=("api",),
                changed=("web",),
            ),
            Started(start),
            Ended(
                start, ok=False, seconds=1.0, outcome="skipped", broken=("api",), changed=("web",)
            ),
        ]
    )
    rows = {row.name: row for row in view.rows}
    assert rows["api"].failed == "build"
    assert (rows["web"].failed, rows["web"].action) == ("", "replaced")
