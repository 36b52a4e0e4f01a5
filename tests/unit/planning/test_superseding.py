from __future__ import annotations

import pytest

from attune_dev.planning.superseding import Superseding

API = frozenset({"api"})
BOTH = frozenset({"api", "executor"})


def play(*steps: tuple[str, frozenset[str]] | str) -> list[str]:
    """Plays events; what was done at each save: ``cancel``, ``say`` or ``-``."""
    state, done = Superseding(), []
    for step in steps:
        if isinstance(step, str):
            state = state.ended() if step == "end" else state.nearly_done()
        elif step[0] == "build":
            state = state.started(step[1])
        else:
            state, judged = state.judge(step[1])
            done.append("cancel" if judged.cancel else "say" if judged.told else "-")
    return done


BUILD, SAVE = ("build", API), ("save", API)


@pytest.mark.parametrize(
    ("steps", "done"),
    [
        ([SAVE], ["-"]),
        ([BUILD, SAVE], ["cancel"]),
        ([BUILD, SAVE, SAVE], ["cancel", "-"]),
        ([BUILD, SAVE, "end", BUILD, SAVE, SAVE], ["cancel", "say", "-"]),
        ([BUILD, SAVE, "end", BUILD, SAVE, "end", BUILD, SAVE], ["cancel", "say", "cancel"]),
        ([BUILD, "link", SAVE, SAVE], ["say", "-"]),
        ([BUILD, "link", SAVE, "end", BUILD, SAVE], ["say", "cancel"]),
        ([("build", BOTH), SAVE], ["-"]),
        ([("build", BOTH), SAVE, ("save", BOTH)], ["-", "cancel"]),
        ([BUILD, ("save", BOTH)], ["cancel"]),
        ([BUILD, ("save", frozenset({"executor"}))], ["-"]),
        ([BUILD, "end", SAVE], ["-"]),
    ],
)
def test_at_most_one_of_two_builds_is_broken_off(steps: list[object], done: list[str]) -> None:
    assert play(*steps) == done  # type: ignore[arg-type]


def test_who_saves_without_end_gets_every_second_build() -> None:
    state, finished = Superseding(), 0
    for _ in range(10):
        state = state.started(API)
        state, judged = state.judge(API)
        finished += not judged.cancel
        state = state.ended()
    assert finished == 5
