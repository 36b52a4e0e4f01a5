"""What is done beside other work, as the loop sees it: a long build keeps no pack file waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.errors import ActionError
from attune_dev.model.event import Changed, Event, Idle, Planned, Started
from attune_dev.model.plan import Action, ActionKind
from attune_dev.watching.inbox import Message, Told, Touched
from tests.unit.watching.stage import Stage

SOURCE, OTHER, PACK = "services/api/main.rs", "services/executor/main.rs", "packs/core/a.yaml"
BUILDING = Action(1, ActionKind.BUILD, ("api",))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A build takes ten seconds, a sync one; the build of api begins at 110."""
    root, state = tmp_path / "root", tmp_path / "state"
    for path in (SOURCE, OTHER, PACK, "compose.yaml", "README.md"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("at first")
    state.mkdir()
    made = Stage(root, state)
    made.worker.slow = {ActionKind.BUILD: 10.0, ActionKind.SYNC_PACKS: 1.0}
    made.write(SOURCE, "one", at=110)
    return made


def ends(stage: Stage) -> list[tuple[float, str]]:
    """When which plan was done, after the opening."""
    told = zip(stage.times, stage.events, strict=True)
    plans = [(round(at), e.plan.describe()) for at, e in told if isinstance(e, Planned) and e.plan]
    return [(at, ", ".join(line.split(",")[0] for line in text.split("\n"))) for at, text in plans]


API = "[] -> #1 build api, [1] -> #2 recreate api"


def test_a_pack_file_is_live_before_the_build_ends(stage: Stage) -> None:
    stage.write(PACK, "two", at=112)
    stage.run()
    assert ends(stage)[1:] == [(113, "[] -> #3 sync-packs core"), (120, API)]
    assert [idle.ok for idle in stage.of(Idle)] == [True, True]


def test_a_build_begins_beside_a_sync(stage: Stage) -> None:
    stage.worker.slow = {ActionKind.BUILD: 10.0, ActionKind.SYNC_PACKS: 30.0}
    stage.write(PACK, "two", at=108)
    stage.run()
    assert ends(stage)[1:] == [
        (120, "[] -> #2 build api, [2] -> #3 recreate api"),
        (138, "[] -> #1 sync-packs core"),
    ]


def test_many_saves_of_all_kinds_never_lead_to_two_of_a_kind_at_once(stage: Stage) -> None:
    """The worker of the stage holds each start to it, and to ids that no two share."""
    for number in range(30):
        stage.write(PACK, f"{number}", at=112 + 1.3 * number)
        stage.write((SOURCE, OTHER)[number % 2], f"{number}", at=112 + 1.7 * number)
    stage.run()
    assert stage.of(Idle)[-1].ok
    assert len([at for at, plan in ends(stage) if "sync-packs" in plan]) > 10


def test_saves_during_a_sync_are_taken_up_as_one_after_it(stage: Stage) -> None:
    stage.worker.slow = {ActionKind.BUILD: 20.0, ActionKind.SYNC_PACKS: 5.0}
    for number in range(8):
        stage.write(PACK, f"{number}", at=112 + number / 2)
    stage.run()
    syncs = [told for told in ends(stage) if "sync-packs" in told[1]]
    assert [at for at, _ in syncs] == [117, 122]


def test_another_service_waits_for_its_build_and_what_nothing_reads_is_told_at_once(
    stage: Stage,
) -> None:
    stage.write(OTHER, "two", at=112)
    stage.write("README.md", "two", at=112)
    stage.run()
    assert ends(stage)[1:] == [
        (120, API),
        (130, "[] -> #1 build executor, [1] -> #2 recreate executor"),
    ]
    told = zip(stage.times, stage.events, strict=True)
    ignored = [round(at) for at, e in told if isinstance(e, Planned) and not e.plan]
    assert ignored == [112]


def test_definitions_wait_until_nothing_runs(stage: Stage) -> None:
    stage.planning.defining = {"compose.yaml"}
    reloads: list[float] = []
    reload = stage.planning.reload

    def noted() -> None:
        reloads.append(round(stage.clock.time))
        reload()

    stage.planning.reload = noted  # type: ignore[method-assign]
    stage.write("compose.yaml", "two", at=112)
    stage.write(PACK, "two", at=112)
    stage.run()
    assert reloads == [120]
    assert ends(stage)[1] == (113, "[] -> #3 sync-packs core")


def test_a_build_that_is_broken_off_takes_nothing_with_it(stage: Stage) -> None:
    """Newer changes make the build pointless while a pack is being synced."""
    stage.worker.slow = {ActionKind.BUILD: 10.0, ActionKind.SYNC_PACKS: 6.0}
    stage.do(110.5, lambda: Told(Started(BUILDING)))
    stage.write(PACK, "two", at=112)
    stage.write(SOURCE, "two", at=114)
    stage.run()
    assert stage.worker.cancelled == 1
    assert stage.of(Idle)[-1].ok
    assert [at for at, plan in ends(stage) if "sync-packs" in plan] == [118]
    assert [at for at, plan in ends(stage) if "build" in plan] == [114, 124]


def test_a_sync_that_fails_beside_a_build_waits_and_lets_the_build_alone(stage: Stage) -> None:
    stage.worker.fails = {"core"}
    stage.write(PACK, "two", at=112)
    stage.run()
    assert ends(stage)[1:] == [(113, "[] -> #3 sync-packs core"), (120, API)]
    [idle] = stage.of(Idle)[1:]
    assert (idle.ok, idle.failed, idle.pending) == (False, ("core",), (PACK,))


def test_a_build_that_fails_beside_a_sync_is_told_when_both_are_done(stage: Stage) -> None:
    stage.worker.slow = {ActionKind.BUILD: 3.0, ActionKind.SYNC_PACKS: 10.0}
    stage.worker.fails = {"api"}
    stage.write(PACK, "two", at=112)
    stage.run()
    [idle] = stage.of(Idle)[1:]
    assert (idle.failed, idle.pending) == (("api",), (SOURCE,))


def test_what_an_action_writes_is_left_to_its_own_plan(stage: Stage) -> None:
    timer = "packs/core/sensors/timer"

    def write() -> Message:
        (stage.root / timer).parent.mkdir(parents=True, exist_ok=True)
        (stage.root / timer).write_text("compiled")
        return Touched(frozenset({timer}))

    stage.do(112, write)
    stage.write(PACK, "two", at=113)
    stage.run()
    assert ends(stage)[1] == (114, "[] -> #3 sync-packs core")
    assert [c.path for e in stage.of(Changed) for c in e.changes][:2] == [SOURCE, PACK]


def test_nothing_is_done_beside_a_start(stage: Stage) -> None:
    stage.worker.seconds = 30.0
    stage.write(PACK, "two", at=112)
    stage.run()
    assert ends(stage)[0][0] == 130


def test_a_plan_that_cannot_be_made_meanwhile_is_told_afterwards(stage: Stage) -> None:
    plan = stage.planning.plan

    def broken(*args: object, **keywords: object) -> object:
        if 111 < stage.clock.time < 120:
            raise ActionError("git does not answer")
        return plan(*args, **keywords)  # type: ignore[arg-type]

    stage.planning.plan = broken  # type: ignore[method-assign, assignment]
    stage.write(PACK, "two", at=112)
    stage.run()
    assert ends(stage)[1:] == [(120, API), (121, "[] -> #1 sync-packs core")]


def test_a_paused_loop_starts_nothing_beside(stage: Stage) -> None:
    from attune_dev.watching.inbox import Asked, Request

    stage.send(Asked(Request.PAUSE), at=111)
    stage.write(PACK, "two", at=112)
    stage.send(Asked(Request.PAUSE), at=115)
    stage.run()
    assert ends(stage)[1:] == [(116, "[] -> #3 sync-packs core"), (120, API)]


def test_going_back_after_a_build_that_may_have_read_it_is_built_again(stage: Stage) -> None:
    """A file that comes while the build runs and goes right after it was in that build."""
    stage.write("services/api/new.rs", "new", at=115)
    stage.remove("services/api/new.rs", at=120.1)
    stage.run()
    assert [at for at, _ in ends(stage)[1:]] == [120, 130]
    assert stage.of(Idle)[-1].ok


def test_idle_is_told_when_nothing_runs_any_more(stage: Stage) -> None:
    stage.write(PACK, "two", at=112)
    stage.run()
    told: list[Event] = stage.events
    last = max(i for i, event in enumerate(told) if isinstance(event, Planned))
    idles = [i for i, event in enumerate(told) if isinstance(event, Idle)]
    assert len(idles) == 2
    assert idles[-1] > last
