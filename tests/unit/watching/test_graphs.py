from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.dep_info import keep_dep_info
from attune_dev.model.cargo import CargoModel
from attune_dev.model.change import Change
from attune_dev.model.compose import ComposeProject, Mount, MountKind, Service
from attune_dev.model.plan import Action, ActionKind
from attune_dev.model.workspace import Workspace
from attune_dev.watching.graphs import GraphPlanning
from tests.unit.planning.repository import MULTI_STAGE, Repository

API = Service("api", image="api", mounts=(Mount(MountKind.BIND, "conf", "/conf"),), digest="1")


class Files:
    """A repository whose Compose file can be read, or not."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.api = API
        self.broken = False
        self.loads: list[bool] = []
        self.save("services: {}")

    def save(self, text: str) -> None:
        (self.root / "compose.yaml").write_text(text)

    def load(self, compose: ComposeProject | None) -> Workspace:
        self.loads.append(compose is not None)
        if self.broken:
            raise ConfigError("not valid YAML", file="compose.yaml", line=3)
        project = compose or ComposeProject("p", {"api": self.api}, files=("compose.yaml",))
        return Workspace(CargoModel(), project)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def planning(files: Files) -> GraphPlanning:
    return GraphPlanning(
        files.root,
        files.load(None),
        files.load,
        lambda workspace: frozenset(workspace.compose.services),
        lambda services: services,
        tuple,
        lambda _workspace: None,
    )


COMPOSE = [Change("compose.yaml")]


def test_a_saved_definition_is_read_before_it_is_planned_by(
    files: Files, planning: GraphPlanning
) -> None:
    files.api = replace(API, digest="2")
    files.save("services: {api: {}}")
    first = planning.plan(COMPOSE)
    assert [action.kind for action in first.actions] == [ActionKind.RELOAD]
    planning.reload()
    assert (
        planning.plan(COMPOSE)
        .describe()
        .splitlines()[-1]
        .startswith("[1] -> #2 recreate api, compose.yaml")
    )


def test_what_was_read_is_not_read_again_while_its_work_is_pending(
    files: Files, planning: GraphPlanning
) -> None:
    files.api = replace(API, digest="2")
    planning.plan(COMPOSE)
    planning.reload()
    assert planning.plan(COMPOSE).of(ActionKind.RECREATE)
    assert planning.plan([*COMPOSE, Change("conf/a")]).of(ActionKind.RECREATE)
    assert len(files.loads) == 2


def test_the_last_good_definitions_stay_in_force(files: Files, planning: GraphPlanning) -> None:
    files.broken = True
    planning.plan(COMPOSE)
    with pytest.raises(ConfigError):
        planning.reload()
    assert planning.plan([Change("conf/a")]).describe() == (
        "[] -> #1 restart api, conf/a: is mounted into api"
    )


def test_a_definition_that_was_applied_is_no_difference_any_more(
    files: Files, planning: GraphPlanning
) -> None:
    files.api = replace(API, digest="2")
    planning.plan(COMPOSE)
    planning.reload()
    planning.settled()
    assert not planning.plan(COMPOSE).of(ActionKind.RECREATE)


def test_services_are_not_asked_for_again_where_only_cargo_changed(
    files: Files, planning: GraphPlanning
) -> None:
    (files.root / "Cargo.toml").write_text("[workspace]\n")
    plan = planning.plan([Change("Cargo.toml")])
    assert plan.of(ActionKind.RELOAD)
    planning.reload()
    assert files.loads == [False, True]


def test_what_a_build_told_of_its_inputs_counts_once_nothing_is_pending(tmp_path: Path) -> None:
    repo = Repository(tmp_path)
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    repo.write({"Dockerfile": MULTI_STAGE.format(binary="api"), "docs/a.md": ""})
    repo.service("api", build="Dockerfile")
    planning = planning_of(repo)
    document = [Change("docs/a.md")]
    assert not planning.plan(document)
    keep_dep_info(tmp_path, "api", "t: /src/crates/api/src/main.rs /src/docs/a.md")
    planning.settled()
    assert [action.kind for action in planning.plan(document).actions] == [
        ActionKind.BUILD,
        ActionKind.RECREATE,
    ]


def test_a_lock_file_is_the_builds_own_until_somebody_edits_it(
    files: Files, planning: GraphPlanning
) -> None:
    build = Action(1, ActionKind.BUILD, ("api",))
    lock = files.root / "Cargo.lock"
    assert planning.own_files() == frozenset()
    planning.mended("Cargo.lock", b"new")
    assert planning.own_files() == frozenset()
    lock.write_bytes(b"new")
    assert planning.own_files() == {"Cargo.lock"}
    assert planning.writes(build) == ("Cargo.lock",)
    lock.write_bytes(b"mine")
    assert planning.own_files() == frozenset()
    assert planning.writes(build) == ()


def test_going_back_after_a_half_done_plan_is_a_difference_to_what_was_tried(
    tmp_path: Path,
) -> None:
    repo = Repository(tmp_path)
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    repo.write({"Dockerfile": MULTI_STAGE.format(binary="api")})
    repo.service("api", build="Dockerfile")
    manifest = tmp_path / "Cargo.toml"
    before = manifest.read_text()
    planning = planning_of(repo)
    changed = [Change("Cargo.toml")]

    def kinds() -> list[ActionKind]:
        assert [a.kind for a in planning.plan(changed).actions] == [ActionKind.RELOAD]
        planning.reload()
        return [action.kind for action in planning.plan(changed).actions]

    built = [ActionKind.BUILD, ActionKind.RECREATE]
    manifest.write_text(f"{before}[profile.release]\nlto = true\n")
    assert kinds() == built
    manifest.write_text(before)  # the build succeeded, the recreate did not: nothing is settled
    assert kinds() == built
    planning.settled()
    manifest.write_text(f"{before}# a comment\n")
    assert kinds() == []


def planning_of(repo: Repository) -> GraphPlanning:
    return GraphPlanning(
        repo.root,
        repo.load(),
        lambda _compose: repo.load(),
        lambda workspace: frozenset(workspace.compose.services),
        lambda services: services,
        tuple,
        lambda _workspace: None,
    )
