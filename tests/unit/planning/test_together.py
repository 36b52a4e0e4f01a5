from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from attune_dev.model.change import Change
from attune_dev.model.plan import Action, ActionKind, Because, Plan
from attune_dev.planning.together import COMPILES, compiles, must_wait, outputs, startable

SERVICES = ("api", "executor", "sensor")


def act(
    number: int, kind: ActionKind, *targets: str, needs: tuple[int, ...] = (), path: str = ""
) -> Action:
    because = (Because(path or f"{number}.rs", "reads"),)
    return Action(number, kind, targets, needs, because)


def plan(*actions: Action) -> Plan:
    paths = sorted({path for action in actions for path in action.paths})
    return Plan(tuple(Change(path) for path in paths), actions)


@st.composite
def plans(draw: st.DrawFn) -> tuple[Action, ...]:
    made: list[Action] = []
    for number in range(1, draw(st.integers(1, 9)) + 1):
        kind = draw(st.sampled_from([kind for kind in ActionKind if kind.value != "reload"]))
        targets = draw(st.sets(st.sampled_from(SERVICES), min_size=1))
        needs = draw(st.sets(st.integers(1, number - 1))) if number > 1 else set()
        made.append(act(number, kind, *sorted(targets), needs=tuple(sorted(needs))))
    return tuple(made)


@given(plans(), st.data())
def test_whatever_ends_first_each_action_runs_once_after_its_needs_and_alone_on_its_outputs(
    actions: tuple[Action, ...], data: st.DataObject
) -> None:
    done: set[int] = set()
    running: list[Action] = []
    begun: list[int] = []
    while len(done) < len(actions):
        for action in startable(actions, done, running):
            assert done.issuperset(action.needs)
            assert all(outputs(action).isdisjoint(outputs(other)) for other in running)
            running.append(action)
            begun.append(action.id)
        assert running, "something is always done"
        assert sum(action.kind in COMPILES for action in running) <= 1
        for action in actions:  # nothing waits without a reason
            if action.id not in begun and done.issuperset(action.needs):
                assert any(outputs(action) & outputs(other) for other in running)
        done.add(running.pop(data.draw(st.integers(0, len(running) - 1))).id)
    assert sorted(begun) == [action.id for action in actions]


def test_services_are_compiled_before_pack_binaries() -> None:
    """A save in a shared crate: people wait for the services."""
    shared = (
        act(1, ActionKind.BUILD_PACK_BINARIES, "timer"),
        act(2, ActionKind.SYNC_PACKS, "core", needs=(1,)),
        act(3, ActionKind.BUILD, "api", "sensor"),
        act(4, ActionKind.RECREATE, "api", needs=(3,)),
        act(5, ActionKind.RECREATE, "sensor", needs=(2, 3)),
    )
    assert [a.id for a in startable(shared, set())] == [3]
    assert [a.id for a in startable(shared, {3})] == [1, 4]
    assert [a.id for a in startable(shared, {3, 4}, [shared[0]])] == []
    assert [a.id for a in startable(shared, {1, 3, 4})] == [2]


ASKED = (Because("", "checked at start"),)
START = (
    Action(1, ActionKind.BUILD_PACK_BINARIES, ("timer",), (), ASKED),
    Action(2, ActionKind.SYNC_PACKS, ("core",), (1,), ASKED),
    Action(3, ActionKind.BUILD, ("api",), (), ASKED),
)


def test_at_a_start_packs_are_seen_to_as_soon_as_images_are_only_exported() -> None:
    assert [a.id for a in startable(START, set())] == [3]
    assert [a.id for a in startable(START, set(), [START[2]])] == []
    assert [a.id for a in startable(START, set(), [START[2]], {3})] == [1]
    assert [a.id for a in startable(START, {1}, [START[2]], {3})] == [2]
    assert [a.id for a in startable(START, {3})] == [1]


def test_at_a_start_images_that_need_pack_binaries_come_after_them() -> None:
    needed = (*START[:2], replace(START[2], needs=(1,)))
    assert [a.id for a in startable(needed, set())] == [1]
    assert [a.id for a in startable(needed, {1})] == [2, 3]


def test_after_an_edit_pack_binaries_wait_for_the_end_of_a_build() -> None:
    """Both may be compiled in the same builder."""
    edited = (act(1, ActionKind.BUILD_PACK_BINARIES, "timer"), act(2, ActionKind.BUILD, "api"))
    assert [a.id for a in startable(edited, set(), [edited[1]], {2})] == []


