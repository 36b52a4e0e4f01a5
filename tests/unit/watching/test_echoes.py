from __future__ import annotations

from attune_dev.model.plan import Action, ActionKind, Because, Plan
from attune_dev.watching.echoes import MOST_IN_A_ROW, NAMED_IN_A_ROW, Echo, Echoes


def plan(path: str) -> Plan:
    return Plan((), (Action(1, ActionKind.BUILD, ("api",), (), (Because(path, "reads"),)),))


class Day:
    def __init__(self) -> None:
        self.now = 100.0
        self.echoes = Echoes(lambda: self.now)

    def work(self, path: str, written: float) -> Echo:
        """Ten seconds of work; ``written`` seconds ago its cause was written."""
        found = self.echoes.starts(plan(path), lambda _: self.now - written)
        self.now += 10
        self.echoes.ended(plan(path))
        self.now += 1
        return found


def test_what_the_work_before_wrote_again_and_again_is_named_and_then_stopped() -> None:
    day = Day()
    found = [day.work("gen.rs", 3.0) for _ in range(MOST_IN_A_ROW + 2)]
    told = {n: echo for n, echo in enumerate(found) if echo != Echo()}
    gen = frozenset({"gen.rs"})
    assert told == {NAMED_IN_A_ROW: Echo(gen), MOST_IN_A_ROW: Echo(gen, stop=True)}


def test_saves_between_two_pieces_of_work_are_a_persons() -> None:
    day = Day()
    assert {day.work("main.rs", 0.5) for _ in range(60)} == {Echo()}


def test_one_save_in_between_ends_the_row() -> None:
    day = Day()
    found = [day.work("gen.rs", 0.5 if n % 20 == 19 else 3.0) for n in range(80)]
    assert not any(echo.stop for echo in found)


def test_other_files_each_time_are_no_echo() -> None:
    day = Day()
    assert {day.work(f"{n}.rs", 3.0) for n in range(60)} == {Echo()}


def test_a_request_without_causes_is_no_echo() -> None:
    day = Day()
    empty = Plan((), (Action(1, ActionKind.BUILD, ("api",)),))
    assert {day.echoes.starts(empty, lambda _: 0.0) for _ in range(60)} == {Echo()}
