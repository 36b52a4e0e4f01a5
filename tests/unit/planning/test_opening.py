from __future__ import annotations

from dataclasses import replace

from attune_dev.model.cargo import CargoModel
from attune_dev.model.compose import BuildConfig, ComposeProject, Condition, Dependency, Service
from attune_dev.model.workspace import Workspace
from attune_dev.planning.graph import build_graph
from attune_dev.planning.opening import opening_plan, with_needs

DATABASE = Service("db", image="postgres")
MIGRATE = Service(
    "migrate", image="migrate", restart="no", depends_on=(Dependency("db", Condition.HEALTHY),)
)
API = Service(
    "api",
    build=BuildConfig("api", "api/Dockerfile"),
    depends_on=(Dependency("migrate", Condition.COMPLETED),),
)
OTHER = Service("other", build=BuildConfig("other", "other/Dockerfile"))
COMPOSE = ComposeProject("p", {s.name: s for s in (API, DATABASE, MIGRATE, OTHER)})


def opening(services: tuple[str, ...], current: tuple[str, ...] = ()) -> str:
    graph = build_graph(Workspace(CargoModel(), COMPOSE))
    return opening_plan(graph, services, current).describe()


def test_a_service_brings_all_that_it_waits_for() -> None:
    assert with_needs(COMPOSE, ["api"]) == ("api", "db", "migrate")


def test_services_that_wait_for_each_other_end_the_search() -> None:
    circle = replace(DATABASE, depends_on=(Dependency("api"),))
    compose = ComposeProject("p", {s.name: s for s in (API, circle, MIGRATE)})
    assert with_needs(compose, ["db"]) == ("api", "db", "migrate")


def test_a_start_checks_every_image_and_starts_what_does_not_run() -> None:
    assert opening(("api", "db", "migrate")).splitlines() == [
        "[] -> #1 build api, checked at start",
        "[] -> #2 recreate db, not running as it should",
        "[1,2] -> #3 recreate api, checked at start, not running as it should",
    ]


def test_a_start_where_all_runs_only_checks() -> None:
    assert opening(("api", "db"), current=("api", "db")).splitlines() == [
        "[] -> #1 build api, checked at start",
        "[1] -> #2 recreate api, checked at start",
    ]


def test_services_that_are_not_asked_for_are_left_alone() -> None:
    assert "other" not in opening(("api", "db", "migrate"))


def test_what_was_put_back_by_hand_stays_as_it_is() -> None:
    graph = build_graph(Workspace(CargoModel(), COMPOSE))
    plan = opening_plan(graph, ("api", "db", "other"), ("db",), left=("api",))
    assert plan.describe().splitlines() == [
        "[] -> #1 build other, checked at start",
        "[1] -> #2 recreate other, checked at start, not running as it should",
    ]
