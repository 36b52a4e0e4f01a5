"""Bringing the stack up once: the same opening that the loop begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.cli.act import cancellable, finish, make_tools
from attune_dev.cli.look import answering_urls
from attune_dev.cli.project import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attune_dev.cli.project import Project


def bring_up(project: Project, services: Sequence[str], *, remove_orphans: bool = False) -> None:
    """Makes everything current that the services need, starts them, and prints their URLs.

    Args:
        project: which.
        services: what is to run; what it needs comes with it.
        remove_orphans: whether containers of services that are not defined any more go.

    Raises:
        Exit: something failed.
    """
    from attune_dev.packs import quick
    from attune_dev.planning.graph import build_graph
    from attune_dev.planning.opening import opening_plan, with_needs
    from attune_dev.reporting.plain import one_shot
    from attune_dev.running import rolled_back
    from attune_dev.running.executor import execute
    from attune_dev.running.orphans import Orphans
    from attune_dev.watching.lock import acting

    graph = build_graph(project.workspace)
    wanted = with_needs(project.compose, services)
    with cancellable() as cancel, acting(project.root, "inv up", say):
        rolled_back.forget(project.root, wanted)
        plan = opening_plan(graph, wanted, project.current(wanted))
        result = execute(plan, make_tools(project, starting=True), one_shot(), cancel=cancel)
        if result.ok:
            Orphans(say, remove=remove_orphans).look(project.port)
    finish(result, json=False)
    quick.remember(project.root, project.workspace)
    for service, url in sorted(answering_urls(project).items()):
        print(f"{service:16} {url}")
