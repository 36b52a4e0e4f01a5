"""Reading a repository into one value: what is there, what is missing, what is broken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.compose_json import compose_from_json
from attune_dev.loading.dockerfile import predefined_arguments
from attune_dev.loading.workspace import active_services, load_workspace
from attune_dev.model.compose import Override
from attune_dev.model.workspace import Workspace
from attune_dev.settings import Settings
from tests.unit.planning.repository import MULTI_STAGE, Repository


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def fault(repo: Repository) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        repo.load()
    return caught.value


def test_a_repository_needs_services_and_nothing_else(repo: Repository) -> None:
    repo.service("db", image="postgres")
    loaded = repo.load()
    assert list(loaded.compose.services) == ["db"]
    assert loaded.cargo.workspaces == {}
    assert (loaded.images, loaded.packs_folders, loaded.pack_binary_images) == ({}, (), {})


def test_no_compose_file_at_all_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_workspace(tmp_path, Settings(), environ={})
    assert caught.value.exit_code == 2
    assert "docker-compose.yaml" in caught.value.why


def test_all_problems_are_told_at_once(repo: Repository) -> None:
    repo.write(
        {"Cargo.toml": "[workspace\n", "Dockerfile": "FROM\n", "web/Dockerfile": "COPY a b\n"}
    )
    repo.service("api", build="Dockerfile")
    repo.service("web", build={"context": "web"})
    first = fault(repo)
    assert first.where == "Cargo.toml:1"
    repo.write({"Cargo.toml": "[workspace]\nmembers = []\n"})
    first = fault(repo)
    assert first.where == "Dockerfile:1"
    assert "also web/Dockerfile" in first.why


def test_a_broken_manifest_for_tests_to_read_is_no_problem(repo: Repository) -> None:
    repo.service("db", image="postgres")
    repo.write({"tests/fixtures/broken/Cargo.toml": "[package\n"})
    assert repo.load().cargo.workspaces == {}
    repo.write({"crates/broken/Cargo.toml": "[package\n"})
    assert fault(repo).file == "crates/broken/Cargo.toml"


def test_a_missing_dockerfile_names_the_service(repo: Repository) -> None:
    repo.service("api", build="Dockerfile.api")
    assert fault(repo).lines()[0] == (
        "error: the Dockerfile of service api does not exist: Dockerfile.api (Dockerfile.api)"
    )


def test_a_dockerfile_that_cannot_be_read_is_told_once(repo: Repository) -> None:
    with (repo.root / "Dockerfile").open("wb") as opened:
        opened.truncate(2 * 1024 * 1024)
    repo.service("api", build="Dockerfile")
    repo.service("web", build="Dockerfile")
    assert fault(repo).lines() == ["error: is larger than 1 MiB (Dockerfile)"]


def test_a_stage_chosen_by_the_platform_is_followed(repo: Repository) -> None:
    stages = "".join(f"FROM debian AS on-{a}\nCOPY {a} /a\n" for a in ("amd64", "arm64"))
    repo.write({"Dockerfile": f"ARG TARGETARCH\n{stages}FROM on-${{TARGETARCH}}\n"})
    repo.service("api", build="Dockerfile")
    taken = [source.pattern for source in repo.load().images["api"].sources]
    assert taken == [predefined_arguments()["TARGETARCH"]]


def test_an_ignore_rule_that_docker_rejects_has_its_line(repo: Repository) -> None:
    repo.write({"Dockerfile": "FROM debian\nCOPY . /\n", ".dockerignore": "a\n[\n"})
    repo.service("api", build="Dockerfile")
    assert fault(repo).where == ".dockerignore:2"


def test_a_huge_file_in_the_place_of_a_manifest_is_refused(repo: Repository) -> None:
    repo.service("api", image="api")
    with (repo.root / "Cargo.toml").open("wb") as opened:
        opened.truncate(100 * 1024 * 1024)
    assert fault(repo).file == "Cargo.toml"


def test_a_fifo_in_the_place_of_a_dockerfile_does_not_hang(repo: Repository) -> None:
    os.mkfifo(repo.root / "Dockerfile")
    repo.service("api", build="Dockerfile")
    assert fault(repo).where == "Dockerfile"


def test_the_own_ignore_file_of_a_dockerfile_goes_before_that_of_the_context(
    repo: Repository,
) -> None:
    repo.write(
        {
            "a.Dockerfile": "FROM debian\nCOPY . /\n",
            "a.Dockerfile.dockerignore": "x\n",
            "b.Dockerfile": "FROM debian\nCOPY . /\n",
            ".dockerignore": "y\n",
        }
    )
    repo.service("a", build="a.Dockerfile")
    repo.service("b", build="b.Dockerfile")
    images = repo.load().images
    assert images["a"].ignore_file == "a.Dockerfile.dockerignore"
    assert images["b"].ignore_file == ".dockerignore"


def test_builds_outside_of_the_repository_are_left_to_docker(repo: Repository) -> None:
    compose = compose_from_json(
        {
            "services": {
                "far": {"build": {"context": "https://example.com/x.git"}},
                "above": {"build": {"context": str(repo.root.parent / "other")}},
            }
        },
        repo.root,
    )
    assert load_workspace(repo.root, Settings(), compose=compose).images == {}


def test_a_script_that_a_build_runs_is_followed(repo: Repository) -> None:
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    repo.crate("crates/web", bins=("web",))
    repo.write(
        {
            "build.sh": "#!/bin/sh\ncargo build --release --bin api\n",
            "Dockerfile": "FROM rust AS b\nWORKDIR /s\nCOPY . .\nRUN ./build.sh\n"
            "FROM debian\nCOPY --from=b /s/target/release/api /bin/\n",
        }
    )
    repo.service("api", build="Dockerfile")
    assert repo.load().images["api"].cargo_builds[0].binaries == ("api",)


def test_lines_that_feed_a_compile_are_those_of_cargos_stages(repo: Repository) -> None:
    repo.crate("", bins=("api",))
    repo.write({"Dockerfile": MULTI_STAGE.format(binary="api") + "COPY etc /etc\n"})
    repo.service("api", build="Dockerfile")
    lines = repo.load().compile_lines["api"]
    assert 3 in lines
    assert 8 not in lines


def test_ignore_files_of_git_are_read_where_they_are(repo: Repository) -> None:
    repo.write({".gitignore": "/target\n", "web/.gitignore": "dist\n", "target/.gitignore": "*\n"})
    repo.service("db", image="postgres")
    assert repo.load().git_ignore == {"": ("/target",), "web": ("dist",)}


def test_a_service_is_active_without_a_profile_or_with_one_that_is_on(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.service("api", image="api")
    repo.service("debug", image="debug", profiles=["debug"])
    repo.service("full", image="full", profiles=["full", "all"])
    compose = repo.load().compose
    assert active_services(compose) == {"api"}
    assert active_services(compose, ["all"]) == {"api", "full"}
    assert active_services(compose, ["*"]) == {"api", "debug", "full"}
    monkeypatch.setenv("COMPOSE_PROFILES", "debug")
    assert active_services(compose) == {"api", "debug"}


def pack_repository(repo: Repository) -> Workspace:
    repo.members("crates/*")
    repo.crate("crates/timer", bins=("core-timer",))
    repo.write(
        {
            "packs/core/pack.yaml": "ref: the_core # note\n",
            "packs/core/sensors/a.yaml": "entry_point: ./core-timer\n",
            "packs/core/sensors/b.yaml": "entry_point: poll.py\n",
            "packs/core/sensors/notes.txt": "",
            "packs/loose/readme": "",
            "docker/Dockerfile.packs": "FROM rust AS b\nCOPY . .\n"
            "RUN cargo build --bin core-timer\nFROM scratch\n"
            "COPY --from=b target/debug/core-timer /\n",
            "docker/Dockerfile.other": "FROM debian\n",
        }
    )
    repo.service("init", "./packs:/in:ro", "data:/out", image="debian", restart="no")
    repo.service("api", "data:/packs:ro", "./packs.dev:/dev", image="api")
    return repo.load()


def test_a_folder_of_packs_is_known_by_the_one_shot_that_fills_a_volume_from_it(
    repo: Repository,
) -> None:
    (folder,) = pack_repository(repo).packs_folders
    assert (folder.root, folder.volume, folder.filler) == ("packs", "data", "init")
    assert list(folder.packs) == ["core"]
    assert folder.packs["core"].ref == "the_core"


def test_a_pack_binary_is_a_cargo_binary_that_a_sensor_names(repo: Repository) -> None:
    loaded = pack_repository(repo)
    (binary,) = loaded.packs_folders[0].packs["core"].binaries
    assert binary.name == "core-timer"
    assert binary.path == "packs/core/sensors/core-timer"
    assert binary.package == "crates/timer"
    assert list(loaded.pack_binary_images) == ["docker/Dockerfile.packs"]


def test_a_sensor_file_that_is_broken_elsewhere_still_names_its_binary(repo: Repository) -> None:
    pack_repository(repo)
    repo.write({"packs/core/sensors/a.yaml": "entry_point: core-timer\na: [\n"})
    loaded = repo.load()
    assert [b.name for b in loaded.packs_folders[0].packs["core"].binaries] == ["core-timer"]


def test_a_mounted_folder_of_packs_that_fills_nothing_is_bound(repo: Repository) -> None:
    repo.write({"packs.dev/x/pack.yaml": ""})
    assert pack_repository(repo).bound_packs == ("packs.dev",)


def test_the_settings_can_name_a_folder_that_holds_no_pack_yet(repo: Repository) -> None:
    (repo.root / "packs").mkdir()
    repo.service("init", "./packs:/in:ro", "data:/out", image="debian", restart="no")
    repo.service("api", "data:/packs:ro", image="api")
    assert repo.load().packs_folders == ()
    named = load_workspace(repo.root, Settings(packs="packs"), compose=repo.load().compose)
    assert [folder.root for folder in named.packs_folders] == ["packs"]


def test_what_a_service_declares_is_told_with_its_place(repo: Repository) -> None:
    repo.service(
        "odd",
        image="odd",
        override=Override(one_shot=True, reads=("rules/**",), place="compose.yaml:3"),
    )
    repo.service("db", image="postgres")
    place = "x-attune-dev, compose.yaml:3"
    assert repo.load().provenance == {"odd.one-shot": place, "odd.reads": place}


def test_names_that_are_no_utf8_do_not_stop_the_reading(repo: Repository) -> None:
    name = os.fsdecode(b"odd \xff")
    repo.crate("crates/api", bins=("api",))
    repo.write(
        {
            f"crates/api/src/{name}.rs": "",
            f"packs/{name}/pack.yaml": "ref: odd\n",
            f"{name}/Dockerfile": "FROM debian\nCOPY a /a\n",
        }
    )
    repo.service("init", "./packs:/in:ro", "data:/out", image="debian", restart="no")
    repo.service("api", "data:/packs:ro", image="api")
    repo.service("odd", build={"context": name})
    loaded = repo.load()
    assert list(loaded.packs_folders[0].packs) == [name]
    assert loaded.images["odd"].dockerfile == f"{name}/Dockerfile"
