from __future__ import annotations

import pytest

from attune_dev.docker.start import Wave, start_waves
from attune_dev.errors import ConfigError, UsageError
from attune_dev.testing import built_service, compose_project


def test_services_start_after_what_they_wait_for_and_independent_ones_together() -> None:
    project = compose_project(
        built_service("db"),
        built_service("init", restart="no"),
        built_service("api", after=["db"], once_done=["init"]),
        built_service("web", after=["api"]),
        built_service("unasked"),
    )
    assert start_waves(project, ["web"]) == (
        Wave(("db", "init")),
        Wave(("api",), completed=("init",), healthy=("db",)),
        Wave(("web",), healthy=("api",)),
    )


def test_a_mere_order_is_left_to_compose_within_one_call() -> None:
    project = compose_project(built_service("db"), built_service("api", follows=["db"]))
    assert start_waves(project, ["api"]) == (Wave(("api", "db")),)


def test_who_starts_all_of_a_wave_at_once_has_a_mere_order_kept() -> None:
    project = compose_project(
        built_service("db"), built_service("api", follows=["db"]), built_service("web")
    )
    waves = start_waves(project, ["api", "db", "web"], dependencies=False, strict=True)
    assert waves == (Wave(("db", "web")), Wave(("api",)))


def test_without_dependencies_only_the_named_ones_are_ordered() -> None:
    project = compose_project(
        built_service("db"), built_service("api", after=["db"]), built_service("web", after=["api"])
    )
    assert start_waves(project, ["web", "api"], dependencies=False) == (
        Wave(("api",)),
        Wave(("web",), healthy=("api",)),
    )


def test_a_circle_is_told_by_its_names() -> None:
    project = compose_project(built_service("a", after=["b"]), built_service("b", after=["a"]))
    with pytest.raises(ConfigError) as failure:
        start_waves(project, ["a"])
    assert "a" in failure.value.why
    assert "b" in failure.value.why


def test_a_dependency_that_is_not_there_is_left_to_compose() -> None:
    project = compose_project(built_service("api", after=["gone"]))
    assert start_waves(project, ["api"])[0].services == ("api",)


def test_a_service_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError):
        start_waves(compose_project(built_service("api")), ["apii"])
