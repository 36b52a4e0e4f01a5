from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune_dev.model.change import Change
from attune_dev.model.event import (
    Changed,
    Ended,
    Event,
    FailedWork,
    Idle,
    Notice,
    Progress,
    Services,
    ServiceState,
    Started,
)
from attune_dev.reporting.keys import Mode, Screen, decode, press
from attune_dev.reporting.layout import fault_block, rows_shown, share
from attune_dev.reporting.view import Row, State, View
from tests.unit.reporting.boards import (
    BROKEN,
    BUILD,
    RECREATE,
    RUNNING,
    SOURCE,
    SYNC,
    WORKING,
    drawn,
    folded,
)

FAILING = (
    *WORKING,
    Ended(BUILD, ok=False, seconds=3.0, outcome="failed", error=BROKEN),
    Idle(
        ok=False,
        failed=("api",),
        pending=(SOURCE, "a.rs", "b.rs"),
        work=(FailedWork("build", ("api",), 5.0, (SOURCE, "a.rs", "b.rs"), BROKEN),),
    ),
)
LIVE = (
    *WORKING,
    Ended(BUILD, ok=True, seconds=6.0, outcome="succeeded", built=1, changed=("api",)),
    Started(RECREATE),
    Ended(RECREATE, ok=True, seconds=1.0, outcome="succeeded", changed=("api",)),
    Idle(ok=True),
)


def test_a_wide_terminal_shows_all_columns() -> None:
    lines = drawn(folded(LIVE), 150, 24)
    assert lines[0] == "attune  live since 14:08:00"
    assert [line.split() for line in lines[2:7]] == [
        ["SERVICE", "STATE", "HEALTH", "LIVE", "EDIT", "LAST", "ACTION", "NOTE"],
        [
            *("api", "live", "healthy", "14:07", SOURCE, "replaced", "14:07:00"),
            *(f"{SOURCE}:", "compiles", "attune-api"),
        ],
        ["init-packs", "done"],
        ["sensor", "live", "unhealthy"],
        ["worker", "stopped", "exited", "137"],
    ]
    assert lines[8:11] == [
        "14:07:00  replaced: api, 1.0 s",
        "14:05:00  built: api, 6.0 s",
        f"14:02:00  changed {SOURCE}",
    ]
    assert lines[-1] == "r retry  b build all  p pause  l logs  w why  q quit"
    assert len(lines) == 24


def test_a_compiler_error_stands_first_and_the_service_says_what_waits() -> None:
    lines = drawn(folded(FAILING), 80, 24)
    assert lines[:10] == [
        "attune  not live since 14:06:00  3 changes pending",
        "",
        "crates/api/src/main.rs:10: the build of api failed",
        "error[E0425]: cannot find value `x`",
        " --> crates/api/src/main.rs:10:5",
        "fix: correct crates/api/src/main.rs:10 and save",
        "",
        "SERVICE     STATE    HEALTH      NOTE",
        "api         failed   healthy     build failed 14:05, 3 changes pending",
        "init-packs  done",
    ]


def test_a_tiny_terminal_keeps_the_error_and_who_needs_attention() -> None:
    assert drawn(folded(FAILING), 40, 10) == [
        "attune  not live since 14:06:00  3 chan…",
        "crates/api/src/main.rs:10: the build of…",
        "error[E0425]: cannot find value `x`",
        " --> crates/api/src/main.rs:10:5",
        "fix: correct crates/api/src/main.rs:10 …",
        "api         failed   build failed 14:05…",
        "init-packs  done",
        "sensor      live",
        "worker      stopped",
        "r retry b all p pause l log w why q quit",
    ]


def test_what_runs_is_shown_with_progress_and_estimate() -> None:
    view = folded([*WORKING, Progress(BUILD, "compiling serde", 15, 60, 9.0)])
    assert drawn(view, 80, 24, now=8.0)[2:4] == [
        "build api, 4.0 s, 15 of 60, about 6.0 s left",
        "[##########..............................]  compiling serde",
    ]
    short = drawn(view, 60, 12, now=8.0)[1]
    assert short == "build api, 4.0 s, 15 of 60, about 6.0 s left: compiling ser…"


def test_how_far_a_build_of_many_is_stays_on_a_narrow_terminal() -> None:
    many = replace(BUILD, targets=("api", "executor", "notifier", "sensor", "worker-shell"))
    view = folded([*WORKING[:-1], Started(many), Progress(many, "compiling serde", 15, 60, 9.0)])
    assert drawn(view, 60, 24, now=8.0)[2] == (
        "build api, executor, n..., 4.0 s, 15 of 60, about 6.0 s left"
    )
    assert drawn(view, 60, 24, now=30.0)[2].endswith("15 of 60, longer than usual")


def test_what_runs_beside_a_build_is_shown_below_it() -> None:
    progress = Progress(BUILD, "compiling serde", 15, 60, 9.0)
    view = folded([*WORKING, Started(SYNC), progress])
    assert drawn(view, 80, 24, now=8.0)[2:5] == [
        "build api, 4.0 s, 15 of 60, about 7.0 s left",
        "[##########..............................]  compiling serde",
        "sync-packs core, 3.0 s",
    ]
    assert drawn(view, 60, 12, now=8.0)[1].startswith("build api")


