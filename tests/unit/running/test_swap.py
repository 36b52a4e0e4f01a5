"""Which way code takes, and when what is asked for has nothing to do."""

from __future__ import annotations

import pytest

from attune_dev.docker.builder_image import BuilderLacksError
from attune_dev.docker.cancel import Cancel
from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.model.plan import Action, ActionKind, Because, Plan
from attune_dev.running.doing import Tools
from attune_dev.running.executor import execute
from attune_dev.running.outcome import Outcome, RunResult
from attune_dev.running.update import ImageUpdate
from tests.unit.running.bench import DOES_NOT_COMPILE, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def vias(result: RunResult) -> list[str]:
    return [each.via for each in result.results if each.via]


def test_one_compile_for_all_and_the_containers_stay(bench: Bench) -> None:
    before = {container.service: container.id for container in bench.port.containers()}
    bench.port.sources["api"] = "api, edited"
    result = bench.run("api", "notifier")
    assert vias(result) == ["swap"]
    assert [request.programs for request in bench.requests] == [("api", "notifier")]
    assert {container.service: container.id for container in bench.port.containers()} == before
    assert bench.port.swapped()["api"].files == {"/bin/api": "api, edited"}
    assert bench.update.swapped == ("api", "notifier")


def test_a_program_whose_bytes_are_the_same_restarts_nothing(bench: Bench) -> None:
    bench.run("api", "notifier")
    bench.port.calls.clear()
    bench.port.sources["api"] = "edited"
    result = bench.run("api", "notifier")
    assert bench.port.told == ["swap api", "wait_healthy api notifier"]
    assert bench.requests[-1].known == {"api", "notifier"}
    assert result.summary() == "2 built, 1 changed, 1 restarted"


def test_a_container_that_someone_else_replaced_gets_the_program_again(bench: Bench) -> None:
    bench.run("api")
    bench.port.recreate(("api",), force=True)
    bench.run("api")
    assert bench.port.swapped()["api"].files == {"/bin/api": "api"}
    assert [request.known for request in bench.requests] == [set(), {"api"}, set()]


def test_what_cannot_be_exchanged_goes_through_its_image_and_says_so_once(bench: Bench) -> None:
    for text in ("one", "two"):
        bench.port.sources["odd"] = text
        assert vias(bench.run("odd")) == ["image"]
    assert bench.said == ["odd gets its code through its image: it is odd"]
    assert bench.requests == []


def test_a_cause_beyond_the_program_builds_the_image_and_ends_the_swapped_program(
    bench: Bench,
) -> None:
    bench.run("api")
    result = bench.run("api", images=True)
    assert vias(result) == ["image"]
    assert bench.port.swapped() == {}
    assert bench.forgotten == 1


def test_new_code_beside_a_restart_is_exchanged_and_restarts_once(bench: Bench) -> None:
    bench.run("api", "notifier")
    bench.port.calls.clear()
    bench.port.sources["api"] = "edited"
    mounted = ("api", "notifier")
    assert bench.run("api", "notifier", always=mounted, restarts=mounted).ok
    assert bench.port.told == ["swap api", "restart notifier", "wait_healthy api notifier"]


def test_new_code_beside_a_new_definition_gets_a_new_container(bench: Bench) -> None:
    bench.run("api")
    bench.port.calls.clear()
    bench.port.sources["api"] = "edited"
    assert bench.run("api", always=("api",), anew=("api",)).ok
    assert bench.port.told[:3] == ["swap api", "keep_swapped api", "recreate api"]


def test_a_new_definition_gets_an_image_of_what_runs_first(bench: Bench) -> None:
    bench.run("api")
    bench.port.calls.clear()
    causes = (Because("compose.yaml", "for the test"),)
    plan = Plan(actions=(Action(1, ActionKind.RECREATE, ("api",), (), causes, ("api",)),))
    assert bench.execute(plan).ok
    assert bench.port.told[:2] == ["keep_swapped api", "recreate api"]
    assert bench.update.swapped == ()