def test_pack_binaries_that_an_image_needs_are_compiled_before_it() -> None:
    needed = (
        act(1, ActionKind.BUILD_PACK_BINARIES, "timer"),
        act(2, ActionKind.BUILD, "api", needs=(1,)),
    )
    assert [a.id for a in startable(needed, set())] == [1]


BUILD_API = plan(
    act(1, ActionKind.BUILD, "api", path="api.rs"),
    act(2, ActionKind.RECREATE, "api", needs=(1,), path="api.rs"),
)
BUILD_SENSOR = plan(
    act(1, ActionKind.BUILD, "sensor", path="sensor.rs"),
    act(2, ActionKind.RECREATE, "sensor", needs=(1,), path="sensor.rs"),
)
PACK = plan(
    act(1, ActionKind.SYNC_PACKS, "core", path="a.yaml"),
    act(2, ActionKind.RESTART, "api", "sensor", needs=(1,), path="a.yaml"),
)


def test_a_pack_file_does_not_wait_for_a_build_even_of_a_service_that_reads_it() -> None:
    assert must_wait(PACK, [BUILD_API]) == frozenset()
    assert must_wait(BUILD_API, [PACK]) == frozenset()


def test_there_is_one_build_at_a_time_and_one_of_everything_else() -> None:
    assert must_wait(BUILD_SENSOR, [BUILD_API]) == {"sensor.rs"}
    assert must_wait(PACK, [PACK]) == {"a.yaml"}
    assert must_wait(BUILD_API, [BUILD_SENSOR, PACK]) == {"api.rs"}
    assert must_wait(PACK, [BUILD_SENSOR, PACK]) == {"a.yaml"}


def test_only_what_has_to_wait_waits() -> None:
    both = plan(*PACK.actions, *(BUILD_API.numbered_after(2)).actions)
    assert must_wait(both, [BUILD_SENSOR]) == {"api.rs"}


def test_definitions_are_read_again_when_nothing_runs() -> None:
    reload = plan(act(1, ActionKind.RELOAD, path="compose.yaml"))
    assert must_wait(reload, [PACK]) == {"compose.yaml"}


def test_a_service_is_not_replaced_while_it_is_built() -> None:
    defined = plan(act(1, ActionKind.RECREATE, "api", path="compose.yaml"))
    assert must_wait(defined, [BUILD_API]) == {"compose.yaml"}
    assert must_wait(BUILD_API, [defined]) == {"api.rs"}
    assert must_wait(defined, [BUILD_SENSOR]) == frozenset()


def test_a_service_that_is_new_is_not_restarted_before_it_is_there() -> None:
    new = replace(act(2, ActionKind.RECREATE, "sensor", path="compose.yaml"), anew=("sensor",))
    both = plan(*BUILD_API.actions[:1], new)
    assert must_wait(PACK, [both]) == {"a.yaml"}


def test_both_ends_of_a_move_wait() -> None:
    moved = Plan(
        (Change("new.rs", moved_from="old.rs"),), (act(1, ActionKind.BUILD, "api", path="old.rs"),)
    )
    assert must_wait(moved, [BUILD_SENSOR]) == {"new.rs", "old.rs"}


@given(plans(), plans())
def test_without_what_must_wait_plans_share_no_build_and_no_service_that_is_remade(
    these: tuple[Action, ...], others: tuple[Action, ...]
) -> None:
    one, other = plan(*these), plan(*others)
    waiting = must_wait(one, [other])
    left = plan(*(action for action in these if action.paths.isdisjoint(waiting)))
    assert not (compiles(left) and compiles(other))
    assert must_wait(left, [other]) == (_all_paths(left) if _both_light(left, other) else set())


def _both_light(one: Plan, other: Plan) -> bool:
    return not compiles(one) and not compiles(other)


def _all_paths(plan: Plan) -> set[str]:
    return {path for action in plan.actions for path in action.paths}


def test_ids_of_plans_that_run_at_once_differ() -> None:
    numbered = PACK.numbered_after(2)
    assert [(action.id, action.needs) for action in numbered.actions] == [(3, ()), (4, (3,))]
    assert PACK.numbered_after(0) is PACK
