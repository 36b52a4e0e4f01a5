"""What is shown of a build: a bar while it runs, a table at its end."""

from __future__ import annotations

import io

import pytest

from attune_dev.model.event import Ended, Notice, Progress
from attune_dev.model.plan import Action, ActionKind, Plan
from attune_dev.reporting.bar import ERASE_LINE, Bar, bar_text
from attune_dev.reporting.builds import build_lines
from attune_dev.running.meter import BuildFigures
from attune_dev.running.outcome import ActionResult, Outcome, RunResult, TargetResult

BUILD = Action(1, ActionKind.BUILD, ("api", "worker-shell"))


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress(BUILD, "api", 1, 2, 3.0), f"[{'-' * 24}] 1 of 2, api, about 3.0 s left"),
        (Progress(BUILD, "api", 2, 3), f"[{'#' * 8}{'-' * 16}] 2 of 3, api"),
        (Progress(BUILD, "api", 3, 3), f"[{'#' * 23}-] 3 of 3, api"),
        (Progress(BUILD, "api", 7), "7 so far, api"),
        (Progress(BUILD, "linking \x1b[2J"), "linking"),
    ],
)
def test_the_bar(progress: Progress, text: str) -> None:
    assert bar_text(progress).startswith(text)


def test_the_bar_stays_below_the_lines_and_goes_with_the_action() -> None:
    stream = io.StringIO()

    def tell(event: object) -> None:
        if not isinstance(event, Progress):
            stream.write("line\n")

    bar = Bar(tell, stream, lambda: 12)
    bar(Notice("a"))
    bar(Progress(BUILD, "compiling api", 7))
    bar(Notice("b"))
    bar(Ended(BUILD, ok=True, seconds=1.0))
    bar(Notice("c"))
    shown = "7 so far, c"
    wanted = f"line\n{shown}{ERASE_LINE}line\n{shown}{ERASE_LINE}line\nline\n"
    assert stream.getvalue() == wanted


def test_a_line_per_image_and_one_for_the_cache() -> None:
    targets = (
        TargetResult("api", "compiled", changed=True, seconds=12.34, size=133_100_000),
        TargetResult("worker-shell", "unchanged", changed=False, seconds=9.0, size=1_500_000_000),
    )
    figures = BuildFigures(8, 6, ("attune-common", "attune-api"))
    done = ActionResult(BUILD, Outcome.SUCCEEDED, 13.0, targets, figures=figures)
    assert build_lines(RunResult(Plan(actions=(BUILD,)), (done,))) == [
        "  api           compiled       12 s   133.1 MB",
        "  worker-shell  unchanged     9.0 s    1.50 GB",
        "  8 steps, 6 from the cache (75%); 2 packages compiled",
    ]


def test_a_build_that_failed_has_no_table() -> None:
    failed = ActionResult(BUILD, Outcome.FAILED, 13.0)
    assert build_lines(RunResult(Plan(actions=(BUILD,)), (failed,))) == []


def test_a_build_that_failed_in_part_tells_which_images_there_are() -> None:
    targets = (
        TargetResult("api", "failed", changed=False),
        TargetResult("web", "compiled", changed=True, seconds=2.0, size=1_000_000),
    )
    partly = ActionResult(BUILD, Outcome.FAILED, 2.0, targets, partly=True)
    told = build_lines(RunResult(Plan(actions=(BUILD,)), (partly,)))
    assert told[:2] == ["  api  failed        0.0 s", "  web  compiled      2.0 s     1.0 MB"]
