from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attune_dev.watching.debounce import Debouncer


def test_nothing_is_due_without_a_path() -> None:
    debouncer = Debouncer()
    assert debouncer.deadline() is None
    assert debouncer.take(1e9) == frozenset()


def test_a_batch_is_due_exactly_after_the_quiet_time() -> None:
    debouncer = Debouncer(quiet=0.25, cap=2.0)
    debouncer.add("a", 10.0)
    assert debouncer.deadline() == 10.25
    assert debouncer.take(10.249) == frozenset()
    assert debouncer.take(10.25) == {"a"}


def test_each_path_prolongs_the_wait_up_to_the_cap() -> None:
    debouncer = Debouncer(quiet=0.5, cap=2.0)
    for step in range(8):
        debouncer.add(f"f{step}", 10.0 + step * 0.25)
    assert debouncer.deadline() == 12.0
    assert debouncer.take(11.99) == frozenset()
    assert len(debouncer.take(12.0)) == 8


def storm(*, files: int, seconds: float, apart: int = 1_000_000) -> Debouncer:
    debouncer = Debouncer(quiet=0.15, cap=2.0)
    for number in range(files):
        debouncer.add(f"f{number % apart}", 10.0 + seconds * number / files)
    return debouncer


def test_a_storm_of_other_files_is_one_batch_though_it_takes_longer_than_the_cap() -> None:
    due = storm(files=20_000, seconds=4.0).deadline()
    assert due is not None
    assert 14.5 < due < 14.7


def test_a_storm_that_the_disk_holds_up_for_a_moment_is_one_batch() -> None:
    debouncer = storm(files=10_000, seconds=1.0)
    assert debouncer.take(11.4) == frozenset()
    debouncer.add("one more", 11.4)
    assert len(debouncer.take(12.0)) == 10_001


def test_even_a_storm_ends() -> None:
    assert storm(files=90_000, seconds=9.0).deadline() == 16.0


def test_the_same_files_again_and_again_are_no_storm() -> None:
    assert storm(files=20_000, seconds=4.0, apart=900).deadline() == 12.0
    due = storm(files=20_000, seconds=40.0, apart=1500).deadline()
    assert due is not None
    assert 13.5 < due < 13.7


def test_one_path_touched_a_hundred_times_is_in_the_batch_once() -> None:
    debouncer = Debouncer()
    for _ in range(100):
        debouncer.add("a", 1.0)
    assert debouncer.flush() == {"a"}


def test_a_batch_is_taken_once() -> None:
    debouncer = Debouncer()
    debouncer.add("a", 1.0)
    assert debouncer.take(2.0) == {"a"}
    assert debouncer.take(3.0) == frozenset()
    assert debouncer.deadline() is None


def test_the_cap_counts_from_the_first_path_of_its_own_batch() -> None:
    debouncer = Debouncer(quiet=0.5, cap=1.0)
    debouncer.add("a", 0.0)
    debouncer.take(1.0)
    debouncer.add("b", 5.0)
    assert debouncer.deadline() == 5.5


def test_a_clock_that_stands_still_does_no_harm() -> None:
    debouncer = Debouncer(quiet=0.5, cap=1.0)
    debouncer.add("a", 3.0)
    debouncer.add("b", 2.0)
    assert debouncer.deadline() == 3.5


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 0.4)), max_size=40))
def test_no_path_is_lost_and_none_waits_longer_than_the_cap(
    steps: list[tuple[str, float]],
) -> None:
    debouncer = Debouncer(quiet=0.15, cap=1.0)
    now = 0.0
    waiting: dict[str, float] = {}
    for path, gap in steps:
        now += gap
        due = debouncer.deadline()
        if due is not None and due <= now:
            for taken in debouncer.take(due):
                assert due - waiting.pop(taken) <= 1.0
        debouncer.add(path, now)
        waiting.setdefault(path, now)
    assert debouncer.flush() == set(waiting)
