"""``inv rollback``: what ran before the last change, again."""

from __future__ import annotations

from typing import Any

from attune_dev.cli.command import command
from attune_dev.cli.project import Project, is_service, say
from attune_dev.errors import ActionError, UsageError


@command(
    names="services",
    is_name=is_service,
    help={"services": "services that are to run what they ran before, at least one"},
)
def rollback(_context: Any, services: list[str]) -> None:
    """Puts back what a service ran before.

    The program before, where `inv dev` has exchanged it; else the image before in a new container.
    Once more goes forward again. The sources stay as they are: the next change of theirs, `inv up`
    and the next `inv dev` bring the present code back; an `inv dev` that runs leaves it until then.
    """
    from attune_dev.running.rolled_back import note
    from attune_dev.watching.lock import acting

    project = Project.ready()
    if not services:
        raise UsageError("no service is named", hint="./inv rollback SERVICE")
    named = project.services(services)
    with acting(project.root, "inv rollback", say):
        for service in named:
            print(f"{service}: {_roll_back(project, service)}, until its sources change")
            ids = [each.id for each in project.port.containers() if each.service == service]
            note(project.root, service, ids)
        project.port.wait_healthy(named, project.settings.health_timeout)


def _roll_back(project: Project, service: str) -> str:
    note = project.port.swap_back(service)
    if note is not None:
        return "runs the program of before" if note.profile else "runs the program of its image"
    if not project.port.previous_image(service):
        raise ActionError(
            f"nothing is known that {service} ran before",
            why="neither a program was exchanged in its container nor another image built",
            hint="git has the sources of before: check them out, then ./inv up",
        )
    project.port.recreate((service,), say)
    return "runs the image of before"
