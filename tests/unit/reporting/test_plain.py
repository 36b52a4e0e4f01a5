from __future__ import annotations

import io
from typing import TYPE_CHECKING

from attune_dev.errors import ActionError, ConfigError
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.event import (
    Changed,
    Ended,
    EngineAway,
    EngineBack,
    Event,
    FailedWork,
    Idle,
    Notice,
    Output,
    Paused,
    Planned,
    Problem,
    Ready,
    Started,
    Stopped,
    Unchanged,
)
from attune_dev.model.plan import Action, ActionKind, Because, Ignored, Plan
from attune_dev.reporting.plain import PlainReporter, one_shot

if TYPE_CHECKING:
    import pytest

SOURCE = "crates/common/src/lib.rs"
BUILD = Action(
    1,
    ActionKind.BUILD,
    ("api", "executor"),
    (),
    (Because(SOURCE, "compiles attune-api"), Because(SOURCE, "compiles attune-executor")),
)
RECREATE = Action(
    2, ActionKind.RECREATE, ("api", "executor"), (1,), (Because(SOURCE, "its image is rebuilt"),)
)
PLAN = Plan((Change(SOURCE),), (BUILD, RECREATE), (Ignored("README.md", "nothing reads it"),))
BROKEN = ActionError(
    "the build of api failed",
    why="error[E0425]: cannot find value `x`\n --> crates/api/src/main.rs:10:5",
    hint="correct crates/api/src/main.rs:10 and save",
    file="crates/api/src/main.rs",
    line=10,
)


class Ticking:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(*events: Event, watching: bool = True, follow: bool = False) -> str:
    stream = io.StringIO()
    reporter = PlainReporter(
        stream,
        watching=watching,
        follow=follow,
        time_of_day=lambda: "14:02:11",
        clock_of=lambda at: f"14:00:{int(at):02d}",
    )
    for event in events:
        reporter(event)
    return stream.getvalue()


def test_a_batch_is_one_block() -> None:
    assert told(
        Changed((Change(SOURCE), Change("README.md"))),
        Planned(PLAN),
        Started(BUILD, "image"),
        Output(BUILD, "   Compiling common v0.1.0"),
        Ended(
            BUILD, ok=True, seconds=6.2, outcome="succeeded", via="image", built=2, changed=("api",)
        ),
        Started(RECREATE),
        Ended(RECREATE, ok=True, seconds=0.7, outcome="succeeded", changed=("api",)),
        Idle(ok=True, seconds=6.9),
    ) == (
        f"14:02:11  2 files changed: {SOURCE}, README.md\n"
        f"  build api, executor: {SOURCE}: compiles attune-api; "
        f"{SOURCE}: compiles attune-executor\n"
        f"  recreate api, executor: {SOURCE}: its image is rebuilt\n"
        "  left alone: README.md: nothing reads it\n"
        "  ok     build api, executor, 6.2 s\n"
        "  ok     recreate api, executor, 0.7 s\n"
        "14:02:11  live: 2 built, 1 changed, 1 restarted in 6.9 s\n"
    )


def test_a_compile_error_names_the_place_first_and_the_next_step_last() -> None:
    text = told(Ended(BUILD, ok=False, seconds=3.2, outcome="failed", error=BROKEN))
    assert text.splitlines() == [
        "  FAILED build api, executor, 3.2 s",
        "    error: the build of api failed (crates/api/src/main.rs:10)",
        "      error[E0425]: cannot find value `x`",
        "       --> crates/api/src/main.rs:10:5",
        "      fix: correct crates/api/src/main.rs:10 and save",
    ]


def test_what_failed_for_some_alone_is_told_and_counted_as_that() -> None:
    failed = Ended(
        BUILD,
        ok=False,
        seconds=3.2,
        outcome="failed",
        built=1,
        changed=("executor",),
        error=BROKEN,
        broken=("api",),
    )
    why = "the build of api failed"
    rest = Ended(
        RECREATE,
        ok=False,
        seconds=1.0,
        outcome="skipped",
        detail=why,
        changed=("executor",),
        broken=("api",),
    )
    text = told(Planned(PLAN), failed, rest, Idle(ok=False, failed=("api",), seconds=4.2))
    assert "  partly recreate api, executor, 1.0 s (the build of api failed)\n" in text
    assert text.endswith("1 built, 1 changed, 1 restarted, 1 failed, 1 skipped\n"), text


def test_idle_names_what_failed_and_what_is_pending() -> None:
    work = FailedWork("build", ("api",), 1.0, ("a.rs", "b.rs"), BROKEN)
    idle = Idle(
        ok=False, failed=("api",), pending=("a.rs", "b.rs", "c.rs"), seconds=1.0, work=(work,)
    )
    assert told(idle) == (
        "14:02:11  api: build failed 14:00, 2 changes pending (a.rs, b.rs)\n"
        "14:02:11  1 change pending (c.rs)\n"
    )


