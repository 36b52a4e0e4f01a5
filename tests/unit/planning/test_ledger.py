from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import Action, ActionKind, Because, Ignored, Plan
from attune_dev.planning.ledger import Edit, Ledger, describe
from tests.effort import examples


def build(ledger: Ledger, *causes: str, targets: tuple[str, ...] = ("api",)) -> Plan:
    action = Action(
        1, ActionKind.BUILD, targets, because=tuple(Because(c, "compiles") for c in causes)
    )
    return Plan(ledger.changes(), (action,))


def edited(*paths: str, at: float = 1.0) -> Ledger:
    return Ledger().absorb([Edit(path, "old", f"new {path}") for path in paths], at)


def test_a_change_leaves_when_its_action_has_succeeded() -> None:
    ledger = edited("a.rs")
    assert not ledger.settle(build(ledger, "a.rs"), {1}, started_at=2.0)


def test_a_change_whose_action_failed_stays_pending() -> None:
    ledger = edited("a.rs")
    after = ledger.begin(build(ledger, "a.rs")).settle(build(ledger, "a.rs"), set(), 2.0)
    assert after.paths == ("a.rs",)
    assert after.entries["a.rs"].tried


def test_a_change_seen_after_the_start_is_not_settled_by_it() -> None:
    ledger = edited("a.rs", at=1.0)
    plan = build(ledger, "a.rs")
    later = ledger.absorb([Edit("a.rs", "new a.rs", "newer")], at=3.0)
    assert later.settle(plan, {1}, started_at=2.0).paths == ("a.rs",)


def test_a_change_seen_at_the_very_moment_of_the_start_is_kept() -> None:
    ledger = edited("a.rs", at=2.0)
    assert ledger.settle(build(ledger, "a.rs"), {1}, started_at=2.0)


def test_all_actions_that_a_change_caused_must_succeed() -> None:
    ledger = edited("a.rs")
    because = (Because("a.rs", "compiles"),)
    plan = Plan(
        ledger.changes(),
        (
            Action(1, ActionKind.BUILD, ("api",), because=because),
            Action(2, ActionKind.RECREATE, ("api",), (1,), because),
        ),
    )
    assert ledger.settle(plan, {1}, 2.0).paths == ("a.rs",)
    assert not ledger.settle(plan, {1, 2}, 2.0)


def test_a_change_that_nothing_reads_leaves_without_an_action() -> None:
    ledger = edited("README.md")
    plan = Plan(ledger.changes(), (), (Ignored("README.md", "nothing reads it"),))
    assert not ledger.settle(plan, set(), 2.0)


def test_a_change_that_the_plan_does_not_mention_stays() -> None:
    ledger = edited("a.rs", "b.rs")
    plan = build(edited("a.rs"), "a.rs")
    assert ledger.settle(plan, {1}, 2.0).paths == ("b.rs",)


def test_going_back_before_anything_ran_leaves_nothing_to_do() -> None:
    ledger = Ledger().absorb([Edit("a.rs", "A", "B")], 1.0).absorb([Edit("a.rs", "B", "A")], 2.0)
    assert not ledger


def test_going_back_after_a_failed_action_is_still_pending() -> None:
    ledger = Ledger().absorb([Edit("a.rs", "A", "B")], 1.0)
    failed = ledger.begin(build(ledger, "a.rs")).settle(build(ledger, "a.rs"), set(), 2.0)
    back = failed.absorb([Edit("a.rs", "B", "A")], 3.0)
    assert back.changes() == (Change("a.rs", ChangeKind.MODIFIED),)
    assert not back.settle(build(back, "a.rs"), {1}, 4.0)


def test_going_back_while_an_action_runs_is_a_change_to_what_it_made() -> None:
    ledger = Ledger().absorb([Edit("a.rs", "A", "B")], 1.0)
    plan = build(ledger, "a.rs")
    back = ledger.begin(plan).absorb([Edit("a.rs", "B", "A")], 3.0)
    assert back.settle(plan, {1}, 2.0).paths == ("a.rs",)


def test_a_file_that_appears_and_vanishes_was_never_there() -> None:
    ledger = Ledger().absorb([Edit("4913", None, "x")], 1.0).absorb([Edit("4913", "x", None)], 1.1)
    assert not ledger


