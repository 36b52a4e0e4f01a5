"""What every Docker port promises; run against the one in memory and a real engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from attune_dev.docker.cancel import Cancel
from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.docker.port import BuildRequest, DockerPort, ImageOutcome
from attune_dev.errors import ActionError, Interrupted, UsageError
from attune_dev.model.swap import SwapNote
from attune_dev.testing import BROKEN, CRASHES
from tests.contract.rigs import RUN, SERVICES, FakeRig, Rig, base_image, engine_rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["memory", pytest.param("engine", marks=pytest.mark.docker)])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "memory":
        yield FakeRig()
        return
    base = base_image()
    if base is None:
        pytest.skip("the engine has no Debian image")
    with engine_rig(tmp_path, base) as made:
        yield made


def build(port: DockerPort, *services: str) -> dict[str, ImageOutcome]:
    result = port.build(BuildRequest(services or SERVICES))
    return {image.service: image.outcome for image in result.images}


def ids(port: DockerPort) -> dict[str, str]:
    return {container.service: container.id for container in port.containers()}


def starts(port: DockerPort) -> dict[str, float]:
    return {container.service: container.started for container in port.containers()}


def image_ids(port: DockerPort) -> dict[str, str]:
    return {name: image.id for name, image in port.images(SERVICES).items()}


def differing(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_a_build_makes_the_images_that_are_asked_for_and_no_other(rig: Rig) -> None:
    assert build(rig.port, "api") == {"api": ImageOutcome.COMPILED}
    assert set(rig.port.images(SERVICES)) == {"api"}


def test_building_again_changes_nothing(rig: Rig) -> None:
    build(rig.port)
    before = image_ids(rig.port)
    assert set(build(rig.port).values()) == {ImageOutcome.UNCHANGED}
    assert image_ids(rig.port) == before


def test_an_edit_changes_one_image_and_going_back_brings_the_old_one(rig: Rig) -> None:
    build(rig.port)
    first = image_ids(rig.port)
    rig.edit("api", "other")
    outcomes = build(rig.port)
    assert outcomes["api"] is ImageOutcome.COMPILED
    assert outcomes["web"] is ImageOutcome.UNCHANGED
    assert differing(first, image_ids(rig.port)) == {"api"}
    rig.edit("api", "api")
    assert build(rig.port)["api"] is ImageOutcome.CACHED
    assert image_ids(rig.port) == first


def test_a_failed_build_leaves_images_and_containers_as_they_were(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(SERVICES)
    images, containers = image_ids(rig.port), starts(rig.port)
    rig.edit("api", "new")
    rig.edit("web", BROKEN)
    with pytest.raises(BuildFailed) as failure:
        build(rig.port)
    assert f"error: {BROKEN}" in failure.value.why
    assert "web" in failure.value.step
    assert image_ids(rig.port) == images
    assert starts(rig.port) == containers


def test_a_failed_first_build_leaves_no_image(rig: Rig) -> None:
    rig.edit("web", BROKEN)
    with pytest.raises(BuildFailed):
        build(rig.port)
    assert image_ids(rig.port) == {}


def test_a_build_that_was_cancelled_before_it_began_leaves_images_as_they_were(rig: Rig) -> None:
    build(rig.port)
    before = image_ids(rig.port)
    rig.edit("api", "new")
    cancel = Cancel()
    cancel.request()
    with pytest.raises(Interrupted):
        rig.port.build(BuildRequest(("api",)), cancel=cancel)
    assert image_ids(rig.port) == before


def test_starting_brings_dependencies_too_and_starting_again_does_nothing(rig: Rig) -> None:
    build(rig.port)
    assert rig.port.up(["web"]) == SERVICES
    containers = {container.service: container for container in rig.port.containers()}
    assert containers["filler"].completed
    assert containers["api"].running
    assert containers["filler"].ended <= containers["api"].started <= containers["web"].started
    before = starts(rig.port)
    assert rig.port.up(["web"]) == ()
    assert starts(rig.port) == before


def test_starting_runs_a_one_shot_again_when_its_image_is_another(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(["api"])
    rig.edit("filler", "other")
    build(rig.port, "filler")
    assert rig.port.up(["api"]) == ("filler",)


def test_starting_fails_when_a_one_shot_fails_and_tells_its_last_lines(rig: Rig) -> None:
    rig.edit("filler", CRASHES)
    build(rig.port)
    with pytest.raises(ActionError, match="filler ended with status 1") as failure:
        rig.port.up(["web"])
    assert "crashes" in failure.value.why
    assert set(ids(rig.port)) == {"filler"}


def test_recreating_replaces_exactly_what_has_another_image(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(SERVICES)
    before = ids(rig.port)
    rig.edit("web", "other")
    build(rig.port)
    assert rig.port.recreate(["api", "web"]) == ("web",)
    assert differing(before, ids(rig.port)) == {"web"}
    assert rig.port.recreate(["api", "web"]) == ()


def test_what_runs_on_the_present_image_is_current_and_nothing_else_is(rig: Rig) -> None:
    build(rig.port)
    assert rig.port.current(SERVICES) == frozenset()
    rig.port.up(["api"])
    assert rig.port.current(SERVICES) == {"api", "filler"}
    rig.edit("api", "other")
    build(rig.port, "api")
    assert rig.port.current(SERVICES) == {"filler"}


def test_recreating_by_force_replaces_what_is_current(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(SERVICES)
    before = ids(rig.port)
    assert rig.port.recreate(["web"], force=True) == ("web",)
    assert differing(before, ids(rig.port)) == {"web"}


def test_recreating_without_an_image_says_so_and_builds_nothing(rig: Rig) -> None:
    with pytest.raises(ActionError) as failure:
        rig.port.recreate(["filler"])
    assert failure.value.hint == "./inv build"
    assert image_ids(rig.port) == {}


def test_a_restart_keeps_containers_and_touches_no_other_service(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(SERVICES)
    before, started = ids(rig.port), starts(rig.port)
    rig.port.restart(["api"])
    assert ids(rig.port) == before
    after = starts(rig.port)
    assert after["api"] > started["api"]
    assert (after["web"], after["filler"]) == (started["web"], started["filler"])


def test_of_services_that_restart_together_those_that_wait_for_others_come_last(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(SERVICES)
    started = starts(rig.port)
    told: list[str] = []
    ready = rig.port.restart(["web", "api"], told.append)
    after = starts(rig.port)
    assert ready <= {"api"}  # web has no health check
    assert started["web"] < after["api"] < after["web"]
    assert [line.rpartition(" ")[2] for line in told] == ["Restarted", "Restarted"]
    assert after["filler"] == started["filler"]


def test_restarting_what_never_ran_is_an_error(rig: Rig) -> None:
    with pytest.raises(ActionError, match="api has no container"):
        rig.port.restart(["api"])


def test_a_one_shot_runs_again_on_the_present_image(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(["filler"])
    before = starts(rig.port)
    rig.edit("filler", "other")
    build(rig.port, "filler")
    rig.port.rerun("filler")
    (container,) = rig.port.containers()
    assert container.completed
    assert container.started > before["filler"]
    assert container.image_id == image_ids(rig.port)["filler"]


def test_a_one_shot_that_fails_is_an_error_with_its_last_lines(rig: Rig) -> None:
    rig.edit("filler", CRASHES)
    build(rig.port, "filler")
    with pytest.raises(ActionError, match="filler ended with status 1") as failure:
        rig.port.rerun("filler")
    assert "crashes" in failure.value.why


def test_waiting_succeeds_for_services_that_answer(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(SERVICES)
    rig.port.wait_healthy(SERVICES, 20.0)


def test_waiting_fails_for_a_service_that_ended_and_tells_its_last_lines(rig: Rig) -> None:
    rig.edit("web", CRASHES)
    build(rig.port)
    rig.port.up(SERVICES)
    with pytest.raises(ActionError, match="web ended with status 1") as failure:
        rig.port.wait_healthy(["api", "web"], 20.0)
    assert "crashes" in failure.value.why


def test_the_log_is_told_from_its_end(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(["filler"])
    assert "runs" in rig.port.logs("filler", 1)[0]
    assert rig.port.logs("web") == ()


def test_stopping_stops_exactly_the_named_services(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(SERVICES)
    rig.port.stop(["api"])
    running = {container.service for container in rig.port.containers() if container.running}
    assert running == {"web"}


def test_taking_down_leaves_no_container_and_keeps_images(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(["filler"])
    rig.port.down()
    assert rig.port.containers() == ()
    assert set(image_ids(rig.port)) == set(SERVICES)


def test_no_service_at_all_is_refused_because_compose_would_take_all(rig: Rig) -> None:
    for call in (rig.port.recreate, rig.port.restart, rig.port.stop, rig.port.up):
        with pytest.raises(UsageError):
            call([])
    with pytest.raises(UsageError):
        rig.port.build(BuildRequest(()))


def test_a_service_that_does_not_exist_is_refused_with_the_near_name(rig: Rig) -> None:
    with pytest.raises(UsageError) as failure:
        rig.port.build(BuildRequest(("apii",)))
    assert "api" in failure.value.hint
    with pytest.raises(UsageError):
        rig.port.recreate(["apii"])


def test_the_environment_is_left_alone(rig: Rig) -> None:
    before = dict(os.environ)
    build(rig.port)
    assert dict(os.environ) == before


def test_a_program_is_exchanged_taken_back_and_kept_for_a_new_container(rig: Rig) -> None:
    build(rig.port)
    rig.port.up(SERVICES)
    before, runs = ids(rig.port), starts(rig.port)
    place = rig.port.swap_places({"api": ["/run.sh"]})["api"]
    note = SwapNote(5.0, "sources", {"/run.sh": "1"})
    rig.port.swap(place, {"/run.sh": RUN.replace("it runs", "another runs").encode()}, note)
    rig.port.wait_healthy(("api",), 30)
    assert place.why == ""
    assert ids(rig.port) == before
    assert {name for name, at in starts(rig.port).items() if at != runs[name]} == {"api"}
    assert rig.port.swapped() == {"api": note}

    images = rig.port.swap_back("api")
    assert images is not None
    assert images.profile == ""
    assert rig.port.swap_back("api") == note

    held = image_ids(rig.port)
    assert rig.port.keep_swapped("api")
    assert differing(held, image_ids(rig.port)) == {"api"}
    rig.port.recreate(("api",))
    rig.port.wait_healthy(("api",), 30)
    assert rig.port.swapped() == {}
    assert rig.port.swap_back("api") is None


def test_the_image_before_can_be_the_present_one_again(rig: Rig) -> None:
    build(rig.port)
    assert not rig.port.previous_image("api")
    first = image_ids(rig.port)
    rig.edit("api", "other")
    build(rig.port)
    second = image_ids(rig.port)
    assert rig.port.previous_image("api")
    assert image_ids(rig.port) == first
    assert rig.port.previous_image("api")
    assert image_ids(rig.port) == second
