"""Events of a small project, and the board drawn from them as text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from attune_dev.errors import ActionError
from attune_dev.model.change import Change
from attune_dev.model.event import Changed, Planned, Services, ServiceState, Started
from attune_dev.model.plan import Action, ActionKind, Because, Plan
from attune_dev.reporting.board import Painter
from attune_dev.reporting.fold import fold
from attune_dev.reporting.keys import Screen
from attune_dev.reporting.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attune_dev.model.event import Event

SOURCE = "crates/api/src/main.rs"
WHY = (Because(SOURCE, "compiles attune-api"),)
BUILD = Action(1, ActionKind.BUILD, ("api",), (), WHY)
RECREATE = Action(2, ActionKind.RECREATE, ("api",), (1,), WHY)
SYNC = Action(4, ActionKind.SYNC_PACKS, ("core",), (), WHY)
PLAN = Plan((Change(SOURCE),), (BUILD, RECREATE))
BROKEN = ActionError(
    "the build of api failed",
    why="error[E0425]: cannot find value `x`\n --> crates/api/src/main.rs:10:5",
    hint="correct crates/api/src/main.rs:10 and save",
    file=SOURCE,
    line=10,
)
RUNNING = Services(
    (
        ServiceState("api", "running", "healthy"),
        ServiceState("init-packs", "exited", one_shot=True),
        ServiceState("sensor", "running", "unhealthy"),
        ServiceState("worker", "exited", exit_code=137),
    )
)
WORKING = (RUNNING, Changed((Change(SOURCE),)), Planned(PLAN), Started(BUILD, "image"))


def clock(at: float) -> str:
    """Seconds as minutes after two."""
    return f"14:{int(at):02d}:00"


def folded(events: Iterable[Event], view: View | None = None, at: float = 0.0) -> View:
    """The view after events, one second apart."""
    view = View() if view is None else view
    for event in events:
        at += 1.0
        view = fold(view, event, at)
    return view


def drawn(
    view: View,
    width: int,
    height: int,
    *,
    screen: Screen | None = None,
    encoding: str = "utf-8",
    log: tuple[str, ...] = (),
    now: float = 10.0,
) -> list[str]:
    """The board's lines on a terminal of that size, without colours."""
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    painter = Painter("attune", encoding, clock)
    page = painter.draw(view, screen or Screen(), (width, height), now, log)
    with console.capture() as captured:
        console.print(page, end="")
    return [line.rstrip() for line in captured.get().split("\n")]