def test_a_terminal_that_knows_only_ascii_gets_ascii() -> None:
    view = folded([*FAILING, Notice("→ naïve ✓")])
    text = "\n".join(drawn(view, 40, 24, encoding="ascii"))
    assert text.isascii()
    assert "-> na\\xefve ok" in text


def test_names_cannot_draw() -> None:
    evil = "ap\x1b[2Ji\u202e"
    view = folded([Services((ServiceState(evil, "running"),)), Changed((Change(evil),))])
    text = "\n".join(drawn(view, 100, 24))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "ap\\x1b[2Ji\\u202e" in text


def test_markup_is_no_markup() -> None:
    assert "[bold]x[/bold]" in "\n".join(drawn(folded([Notice("[bold]x[/bold]")]), 80, 24))


def test_why_tells_what_is_live_and_what_the_last_plan_was() -> None:
    lines = drawn(folded(LIVE), 100, 24, screen=Screen(Mode.WHY, "api"))
    assert lines[1:9] == [
        "why: api",
        "api: live",
        f"replaced at 14:07:00: {SOURCE}: compiles attune-api",
        "live since 14:07:00:",
        f"  {SOURCE}",
        "",
        "the last plan:",
        f"  build api: {SOURCE}: compiles attune-api",
    ]
    assert lines[-1] == "esc back  up/down service  q quit"


def test_logs_show_the_last_lines_that_fit() -> None:
    log = tuple(f"line {n}\x1b[2J" for n in range(100))
    lines = drawn(folded(LIVE), 60, 8, screen=Screen(Mode.LOGS, "api"), log=log)
    assert lines[1:7] == ["logs of api", *(f"line {n}" for n in range(95, 100))]


@given(
    st.integers(1, 60),
    st.integers(0, 200),
    st.integers(0, 4),
    st.integers(0, 40),
    st.integers(0, 50),
)
def test_parts_never_take_more_than_there_is(
    height: int, faults: int, working: int, rows: int, done: int
) -> None:
    shared = share(height, faults=faults, working=working, rows=rows, done=done)
    parts = [shared.faults, shared.work, shared.rows + shared.head * (shared.rows > 0)]
    used = sum(parts) + shared.done
    assert used <= max(0, height - 2)
    assert all(part >= 0 for part in (*parts, shared.done))


@pytest.mark.parametrize("events", [WORKING, FAILING, LIVE, ()])
@pytest.mark.parametrize("size", [(160, 50), (80, 24), (40, 10), (20, 5), (10, 3), (200, 6)])
def test_every_size_is_filled_and_not_left(
    events: tuple[Event, ...], size: tuple[int, int]
) -> None:
    width, height = size
    lines = drawn(folded(events), width, height)
    assert len(lines) == height
    assert all(len(line) <= width for line in lines)


def test_rows_that_need_attention_are_kept_when_there_is_no_room() -> None:
    rows = [Row(f"s{n}", RUNNING.states[0]) for n in range(8)]
    rows[6] = replace(rows[6], failed="build")
    shown, hidden = rows_shown(rows, 4, selected="s3")
    assert ([row.name for row in shown], hidden) == (["s0", "s3", "s6"], 5)
    assert shown[2].state is State.FAILED


def test_of_many_errors_each_keeps_its_place() -> None:
    view = folded([*FAILING])
    first = view.faults[0]
    faults = tuple(replace(first, lines=(f"{n}: broken", *first.lines)) for n in range(3))
    lines = fault_block(View(faults=faults), 5)
    assert [text for text, head in lines if head] == ["0: broken", "1: broken", "2: broken"]


@pytest.mark.parametrize(
    ("key", "request_"), [("r", "retry"), ("b", "build-all"), ("p", "pause"), ("q", "quit")]
)
def test_keys_ask_the_loop(key: str, request_: str) -> None:
    assert press(Screen(), key, ["api"]) == (Screen(), request_)


def test_keys_choose_a_service_and_a_page() -> None:
    screen = Screen()
    shown = []
    for key in ("down", "down", "down", "up", "l", "down", "w", "w", "l", "esc", "x"):
        screen, request = press(screen, key, ["api", "web"])
        assert request == ""
        shown.append((screen.mode.value, screen.selected))
    assert shown == [
        *(("board", "api"), ("board", "web"), ("board", "api"), ("board", "web")),
        *(("logs", "web"), ("logs", "api"), ("why", "api"), ("board", "api")),
        *(("logs", "api"), ("board", "api"), ("board", "api")),
    ]


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"r", ["r"]),
        (b"Q", ["q"]),
        (b"\x1b[A\x1b[B", ["up", "down"]),
        (b"\x1b", ["esc"]),
        (b"\x1b\x1b[Bl", ["esc", "down", "l"]),
        (b"\x1b[15~", []),
        (b"l\x1bOAx", ["l", "up", "x"]),
        (b"\xc3\xa9\x00\n", []),
    ],
)
def test_keys_are_read_from_what_a_terminal_sends(data: bytes, keys: list[str]) -> None:
    assert decode(data) == keys
