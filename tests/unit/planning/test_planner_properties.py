"""What holds of every plan, whatever changed."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import ActionKind, Plan
from attune_dev.planning.graph import build_graph
from attune_dev.planning.planner import make_plan
from tests.effort import examples
from tests.unit.planning.builders import attune

WORKSPACE = attune()
GRAPH = build_graph(WORKSPACE)
PATHS = [
    "crates/common/src/lib.rs",
    "crates/api/src/main.rs",
    "crates/api/tests/t.rs",
    "crates/notifier/Cargo.toml",
    "crates/timer/src/main.rs",
    "crates/tool/src/main.rs",
    "crates/worker/build.rs",
    "Cargo.toml",
    "Cargo.lock",
    "Dockerfile",
    "Dockerfile.worker",
    "Dockerfile.pack",
    ".dockerignore",
    "docker-compose.yaml",
    "config/a.yaml",
    "packs/core/pack.yaml",
    "packs/core/sensors/timer-sensor",
    "packs/net/README.md",
    "packs/new/pack.yaml",
    "packs.dev/x/actions/a.sh",
    "README.md",
    "docs/a.md",
    "target/x",
    "crates/api/src/.main.rs.swp",
]
STARTS = (ActionKind.RERUN, ActionKind.RECREATE, ActionKind.RESTART)

changes = st.lists(
    st.one_of(
        st.builds(
            Change,
            st.sampled_from(PATHS),
            st.sampled_from([ChangeKind.CREATED, ChangeKind.MODIFIED, ChangeKind.DELETED]),
        ),
        st.builds(
            Change, st.sampled_from(PATHS), st.just(ChangeKind.MOVED), st.sampled_from(PATHS)
        ),
    ),
    max_size=8,
)
selections = st.one_of(
    st.none(), st.frozensets(st.sampled_from(sorted(WORKSPACE.compose.services)))
)


def planned(made: list[Change], services: frozenset[str] | None = None) -> Plan:
    return make_plan(WORKSPACE, made, services=services, graph=GRAPH)


def outputs(plan: Plan) -> set[tuple[str, str]]:
    """What is done, restarts and recreates alike: a recreate may stand for a restart."""
    return {
        ("start" if action.kind in STARTS else action.kind.value, target)
        for action in plan.actions
        for target in action.targets or ("",)
    }


@given(changes, selections, st.randoms(use_true_random=False))
@settings(max_examples=examples(40))
def test_the_order_of_changes_does_not_matter(
    made: list[Change], services: frozenset[str] | None, chance: random.Random
) -> None:
    shuffled = list(made)
    chance.shuffle(shuffled)
    assert planned(made, services) == planned(shuffled, services)


@given(changes, selections)
@settings(max_examples=examples(40))
def test_every_change_is_a_cause_or_ignored_with_a_reason(
    made: list[Change], services: frozenset[str] | None
) -> None:
    plan = planned(made, services)
    causes = {path for action in plan.actions for path in action.paths}
    ignored = {item.path: item.reason for item in plan.ignored}
    assert {change.path for change in made} == causes | set(ignored)
    assert all(ignored.values())
    assert all(cause.reason for action in plan.actions for cause in action.because)


@given(changes, selections)
@settings(max_examples=examples(40))
def test_needs_come_before_and_no_service_starts_twice(
    made: list[Change], services: frozenset[str] | None
) -> None:
    plan = planned(made, services)
    assert [action.id for action in plan.actions] == list(range(1, len(plan.actions) + 1))
    assert all(need < action.id for action in plan.actions for need in action.needs)
    started = [t for action in plan.actions if action.kind in STARTS for t in action.targets]
    assert len(started) == len(set(started))
    assert len(plan.of(ActionKind.BUILD)) <= 1
    assert all(action.targets or action.kind is ActionKind.RELOAD for action in plan.actions)
    if services is not None:
        assert set(started) <= services


@given(changes, changes, selections)
@settings(max_examples=examples(40))
def test_one_more_change_never_takes_an_output_away(
    made: list[Change], more: list[Change], services: frozenset[str] | None
) -> None:
    assert outputs(planned(made, services)) <= outputs(planned(made + more, services))


@given(changes)
@settings(max_examples=examples(40))
def test_who_waits_for_a_service_starts_after_it(made: list[Change]) -> None:
    plan = planned(made)
    started = {t: a for a in plan.actions if a.kind in STARTS for t in a.targets}
    for name, service in WORKSPACE.compose.services.items():
        for dependency in service.depends_on:
            if name in started and dependency.service in started:
                assert started[dependency.service].id in started[name].needs


@given(selections)
@settings(max_examples=examples(20))
def test_no_change_plans_nothing(services: frozenset[str] | None) -> None:
    assert planned([], services) == Plan((), (), ())
