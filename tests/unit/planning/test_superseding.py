from __future__ import annotations

import pytest

from attune_dev.planning.superseding import Superseding

API = frozenset({"api"})
BOTH = frozenset({"api", "executor"})


Step = tuple[str, frozenset[str]]


def play(*steps: Step | str) -> list[str]:
    """Plays events of one plan after the other, each with what it builds.

    Returns:
        What was done at each save: ``cancel``, ``say`` or ``-``.
    """
    state, done = Superseding(), []
    for step in steps:
        if isinstance(step, str):
            now = state.running
            state = state.ended(now) if step == "end" else state.nearly_done(now)
        elif step[0] == "plan":
            state = state.planned(step[1])
        elif step[0] == "build":
            state = state.started(step[1])
        else:
            state, judged = state.judge(step[1])
            done.append("cancel" if judged.cancel else "say" if judged.told else "-")
    return done


TIMER = frozenset({"timer"})
PLAN, BUILD, SAVE = ("plan", API), ("build", API), ("save", API)
PACKS = (("plan", API | TIMER), ("build", TIMER))


@pytest.mark.parametrize(
    ("steps", "done"),
    [
        ([SAVE], ["-"]),
        ([PLAN, BUILD, SAVE], ["cancel"]),
        ([PLAN, SAVE], ["-"]),
        ([BUILD, SAVE, SAVE], ["cancel", "-"]),
        ([BUILD, SAVE, "end", PLAN, BUILD, SAVE, SAVE], ["cancel", "say", "-"]),
        (
            [BUILD, SAVE, "end", PLAN, BUILD, SAVE, "end", PLAN, BUILD, SAVE],
            ["cancel", "say", "cancel"],
        ),
        ([BUILD, "link", SAVE, SAVE], ["say", "-"]),
        ([BUILD, "link", SAVE, "end", PLAN, BUILD, SAVE], ["say", "cancel"]),
        # two builds in one plan: pack binaries, then images
        ([*PACKS, ("save", TIMER)], ["-"]),
        ([*PACKS, ("save", API | TIMER)], ["cancel"]),
        ([*PACKS, "link", ("save", API | TIMER)], ["cancel"]),
        ([*PACKS, "end", SAVE, BUILD, SAVE], ["-", "cancel"]),
        ([*PACKS, BUILD, "link", ("save", API | TIMER)], ["say"]),
        ([BUILD, SAVE, "end", *PACKS, "end", BUILD, SAVE], ["cancel", "say"]),
        ([BUILD, SAVE, "end", ("plan", frozenset()), PLAN, BUILD, SAVE], ["cancel", "say"]),
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
        state = state.planned(API).started(API)
        state, judged = state.judge(API)
        finished += not judged.cancel
        state = state.ended(API)
    assert finished == 5
