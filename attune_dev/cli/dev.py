"""``inv dev``: the stack up, then the loop."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import Project, is_service, say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from attune_dev.docker.cancel import Cancel
    from attune_dev.model.event import Event
    from attune_dev.model.plan import Plan
    from attune_dev.model.workspace import Workspace
    from attune_dev.running.outcome import RunResult
    from attune_dev.watching.inbox import Inbox
    from attune_dev.watching.parts import Parts


@command(
    names="services",
    is_name=is_service,
    iterable=["profile"],
    help={
        "services": "services to work on, with what they need; all where none is named",
        "profile": "Compose profile to switch on, can be given more than once",
        "events": "append what happens to this file as JSON lines",
        "until_idle": "leave the stack running and exit when all is done: 0 if all is current",
        "down": "stop the stack at the end",
        "poll": "look every two seconds instead of listening to the file system",
    },
)
def dev(
    _context: Any,
    services: list[str],
    profile: list[str],
    events: str = "",
    until_idle: bool = False,
    down: bool = False,
    poll: bool = False,
) -> None:
    """Brings the stack up, then acts on what you save.

    For each change it runs the cheapest correct action: a pack sync and a restart for pack YAML and
    scripts, one compile and new containers for code, nothing for what no output reads; it tells
    what it did and why. A failed build leaves everything running and stays pending. Ctrl-C ends it;
    the stack stays up unless `--down`.
    """
    from attune_dev.watching.lock import only_loop

    project = Project.ready(tuple(profile))
    chosen = frozenset(project.services(services)) if services else None
    with only_loop(project.root):
        code = _watch(project, chosen, events=events, until_idle=until_idle, poll=poll)
    if down:
        project.port.down(say)
    if code:
        raise Exit(code=code)


def _watch(
    project: Project, chosen: frozenset[str] | None, *, events: str, until_idle: bool, poll: bool
) -> int:
    from attune_dev.cli.act import make_packs
    from attune_dev.reporting.reporter import watching_reporter
    from attune_dev.watching.inbox import Inbox, StopNow
    from attune_dev.watching.loop import Loop
    from attune_dev.watching.parts import Options
    from attune_dev.watching.signals import handled

    options = Options(
        quiet=project.settings.debounce_quiet,
        cap=project.settings.debounce_cap,
        until_idle=until_idle,
    )
    inbox = Inbox()
    with ExitStack() as stack:
        tell = stack.enter_context(watching_reporter(Path(events) if events else None))
        packs = stack.enter_context(make_packs(project, keep_helper=True))
        parts = _parts(project, chosen, inbox, tell, packs, poll=poll)
        stack.enter_context(handled(lambda code: inbox.put_urgent(StopNow(code))))
        return Loop(parts, options).run()


def _parts(
    project: Project,
    chosen: frozenset[str] | None,
    inbox: Inbox,
    tell: Callable[[Event], None],
    packs: Any,
    *,
    poll: bool,
) -> Parts:
    from attune_dev.cli.act import make_tools
    from attune_dev.cli.look import answering_urls
    from attune_dev.planning.opening import with_needs
    from attune_dev.running.executor import execute
    from attune_dev.state import state_directory
    from attune_dev.watching.git_quiet import GitQuiet
    from attune_dev.watching.graphs import GraphPlanning
    from attune_dev.watching.lock import acting
    from attune_dev.watching.parts import Parts, SystemClock
    from attune_dev.watching.record import Record
    from attune_dev.watching.snapshot import Snapshotter
    from attune_dev.watching.watcher import Watcher
    from attune_dev.watching.worker import ThreadWorker

    def select(workspace: Workspace) -> Collection[str]:
        return with_needs(workspace.compose, chosen or project.active())

    def run(plan: Plan, on_event: Callable[[Event], None], cancel: Cancel) -> RunResult:
        tools = make_tools(project, packs=packs, starting=True)
        return execute(plan, tools, on_event, cancel=cancel)

    planning = GraphPlanning(
        project.root,
        project.load,
        select,
        lambda services: project.port.current(tuple(services)),
        lambda: tuple(sorted(answering_urls(project).items())),
        project.adopt,
    )
    scope = planning.scope()
    return Parts(
        messages=inbox,
        source=Watcher(project.root, scope, inbox, poll=poll),
        looker=Snapshotter(project.root, scope),
        planning=planning,
        worker=ThreadWorker(inbox, run, lambda: acting(project.root, "inv dev", say)),
        tell=tell,
        keeper=Record(state_directory(project.root)),
        git=GitQuiet(project.root),
        clock=SystemClock(),
    )
