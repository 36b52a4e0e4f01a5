"""Definitions that can be read and make no sense."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from attune_dev.doctor.definitions import of_definitions
from attune_dev.doctor.report import Finding, Level
from attune_dev.model.compose import Override
from tests.unit.planning.repository import Repository


def test_a_package_that_cargo_lacks_is_told_with_the_near_one(tmp_path: Path) -> None:
    repo = Repository(tmp_path)
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    repo.service("api", image="x", override=Override(packages=("api",)))
    assert list(of_definitions(repo.load())) == []
    wrong = Override(packages=("api", "apii"), place="docker-compose.yaml:7")
    repo.service("api", image="x", override=wrong)
    what = "x-attune-dev of api names the package `apii`, which is none"
    assert list(of_definitions(repo.load())) == [
        Finding("docker-compose.yaml:7", what, "did you mean `api`?")
    ]


def test_what_compose_warns_of_is_a_note(tmp_path: Path) -> None:
    repo = Repository(tmp_path)
    repo.service("api", image="x")
    workspace = repo.load()
    compose = replace(workspace.compose, warnings=("The `TAG` variable is not set.",))
    (found,) = of_definitions(replace(workspace, compose=compose))
    assert (found.what, found.level) == ("The `TAG` variable is not set.", Level.NOTE)