def test_created_then_modified_is_created() -> None:
    ledger = Ledger().absorb([Edit("a", None, "1")], 1).absorb([Edit("a", "1", "2")], 2)
    assert ledger.changes() == (Change("a", ChangeKind.CREATED),)


def test_deleted_then_created_is_modified() -> None:
    ledger = Ledger().absorb([Edit("a", "1", None)], 1).absorb([Edit("a", None, "2")], 2)
    assert ledger.changes() == (Change("a", ChangeKind.MODIFIED),)


def test_a_deletion_and_a_creation_of_equal_content_are_a_move() -> None:
    assert describe([Edit("old.rs", "D", None), Edit("new.rs", None, "D")]) == (
        Change("new.rs", ChangeKind.MOVED, "old.rs"),
    )


def test_a_moved_folder_keeps_its_file_names_together() -> None:
    edits = [Edit(f"p/{n}", "same", None) for n in "abc"]
    edits += [Edit(f"q/{n}", None, "same") for n in "abc"]
    assert describe(edits) == tuple(Change(f"q/{n}", ChangeKind.MOVED, f"p/{n}") for n in "abc")


def test_a_second_copy_is_a_creation() -> None:
    edits = [Edit("a", "D", None), Edit("x/b", None, "D"), Edit("y/a", None, "D")]
    assert describe(edits) == (
        Change("x/b", ChangeKind.CREATED),
        Change("y/a", ChangeKind.MOVED, "a"),
    )


def test_empty_files_are_not_paired() -> None:
    assert describe([Edit("a", "empty", None), Edit("b", None, "empty")]) == (
        Change("a", ChangeKind.DELETED),
        Change("b", ChangeKind.CREATED),
    )


def test_both_ends_of_a_move_are_settled_by_what_either_of_them_caused() -> None:
    ledger = Ledger().absorb([Edit("old.rs", "D", None), Edit("new.rs", None, "D")], 1.0)
    assert not ledger.settle(build(ledger, "new.rs"), {1}, 2.0)


def test_what_an_action_wrote_itself_is_let_go_while_it_is_unchanged() -> None:
    ledger = Ledger().absorb([Edit("packs/core/sensors/timer", "1", "2")], 1.0)
    assert ledger.settle_written({"packs/core/sensors/timer": "3"})
    assert not ledger.settle_written({"packs/core/sensors/timer": "2"})


def test_settling_everything_keeps_what_was_seen_later() -> None:
    ledger = edited("a", at=1.0).absorb([Edit("b", "1", "2")], 3.0)
    assert ledger.settle_all(2.0).paths == ("b",)


PATHS = st.sampled_from(["a", "b", "c", "d"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), PATHS, st.sampled_from(["1", "2", "3", None])),
        st.tuples(st.just("run"), st.booleans(), st.none()),
        st.tuples(st.just("write during run"), PATHS, st.booleans()),
    ),
    max_size=25,
)


@settings(max_examples=examples(60))
@given(STEPS)
def test_an_empty_ledger_means_that_what_runs_is_what_is_on_disk(
    steps: list[tuple[str, object, object]],
) -> None:
    """A model with one output per path: a run applies the disk as it is when it starts."""
    disk: dict[str, str | None] = dict.fromkeys("abcd", "0")
    applied = dict(disk)
    ledger = Ledger()
    moment = 0.0

    def write(path: str, digest: str | None) -> None:
        nonlocal ledger
        before, disk[path] = disk[path], digest
        if before != digest:
            ledger = ledger.absorb([Edit(path, before, digest)], moment)

    for what, first, second in steps:
        moment += 1
        if what == "write":
            write(str(first), None if second is None else str(second))
            continue
        plan = Plan(
            ledger.changes(),
            tuple(
                Action(n, ActionKind.BUILD, (path,), because=(Because(path, "reads"),))
                for n, path in enumerate(ledger.paths, start=1)
            ),
        )
        moment += 1
        started = moment
        ledger = ledger.begin(plan)
        ok = bool(first) if what == "run" else bool(second)
        for action in plan.actions:
            applied[action.targets[0]] = disk[action.targets[0]] if ok else "unknown"
        moment += 1
        if what == "write during run":
            write(str(first), "during")
        succeeded = {a.id for a in plan.actions} if ok else set()
        ledger = ledger.settle(plan, succeeded, started)
        for path in "abcd":
            assert path in ledger.entries or applied[path] == disk[path]