def test_without_a_builder_images_are_built_from_then_on(bench: Bench) -> None:
    bench.problem = BuilderLacksError("the image of the builder cannot be made", why="no space")
    for text in ("one", "two"):
        bench.port.sources["api"] = text
        assert vias(bench.run("api")) == ["image"]
    assert len(bench.requests) == 1
    assert len(bench.said) == 1
    assert "no space" in bench.said[0]


def test_through_images_a_swapped_program_is_never_taken_for_the_image(bench: Bench) -> None:
    """The image is as it was, the container runs another program: a new one is due."""
    bench.run("api")
    images = Tools(bench.port, update=ImageUpdate(bench.port))
    actions = (
        Action(1, ActionKind.BUILD, ("api",), always=("api",)),
        Action(2, ActionKind.RECREATE, ("api",), (1,)),
    )
    result = execute(Plan(actions=actions), images)
    assert bench.port.swapped() == {}
    assert result.results[1].changed == ("api",)


def test_a_cancelled_compile_leaves_all_as_it_was(bench: Bench) -> None:
    cancel = Cancel()
    cancel.request()
    actions = (Action(1, ActionKind.BUILD, ("api",), compiles=("api",)),)
    result = execute(Plan(actions=actions), Tools(bench.port, update=bench.update), cancel=cancel)
    assert result.cancelled
    assert bench.port.told == []


def test_what_does_not_compile_keeps_no_other_service_from_new_code(bench: Bench) -> None:
    bench.port.sources |= {"api": DOES_NOT_COMPILE, "notifier": "edited"}
    result = bench.run("api", "notifier")
    assert [each.outcome for each in result.results] == [Outcome.FAILED, Outcome.SKIPPED]
    assert result.failed == ("api",)
    assert result.error is not None
    assert result.error.what == "the build of api failed"
    assert bench.update.swapped == ("notifier",)
    assert [request.programs for request in bench.requests] == [("api", "notifier"), ("notifier",)]


def test_where_nothing_compiles_nothing_is_tried_again(bench: Bench) -> None:
    bench.port.sources |= {"api": DOES_NOT_COMPILE, "notifier": DOES_NOT_COMPILE}
    result = bench.run("api", "notifier")
    assert [each.outcome for each in result.results] == [Outcome.FAILED, Outcome.SKIPPED]
    assert len(bench.requests) == 1
    assert bench.update.swapped == ()


SCRIPT = "error: failed to run custom build command for `api`"


def test_a_build_script_that_misses_what_the_builder_is_not_given_goes_through_the_image(
    bench: Bench,
) -> None:
    bench.left = frozenset({".git"})
    for text in (SCRIPT, f"{SCRIPT} again"):
        bench.port.sources["api"] = text
        result = bench.run("api", "notifier")
        assert result.ok, result.error
    why = "a build script fails in the builder, which is not given .git"
    assert bench.said == [f"api gets its code through its image: {why}"]
    programs = [request.programs for request in bench.requests]
    assert programs == [("api", "notifier"), ("notifier",), ("notifier",)]
    assert bench.update.swapped == ("notifier",)


def test_a_build_script_that_fails_in_the_image_too_is_told_as_what_it_is(bench: Bench) -> None:
    bench.left = frozenset({".git"})
    bench.port.fail("build", BuildFailed(("api",), why="error: in the image, too"))
    bench.port.sources["api"] = SCRIPT
    assert bench.run("api").failed == ("api",)
    bench.port.sources["api"] = "mended"
    assert vias(bench.run("api")) == ["swap"]


def test_a_build_script_that_is_given_everything_fails_as_anything_else(bench: Bench) -> None:
    bench.port.sources["api"] = SCRIPT
    assert bench.run("api").failed == ("api",)
    assert bench.said == []
