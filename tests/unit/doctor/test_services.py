"""Services that do not run what they should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attune_dev.docker.containers import ContainerState, Health, ImageState, State
from attune_dev.doctor.report import Finding, Level
from attune_dev.doctor.services import of_readers, of_services, of_swaps
from attune_dev.model.swap import SwapNote
from attune_dev.packs.mounts import Reader
from attune_dev.testing.projects import built_service, compose_project

PROJECT = compose_project(
    built_service("api", once_done=["fill"]), built_service("fill"), built_service("web")
)
API = ContainerState("api", "1", "demo-api-1", image_id="sha256:new")
FILL = ContainerState("fill", "2", "demo-fill-1", state=State.EXITED, image_id="sha256:new")
WEB = ContainerState("web", "3", "demo-web-1", image_id="sha256:new")
IMAGES = {name: ImageState("sha256:new") for name in PROJECT.services}


def _found(*containers: ContainerState, current: frozenset[str] | None = None) -> list[Finding]:
    known = frozenset(PROJECT.services) if current is None else current
    return list(of_services(PROJECT, sorted(PROJECT.services), containers, IMAGES, known))


def test_a_stack_that_runs_as_it_should_has_no_findings() -> None:
    assert _found(API, FILL, WEB) == []


def test_a_stack_that_is_down_is_one_note() -> None:
    assert _found() == [Finding("", "the stack is not up", "./inv up", Level.NOTE)]


def test_a_service_that_was_never_started_is_a_note() -> None:
    assert _found(API, FILL) == [Finding("web", "is not up", "./inv up web", Level.NOTE)]


@pytest.mark.parametrize(
    ("web", "what", "hint"),
    [
        (
            replace(WEB, state=State.EXITED, exit_code=1, ended=5.0),
            "does not run (it ended with status 1)",
            "./inv up web",
        ),
        (replace(WEB, state=State.CREATED), "does not run", "./inv up web"),
        (
            replace(WEB, state=State.RESTARTING, exit_code=7),
            "ends again and again, with status 7 the last time",
            "./inv logs web",
        ),
        (replace(WEB, state=State.PAUSED), "is paused", "docker unpause demo-web-1"),
        (replace(WEB, health=Health.UNHEALTHY), "is not healthy", "./inv logs web"),
    ],
)
def test_a_state_that_is_wrong_has_its_next_step(web: ContainerState, what: str, hint: str) -> None:
    assert _found(API, FILL, web) == [Finding("web", what, hint)]


def test_a_one_shot_that_failed_is_a_fault() -> None:
    failed = replace(FILL, exit_code=3)
    (found,) = _found(API, failed, WEB)
    assert (found.name, found.what) == ("fill", "ended with status 3")


def test_an_older_image_and_another_definition_are_told_apart() -> None:
    others = frozenset(("fill", "web"))
    (image,) = _found(replace(API, image_id="sha256:old"), FILL, WEB, current=others)
    assert image == Finding("api", "its container is older than its image", "./inv up api")
    (definition,) = _found(API, FILL, WEB, current=others)
    assert definition.what == "its definition is another one than its container was made from"


def test_programs_that_were_exchanged_are_notes_unless_someone_watches() -> None:
    notes = {"api": SwapNote(5.0, "x", {"/api": "d"}, "dev")}
    (found,) = of_swaps(notes, watched=False)
    assert found.level is Level.NOTE
    assert found.what.startswith("runs a program that was exchanged")
    assert list(of_swaps(notes, watched=True)) == []


def test_a_service_that_was_rolled_back_is_told_always() -> None:
    notes = {"api": SwapNote(0.0, "", {"/api": ""}, "")}
    (found,) = of_swaps(notes, watched=True)
    assert found.what == "was rolled back: it runs what it ran before"


def test_a_container_with_another_volume_is_a_fault() -> None:
    readers = [
        Reader("api", "demo-api-1", "demo_packs", right=True),
        Reader("web", "demo-web-1", "other", right=False),
        Reader("web", "demo-web-2", "", right=False),
    ]
    assert list(of_readers(readers)) == [
        Finding("demo-web-1", "mounts other", "./inv up web"),
        Finding("demo-web-2", "mounts nothing there", "./inv up web"),
    ]
