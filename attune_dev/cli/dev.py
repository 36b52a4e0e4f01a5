"""``inv dev``: the stack up, then the loop."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import ORPHANS_HELP, Project, is_service, say
from attune_dev.errors import AttuneDevError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from attune_dev.docker.cancel import Cancel
    from attune_dev.docker.containers import ContainerState
    from attune_dev.docker.sentry import Sentry
    from attune_dev.model.event import Event
    from attune_dev.model.plan import Plan
    from attune_dev.running.fast import FastPath
    from attune_dev.running.outcome import RunResult
    from attune_dev.running.probation import Probation
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
        "plain": "lines instead of the board, on a terminal too",
        "bell": "ring on a failure and when it is mended",
        "images": "build an image for every change, exchange no program in a running container",
        "release": "compile as the Dockerfile does, not for development",
        "remove_orphans": ORPHANS_HELP,
    },
    default=True,
)
def dev(
    _context: Any,
    services: list[str],
    profile: list[str],
    events: str = "",
    until_idle: bool = False,
    down: bool = False,
    poll: bool = False,
    plain: bool = False,
    bell: bool = False,
    images: bool = False,
    release: bool = False,
    remove_orphans: bool = False,
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
    file = Path(events) if events else None
    how = _How(file, until_idle, poll, plain, bell, images, release, remove_orphans)
    with only_loop(project.root):
        code = _watch(project, chosen, how)
    if down:
        project.port.down(say)
    if code:
        raise Exit(code=code)


@dataclass(frozen=True, slots=True)
class _How:
    events: Path | None
    until_idle: bool
    poll: bool
    plain: bool
    bell: bool
    images: bool
    release: bool
    remove_orphans: bool


def _watch(project: Project, chosen: frozenset[str] | None, how: _How) -> int:
    from attune_dev.cli.act import make_packs
    from attune_dev.cli.fast import make_fast_path, tell_drift
    from attune_dev.model.event import Notice, Problem
    from attune_dev.reporting.reporter import Dialogue, watching_reporter
    from attune_dev.running.probation import Probation
    from attune_dev.watching.inbox import Asked, Inbox, Request, StopNow, Told
    from attune_dev.watching.loop import Loop
    from attune_dev.watching.parts import Options
    from attune_dev.watching.signals import handled

    settings = project.settings
    options = Options(
        quiet=settings.debounce_quiet, cap=settings.debounce_cap, until_idle=how.until_idle
    )
    inbox = Inbox()
    dialogue = Dialogue(
        project.compose.name,
        lambda request: inbox.put_urgent(Asked(Request(request))),
        partial(_follow, project),
    )
    with ExitStack() as stack:
        board = None if how.plain or how.until_idle else dialogue
        bell = how.bell or settings.bell
        tell = stack.enter_context(watching_reporter(how.events, board, bell=bell))
        probation = Probation(lambda problem: inbox.put(Told(Problem(problem))))
        sentry = _sentry(project, chosen, inbox, probation)
        stack.callback(sentry.stop)
        fast = make_fast_path(
            project,
            lambda line: inbox.put(Told(Notice(line))),
            images=how.images,
            release=how.release,
        )
        if fast is not None:
            stack.callback(fast.close)
            stack.callback(tell_drift, fast, say)
        compiler = fast.binaries if fast is not None else None
        packs = stack.enter_context(make_packs(project, keep_helper=True, compiler=compiler))
        parts = _parts(project, chosen, inbox, tell, packs, sentry, probation, fast, how)
        stack.enter_context(handled(lambda code: inbox.put_urgent(StopNow(code))))
        sentry.start()
        return Loop(parts, options).run()


def _selected(project: Project, chosen: frozenset[str] | None) -> Collection[str]:
    from attune_dev.planning.opening import with_needs

    return with_needs(project.compose, chosen or project.active())


def _sentry(
    project: Project, chosen: frozenset[str] | None, inbox: Inbox, probation: Probation
) -> Sentry:
    from attune_dev.docker.containers import service_states
    from attune_dev.docker.sentry import Sentry
    from attune_dev.model.event import Services
    from attune_dev.watching.inbox import EngineFound, EngineGone, Running

    def seen(containers: tuple[ContainerState, ...], at: float) -> None:
        names = _selected(project, chosen)
        one_shots = [name for name in names if project.compose.one_shot(name)]
        ids: dict[str, set[str]] = {}
        made: dict[str, float] = {}
        ago = time.time() - time.monotonic()
        for container in containers:
            if container.service in names:
                ids.setdefault(container.service, set()).add(container.id)
                newest = max(made.get(container.service, 0.0), container.created - ago)
                made[container.service] = newest
        inbox.put(
            Running(
                {name: frozenset(found) for name, found in ids.items()},
                Services(service_states(containers, names, one_shots)),
                at,
                made,
            )
        )

    def gone(why: str) -> None:
        probation.end()
        inbox.put(EngineGone(why))

    def running() -> tuple[ContainerState, ...]:
        return project.port.containers()  # the port of the Compose file as it was read last

    return Sentry(
        project.compose.name,
        running,
        seen,
        gone,
        lambda: inbox.put(EngineFound()),
    )


def _follow(project: Project, service: str, on_line: Callable[[str], None]) -> Callable[[], None]:
    from attune_dev.docker.logs import LogFollower

    return LogFollower(project.compose.name, service, on_line).start()


def _parts(
    project: Project,
    chosen: frozenset[str] | None,
    inbox: Inbox,
    tell: Callable[[Event], None],
    packs: Any,
    sentry: Sentry,
    probation: Probation,
    fast: FastPath | None,
    how: _How,
) -> Parts:
    from attune_dev.cli.act import image_update, make_tools
    from attune_dev.cli.look import answering_urls
    from attune_dev.model.event import Notice
    from attune_dev.planning.opening import with_needs
    from attune_dev.running import rolled_back
    from attune_dev.running.executor import execute
    from attune_dev.running.orphans import Orphans
    from attune_dev.running.probation import given_new_code, renewed
    from attune_dev.running.turns import Turns
    from attune_dev.state import state_directory
    from attune_dev.watching.git_quiet import GitQuiet
    from attune_dev.watching.graphs import GraphPlanning
    from attune_dev.watching.inbox import Told
    from attune_dev.watching.lock import acting
    from attune_dev.watching.own_output import own_output
    from attune_dev.watching.parts import Parts, SystemClock
    from attune_dev.watching.questions import Answers
    from attune_dev.watching.record import Record
    from attune_dev.watching.snapshot import Snapshotter
    from attune_dev.watching.watcher import Watcher
    from attune_dev.watching.worker import ThreadWorker

    rolled_back.forget(project.root)  # a start brings the present code everywhere
    turns = Turns()

    def told(line: str) -> None:
        inbox.put(Told(Notice(line)))

    orphans = Orphans(told, remove=how.remove_orphans)

    def run(plan: Plan, on_event: Callable[[Event], None], cancel: Cancel) -> RunResult:
        probation.spare(name for action in plan.actions for name in action.targets)
        if fast is not None:
            fast.begin(plan, project.port, image_update(project, starting=True))
        update = fast.services if fast is not None else None
        tools = make_tools(project, packs=packs, starting=True, turns=turns, update=update)
        result = execute(plan, tools, on_event, cancel=cancel)
        rolled_back.forget(project.root, renewed(result))
        probation.watch(project.port, project.long_running(given_new_code(result)))
        if fast is not None:
            fast.end(plan)
            if result.ok and not how.until_idle:
                fast.warm(_selected(project, chosen))
        if result.ok:
            with suppress(AttuneDevError):  # an engine that has gone is told elsewhere
                orphans.look(project.port)
        return result

    planning = GraphPlanning(
        project.root,
        project.workspace,
        project.load,
        lambda workspace: with_needs(workspace.compose, chosen or project.active()),
        project.current,
        lambda: tuple(sorted(answering_urls(project).items())),
        project.adopt,
        own_output(project.root, [how.events] if how.events else []),
        partial(_put_back, project),
    )

    def mended(path: str, content: bytes) -> None:
        planning.mended(path, content)
        told(f"{path} is brought up to date with the manifests")

    project.mended = mended
    scope = planning.scope()
    return Parts(
        messages=inbox,
        source=Watcher(project.root, scope, inbox, poll=how.poll),
        looker=Snapshotter(project.root, scope),
        planning=planning,
        worker=ThreadWorker(inbox, run, lambda: acting(project.root, "inv dev", told)),
        tell=tell,
        keeper=Record(state_directory(project.root)),
        git=GitQuiet(project.root),
        clock=SystemClock(),
        answers=Answers(project.root),
        look_around=sentry.look,
        put_back=partial(rolled_back.noted, project.root),
    )


def _put_back(project: Project) -> frozenset[str]:
    """The services that `inv rollback` has put back and nobody has touched since."""
    from attune_dev.running import rolled_back

    known = rolled_back.noted(project.root)
    if not known:
        return frozenset()
    there: dict[str, set[str]] = {}
    for container in project.port.containers():
        there.setdefault(container.service, set()).add(container.id)
    return frozenset(name for name, ids in known.items() if there.get(name, set()) == set(ids))
