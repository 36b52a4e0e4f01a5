"""Runs plans for one-shot tasks: told as it goes, ended with the right exit code."""

from __future__ import annotations

import json as json_module
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from attune_dev.errors import ExitCode, Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from attune_dev.cli.project import Project
    from attune_dev.docker.cancel import Cancel
    from attune_dev.model.plan import Plan
    from attune_dev.packs.compile import Compiler
    from attune_dev.running.content import VolumePacks
    from attune_dev.running.doing import Tools
    from attune_dev.running.in_builder import LockKeeper
    from attune_dev.running.outcome import RunResult
    from attune_dev.running.turns import Turns
    from attune_dev.running.update import ImageUpdate, Update


def helper_image(project: Project) -> str:
    """The image that helper containers run: the project's plain Debian."""
    from attune_dev.setup.base_images import plain_image

    return plain_image(project.root)


def make_packs(
    project: Project,
    *,
    keep_helper: bool = False,
    compiler: Compiler | None = None,
) -> VolumePacks:
    """Packs of a project.

    Args:
        project: which.
        keep_helper: whether helpers are kept between syncs.
        compiler: how pack binaries are compiled; by their Dockerfile where it is ``None``.
    """
    from attune_dev.running.content import VolumePacks

    return VolumePacks(
        project.root,
        lambda: project.workspace,
        image=helper_image(project),
        runner_types=project.settings.runner_types,
        keep_helper=keep_helper,
        compiler=compiler,
        mend=lock_keeper(project),
    )


def lock_keeper(project: Project) -> LockKeeper:
    """What mends builds that fail for a lock file that does not fit the manifests."""
    from attune_dev.running.in_builder import LockKeeper

    return LockKeeper(project.root, lambda: project.workspace, project.lock_written)


def make_tools(
    project: Project,
    *,
    packs: VolumePacks | None = None,
    no_cache: bool = False,
    starting: bool = False,
    profile: str = "",
    turns: Turns | None = None,
    update: Update | None = None,
) -> Tools:
    """What plans of a project are run with.

    Args:
        project: which.
        packs: its packs; made where it is ``None``.
        no_cache: whether images are built without the cache.
        starting: whether containers are started with all that they need.
        profile: Cargo profile of builds; the Dockerfiles decide where it is empty.
        turns: shared by plans that run at the same time.
        update: the way from sources to running code; through images where it is ``None``.
    """
    from attune_dev.cli.project import say
    from attune_dev.history.store import History
    from attune_dev.packs.compile import ImageCompiler
    from attune_dev.running.doing import Tools
    from attune_dev.running.remember import run_row
    from attune_dev.running.requests import profile_args
    from attune_dev.running.turns import Turns
    from attune_dev.watching.unreadable import unreadable_sources

    history = History(project.root, say)
    args = profile_args(project.workspace, profile)
    return Tools(
        project.port,
        packs
        or make_packs(
            project, compiler=ImageCompiler(project.root, project.workspace, args, no_cache)
        ),
        update or image_update(project, args=args, no_cache=no_cache, starting=starting),
        health_timeout=project.settings.health_timeout,
        earlier=lambda kind: history.builds(kind.value),
        profile=profile,
        record=lambda result: history.record(run_row(result, profile)),
        turns=turns or Turns(),
        unreadable=lambda services: unreadable_sources(project.root, project.workspace, services),
    )


def image_update(
    project: Project,
    *,
    args: Mapping[str, str] | None = None,
    no_cache: bool = False,
    starting: bool = False,
) -> ImageUpdate:
    """The way through images."""
    from attune_dev.running.requests import build_request, concerned_services
    from attune_dev.running.update import ImageUpdate, StartingUpdate

    request = partial(build_request, args=args, no_cache=no_cache)
    make = StartingUpdate if starting else ImageUpdate
    return make(
        project.port,
        lambda services: request(project.workspace, services),
        lock_keeper(project),
        lambda failure, services: concerned_services(project.workspace, failure, services),
    )


def run_plan(
    project: Project,
    plan: Plan | None,
    *,
    json: bool = False,
    no_cache: bool = False,
    profile: str = "",
) -> RunResult | None:
    """Runs a plan, tells what is done, and raises :class:`Exit` where it failed.

    Args:
        project: which.
        plan: what to do, ``None`` where there is nothing.
        json: one document on standard output, everything else on standard error.
        no_cache: whether images are built without the cache.
        profile: Cargo profile of builds; the Dockerfiles decide where it is empty.
    """
    from attune_dev.cli.project import say
    from attune_dev.reporting.plain import one_shot
    from attune_dev.running.executor import execute
    from attune_dev.watching.lock import acting

    if plan is None or not plan:
        tell_nothing(json=json)
        return None
    with cancellable() as cancel, acting(project.root, _title(plan), say):
        tools = make_tools(project, no_cache=no_cache, profile=profile)
        result = execute(plan, tools, one_shot(to_stderr=json), cancel=cancel)
    finish(result, json=json)
    return result


@contextmanager
def cancellable() -> Iterator[Cancel]:
    """A request to stop that Ctrl-C, SIGTERM and SIGHUP make; the second one ends at once.

    Raises:
        Interrupted: one of them came.
    """
    from attune_dev.docker.cancel import Cancel
    from attune_dev.watching.signals import handled

    cancel = Cancel()
    codes: list[int] = []

    def first(code: int) -> None:
        codes.append(code)
        # what ends a program waits for it: not in a signal handler
        threading.Thread(target=cancel.request, name="cancel", daemon=True).start()

    with handled(first):
        yield cancel
    if codes:
        raise Interrupted(codes[0], "stopped; nothing half-made is left")


def _title(plan: Plan) -> str:
    return f"inv {', '.join(dict.fromkeys(action.kind.value for action in plan.actions))}"


def finish(result: RunResult, *, json: bool) -> None:
    """Tells the end of a run; raises :class:`Exit` where it did not go well."""
    if json:
        print(json_module.dumps(result.to_dict(), indent=2))
    else:
        from attune_dev.reporting.builds import build_lines

        for line in build_lines(result):
            print(line)
        print(f"{result.summary()} in {result.seconds:.1f} s")
    if not result.ok:
        raise Exit(code=result.error.exit_code if result.error else ExitCode.ACTION_FAILED)


def tell_nothing(*, json: bool) -> None:
    """Tells that nothing had to be done."""
    if json:
        print(json_module.dumps({"version": 1, "ok": True, "seconds": 0.0, "targets": []}))
    else:
        print("nothing to do")