def test_idle_that_is_not_live_says_so_without_any_failure() -> None:
    assert told(Idle(ok=False)) == "14:02:11  not all is live\n"


def test_the_engine_and_a_pause_are_told() -> None:
    assert told(EngineAway("no socket"), EngineBack(), Paused(on=True), Paused(on=False)) == (
        "14:02:11  the engine does not answer (no socket); waiting for it\n"
        "14:02:11  the engine is back; checking everything\n"
        "14:02:11  paused\n"
        "14:02:11  going on\n"
    )


def test_a_large_batch_is_counted() -> None:
    changes = tuple(Change(f"f{n}") for n in range(5000))
    assert told(Changed(changes)) == (
        "14:02:11  5,000 files changed: f0, f1, f2, f3, f4 and 4,995 more\n"
    )


def test_kinds_of_change_are_told() -> None:
    changes = (
        Change("a", ChangeKind.CREATED),
        Change("b", ChangeKind.MOVED, "old"),
        Change("c", ChangeKind.DELETED),
    )
    assert told(Changed(changes, "since the last run")) == (
        "14:02:11  3 files changed: a (created), b (moved from old), c (deleted) "
        "(since the last run)\n"
    )


def test_a_save_without_change_is_one_line() -> None:
    assert told(Unchanged(("a.rs",))) == "14:02:11  saved, no change: a.rs\n"


def test_a_batch_that_nothing_reads_says_so() -> None:
    plan = Plan((Change("README.md"),), (), (Ignored("README.md", "nothing reads it"),))
    assert told(Planned(plan), Idle(ok=True)) == (
        "  left alone: README.md: nothing reads it\n14:02:11  live: nothing to do\n"
    )


def test_ready_lists_the_addresses() -> None:
    assert told(Ready(3.14, (("api", "http://127.0.0.1:8080"),))).splitlines() == [
        "14:02:11  ready after 3.1 s",
        "  api              http://127.0.0.1:8080",
    ]


def test_problems_notices_and_the_end_are_told() -> None:
    error = ConfigError("not valid YAML", file="compose.yaml", line=3, hint="mend it")
    assert told(Problem(error), Notice("waiting: git is at work"), Stopped(130, "interrupted")) == (
        "error: not valid YAML (compose.yaml:3)\n"
        "  fix: mend it\n"
        "14:02:11  waiting: git is at work\n"
        "14:02:11  stopped (interrupted)\n"
    )


def test_names_and_output_cannot_draw_on_the_terminal() -> None:
    evil = "\x1b[2J\x1b]0;x\x07evil"
    action = Action(1, ActionKind.BUILD, (evil,), (), (Because(evil, evil),))
    plan = Plan((Change(evil),), (action,), (Ignored(evil, evil),))
    error = ActionError(evil, why=evil, hint=evil, file=evil)
    text = told(
        Changed((Change(evil),)),
        Unchanged((evil,)),
        Planned(plan),
        Output(action, evil),
        Ended(action, ok=False, seconds=1.0, outcome="failed", detail=evil, error=error),
        Idle(ok=False, failed=(evil,), pending=(evil,)),
        Problem(error),
        Notice(evil),
        Ready(1.0, ((evil, evil),)),
        follow=True,
    )
    assert "\x1b" not in text
    assert "\x07" not in text


def test_a_long_action_shows_a_sign_of_life() -> None:
    stream, clock = io.StringIO(), Ticking()
    reporter = PlainReporter(stream, clock=clock)
    reporter(Started(BUILD))
    for second in range(25):
        clock.now = float(second)
        reporter(Output(BUILD, f"line {second}"))
    assert stream.getvalue() == "  ... build, 10 s: line 10\n  ... build, 20 s: line 20\n"


def test_a_one_shot_streams_all_output() -> None:
    assert told(
        Started(BUILD),
        Output(BUILD, "Compiling"),
        Ended(BUILD, ok=True, seconds=1.0, outcome="unchanged"),
        watching=False,
        follow=True,
    ).splitlines() == [
        "build api, executor ...",
        "  Compiling",
        "  same   build api, executor, 1.0 s",
    ]


def test_a_stream_that_knows_only_ascii_gets_ascii() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    PlainReporter(stream)(Unchanged(("café\udce9",)))
    assert raw.getvalue().endswith(b"saved, no change: caf\\xe9\\xe9\n")


def test_with_json_standard_output_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    one_shot(to_stderr=True)(Notice("hello"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "hello\n"


def test_colours_mark_how_it_ended() -> None:
    stream = io.StringIO()
    PlainReporter(stream, colours=True)(Ended(BUILD, ok=True, seconds=1.0, outcome="succeeded"))
    assert "\x1b[32mok    \x1b[0m build" in stream.getvalue()
