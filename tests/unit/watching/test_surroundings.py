from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attune_dev.model.event import EngineAway, EngineBack, Idle, Notice, Services, ServiceState
from attune_dev.watching.inbox import EngineFound, EngineGone, Running
from attune_dev.watching.surroundings import Surroundings, Verdict
from tests.unit.watching.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from attune_dev.model.event import Event

WAIT = 3.5


def running(at: float, **containers: str) -> Running:
    return Running({name: frozenset({id_}) for name, id_ in containers.items()}, Services(()), at)


class World:
    def __init__(self) -> None:
        self.told: list[Event] = []
        self.put_back: dict[str, frozenset[str]] = {}
        self.around = Surroundings(self.told.append, lambda: self.put_back)

    def see(self, at: float, **containers: str) -> Verdict:
        self.around.take(running(at, **containers), at)
        return self.around.verdict(at)

    @property
    def notices(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Notice)]


@pytest.fixture
def world() -> World:
    made = World()
    made.see(1.0, api="a", web="w")
    return made


def test_what_was_put_back_by_hand_stays(world: World) -> None:
    world.put_back["api"] = frozenset({"old"})
    world.see(2.0, api="old", web="w")
    assert world.around.verdict(2.0 + WAIT) is Verdict.NOTHING
    assert world.notices == ["api was put back, until its sources change"]
    assert world.around.deadline() == float("inf")


def test_what_was_replaced_beside_one_that_was_put_back_is_noticed(world: World) -> None:
    world.put_back["api"] = frozenset({"old"})
    world.see(2.0, api="old", web="other")
    assert world.around.verdict(2.0 + WAIT) is Verdict.CHECK_ALL
    assert world.notices == ["web was replaced by someone else; checking everything"]


def test_what_was_put_back_and_replaced_after_that_is_noticed(world: World) -> None:
    world.put_back["api"] = frozenset({"old"})
    world.see(2.0, api="newer", web="w")
    assert world.around.verdict(2.0 + WAIT) is Verdict.CHECK_ALL


def test_what_stays_as_it_is_needs_nothing(world: World) -> None:
    assert world.see(2.0, api="a", web="w") is Verdict.NOTHING
    assert world.around.deadline() == float("inf")


def test_a_removed_container_is_noticed_when_that_has_lasted(world: World) -> None:
    assert world.see(2.0, web="w") is Verdict.NOTHING
    assert world.around.verdict(4.9) is Verdict.NOTHING
    assert world.around.verdict(5.0) is Verdict.CHECK_ALL
    assert world.notices == ["api was removed by someone else; checking everything"]
    assert world.around.verdict(50.0) is Verdict.NOTHING


def test_a_replaced_container_is_noticed(world: World) -> None:
    world.see(2.0, api="other", web="other")
    assert world.around.verdict(2.0 + WAIT) is Verdict.CHECK_ALL
    assert world.notices == ["api, web were replaced by someone else; checking everything"]


def test_a_stack_that_is_taken_down_is_left_down(world: World) -> None:
    world.see(2.0, web="w")
    world.see(4.0)
    assert world.around.verdict(6.0) is Verdict.NOTHING
    assert world.around.verdict(7.0) is Verdict.TAKEN_DOWN
    assert world.notices == ["the stack was taken down by someone else"]


def test_what_comes_back_by_itself_was_nothing(world: World) -> None:
    world.see(2.0, web="w")
    assert world.see(3.0, api="a", web="w") is Verdict.NOTHING
    assert world.around.verdict(100.0) is Verdict.NOTHING


def test_what_our_own_work_does_is_ours(world: World) -> None:
    world.around.working()
    assert world.see(2.0, api="new", web="w") is Verdict.NOTHING
    world.around.worked(10.0, ok=True)
    assert world.see(9.0, api="half", web="w") is Verdict.NOTHING  # asked for before it had ended
    assert world.see(11.0, api="new", web="w") is Verdict.NOTHING
    assert world.around.verdict(100.0) is Verdict.NOTHING


def test_what_is_taken_away_before_the_first_look_is_noticed(world: World) -> None:
    states = Services(
        (ServiceState("api", "absent"), ServiceState("once", "absent", one_shot=True))
    )
    for ok, verdict in ((False, Verdict.NOTHING), (True, Verdict.CHECK_ALL)):
        world.around.working()
        world.around.worked(10.0, ok=ok)
        world.around.take(Running({"web": frozenset({"w"})}, states, 11.0), 11.0)
        assert world.around.verdict(20.0) is verdict
    assert world.notices == ["api was removed by someone else; checking everything"]


@pytest.mark.parametrize(
    ("ok", "made", "verdict"),
    [
        (True, 9.9, Verdict.NOTHING),
        (True, 10.1, Verdict.CHECK_ALL),
        (False, 10.1, Verdict.NOTHING),
    ],
    ids=["ours", "made later", "something failed"],
)
def test_what_is_replaced_before_the_first_look_is_noticed(
    world: World, ok: bool, made: float, verdict: Verdict
) -> None:
    world.around.working()
    world.around.worked(10.0, ok=ok)
    message = Running({"api": frozenset({"b"})}, Services(()), 11.0, {"api": made})
    world.around.take(message, 11.0)
    assert world.around.verdict(20.0) is verdict


def test_the_engine_is_told_once_and_all_is_checked_when_it_is_back(world: World) -> None:
    for _ in range(3):
        world.around.take(EngineGone("cannot connect"), 2.0)
    assert world.around.away
    assert world.around.verdict(50.0) is Verdict.NOTHING
    world.around.take(EngineFound(), 60.0)
    assert world.around.verdict(60.0) is Verdict.CHECK_ALL
    assert world.around.verdict(61.0) is Verdict.NOTHING
    kinds = [event for event in world.told if isinstance(event, EngineAway | EngineBack)]
    assert kinds == [EngineAway("cannot connect"), EngineBack()]


def stage_of(tmp_path: Path) -> Stage:
    root, state = tmp_path / "root", tmp_path / "state"
    (root / "services/api").mkdir(parents=True)
    (root / "services/api/main.rs").write_text("one")
    state.mkdir()
    return Stage(root, state)


def test_the_loop_holds_work_back_and_resumes_by_itself(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.send(EngineGone("cannot connect"), 110)
    stage.write("services/api/main.rs", "two", at=112)
    stage.do(120, lambda: None)
    stage.send(EngineFound(), 130)
    stage.run()
    assert len(stage.worker.plans) == 2
    assert len(stage.planning.openings) == 2
    away = [i for i, event in enumerate(stage.events) if isinstance(event, EngineAway)]
    idle = [event for event in stage.events[away[0] :] if isinstance(event, Idle)]
    assert [event.ok for event in idle] == [False, False, True]
    assert idle[1].pending == ("services/api/main.rs",)


def test_the_loop_checks_everything_after_others_took_a_container_away(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.send(running(105.0, api="a", web="w"), 105)
    stage.send(running(110.0, web="w"), 110)
    stage.run()
    assert len(stage.planning.openings) == 2


def test_a_stack_taken_down_comes_up_at_the_next_change(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.send(running(105.0, api="a"), 105)
    stage.send(running(110.0), 110)
    stage.do(120, lambda: stage.events.append(Notice("--")))
    stage.write("services/api/main.rs", "two", at=121)
    stage.run()
    mark = stage.events.index(Notice("--"))
    before = [event for event in stage.events[:mark] if isinstance(event, Idle)]
    assert [event.ok for event in before] == [True, False]
    assert stage.of(Idle)[-1].ok
    assert len(stage.planning.openings) == 2
