"""The stack: bringing it up and down, looking at it, and getting into it."""

from __future__ import annotations

import signal
import sys
import time
from typing import Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import ORPHANS_HELP, Project, is_service, say
from attune_dev.docker import process
from attune_dev.errors import AttuneDevError, UsageError

AT_ONCE_SECONDS = 1.0  # a failure that comes sooner is one of the call itself
AGAIN_SECONDS = 0.5
PROFILE_HELP = "Compose profile to switch on, can be given more than once"


@command(
    names="services",
    is_name=is_service,
    iterable=["profile"],
    help={
        "services": "services to start with what they need; all where none is named",
        "profile": PROFILE_HELP,
        "remove_orphans": ORPHANS_HELP,
    },
)
def up(
    _context: Any, services: list[str], profile: list[str], remove_orphans: bool = False
) -> None:
    """Makes all current, starts it, prints the URLs.

    Builds, compiles pack binaries and syncs packs where content differs, starts what does not run
    as it should, in the order of `depends_on`, and waits until all is healthy.
    """
    from attune_dev.cli.start import bring_up

    project = Project.ready(tuple(profile))
    bring_up(project, project.services(services), remove_orphans=remove_orphans)


@command(help={"volumes": "the volumes too, packs included"})
def down(_context: Any, volumes: bool = False) -> None:
    """Stops and removes containers; volumes stay."""
    project = Project.ready()
    project.port.down(say, volumes=volumes)


@command(
    names="services",
    is_name=is_service,
    help={"services": "exactly the services to restart; all that run where none is named"},
)
def restart(_context: Any, services: list[str]) -> None:
    """Restarts exactly the named services, waits for health."""
    project = Project.ready()
    if services:
        named = project.services(services)
    else:
        running = {container.service for container in project.port.containers()}
        named = tuple(name for name in project.long_running(project.active()) if name in running)
    if not named:
        say("nothing runs")
        return
    ready = project.port.restart(named, say)
    if late := [name for name in project.long_running(named) if name not in ready]:
        project.port.wait_healthy(late, project.settings.health_timeout)
    print(f"restarted {', '.join(named)}")


@command(
    names="services",
    is_name=is_service,
    help={
        "services": "services to show; all where none is named",
        "follow": "go on, across restarts",
        "tail": "how many lines of the past",
    },
)
def logs(_context: Any, services: list[str], follow: bool = False, tail: str = "100") -> None:
    """Shows what services say.

    `--follow` goes on across restarts, and while the engine is away.
    """
    project = Project.ready()
    if tail != "all" and not tail.isdigit():
        raise UsageError(f"--tail takes a number of lines or `all`, not `{tail}`")
    named = project.services(services) if services else ()
    if follow:
        _follow_logs(project, named, tail)
    else:
        _hand_over(project, ["logs", "--tail", tail, *named])


def _follow_logs(project: Project, named: tuple[str, ...], tail: str) -> None:
    """Compose ends when the last of the containers does; this goes on with the next one."""
    which = ["--tail", tail]
    while True:
        began = time.monotonic()
        code = _attach(project, ["logs", "--follow", *which, *named])
        quick = time.monotonic() - began < AT_ONCE_SECONDS
        if code in (130, -signal.SIGINT) or (code != 0 and quick):
            raise Exit(code=code if code > 0 else 128 - code)
        which = ["--since", f"{time.time():.3f}"]
        _wait_until_running(project, frozenset(named))


def _wait_until_running(project: Project, named: frozenset[str]) -> None:
    told = False
    while True:
        try:
            running = project.running_services()
        except AttuneDevError:  # the engine may come back, too
            running = frozenset()
        if running & named if named else running:
            return
        if not told:
            say(f"waiting for {', '.join(sorted(named)) or 'a service'} to run again")
            told = True
        time.sleep(AGAIN_SECONDS)


@command(
    name="exec",
    names="words",
    is_name=lambda _word: True,
    help={"words": "service, then the command (a shell where there is none)"},
)
def exec_(_context: Any, words: list[str]) -> None:
    """Runs a command in a container: `exec api sh`.

    Words with dashes go behind `--`: `exec api -- ls -la`.
    """
    project = Project.ready()
    if not words:
        raise Exit("error: no service is named\n  fix: ./inv exec SERVICE [COMMAND]", code=2)
    [service] = project.services([words[0]])
    command_words = [*words[1:], *_after_dashes()] or ["sh"]
    flags = [] if sys.stdin.isatty() and sys.stdout.isatty() else ["-T"]
    _hand_over(project, ["exec", *flags, service, *command_words])


def _after_dashes() -> list[str]:
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []


def _hand_over(project: Project, words: list[str]) -> None:
    """Gives the terminal to Compose; its exit status becomes ours."""
    code = _attach(project, words)
    if code != 0:
        raise Exit(code=code if code > 0 else 128 - code)


def _attach(project: Project, words: list[str]) -> int:
    argv = ["docker", "compose", "--project-name", project.compose.name, "--profile", "*", *words]
    return process.attach(argv, cwd=project.root)
