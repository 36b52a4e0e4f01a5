"""Shapes of repositories, each with the packages and links it must give."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.cargo import load_cargo
from attune_dev.model.cargo import CargoModel, DependencyKind, LockedPackage, PathDependency

if TYPE_CHECKING:
    from pathlib import Path

NORMAL, BUILD, DEV = DependencyKind.NORMAL, DependencyKind.BUILD, DependencyKind.DEV


def load(root: Path, files: dict[str, str]) -> CargoModel:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return load_cargo(root)


def package(name: str, tables: str = "") -> str:
    return f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n{tables}\n'


def links(model: CargoModel, root: str) -> list[tuple[str, str]]:
    return [(link.package, link.kind.value) for link in model.packages()[root].path_dependencies]


WORKSPACE = '[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n'


def test_a_workspace_below_the_root_keeps_its_paths_from_the_root(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "backend/Cargo.toml": WORKSPACE,
            "backend/Cargo.lock": 'version = 4\n[[package]]\nname = "api"\nversion = "0.1.0"\n',
            "backend/crates/api/Cargo.toml": package("api"),
            "backend/crates/api/src/main.rs": "",
            "web/package.json": "{}",
        },
    )
    assert list(model.workspaces) == ["backend"]
    workspace = model.workspaces["backend"]
    assert workspace.manifest == "backend/Cargo.toml"
    assert workspace.lock_file == "backend/Cargo.lock"
    assert workspace.lock == (LockedPackage("api", "0.1.0"),)
    assert workspace.config_files == (
        "backend/rust-toolchain",
        "backend/rust-toolchain.toml",
        "backend/.cargo/config",
        "backend/.cargo/config.toml",
        "rust-toolchain",
        "rust-toolchain.toml",
        ".cargo/config",
        ".cargo/config.toml",
    )
    api = model.packages()["backend/crates/api"]
    assert [target.path for target in api.targets] == ["backend/crates/api/src/main.rs"]
    assert api.workspace == "backend"


def test_an_excluded_package_stands_alone_with_its_own_lock_file(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": WORKSPACE + 'exclude = ["crates/wasm"]\n',
            "crates/api/Cargo.toml": package("api"),
            "crates/wasm/Cargo.toml": package("wasm", '[dependencies]\napi.path = "../api"'),
            "crates/wasm/Cargo.lock": '[[package]]\nname = "wasm"\nversion = "0.1.0"\n',
        },
    )
    assert {root: list(found.packages) for root, found in model.workspaces.items()} == {
        "": ["crates/api"],
        "crates/wasm": ["crates/wasm"],
    }
    assert model.workspaces["crates/wasm"].lock == (LockedPackage("wasm", "0.1.0"),)
    assert model.closure("crates/wasm") == {"crates/wasm", "crates/api"}
    assert model.dependants("crates/api") == {"crates/wasm", "crates/api"}


def test_a_package_with_a_workspace_of_its_own_is_no_member(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": '[workspace]\nmembers = ["a"]\nexclude = ["fuzz"]\n',
            "a/Cargo.toml": package("a"),
            "fuzz/Cargo.toml": package("fuzz", "[workspace]\n"),
        },
    )
    assert {root: list(found.packages) for root, found in model.workspaces.items()} == {
        "": ["a"],
        "fuzz": ["fuzz"],
    }


def test_a_path_dependency_with_a_workspace_of_its_own_is_no_member(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": '[workspace]\nmembers = ["a"]\n',
            "a/Cargo.toml": package("a", '[dependencies]\ninner = { path = "../inner" }'),
            "inner/Cargo.toml": package("inner", "[workspace]\n"),
        },
    )
    assert model.packages()["inner"].workspace == "inner"
    assert list(model.workspaces[""].packages) == ["a"]
    assert model.closure("a") == {"a", "inner"}


def test_an_excluded_folder_ends_with_its_name(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": '[workspace]\nmembers = ["to*"]\nexclude = ["tool"]\n',
            "tool/Cargo.toml": package("tool"),
            "tools/Cargo.toml": package("tools"),
        },
    )
    assert list(model.workspaces[""].packages) == ["tools"]


def test_the_older_names_of_tables_count(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": '[project]\nname = "app"\n'
            '[build_dependencies]\ngenerator = "1"\n[dev_dependencies]\nproptest = "1"\n',
        },
    )
    app = model.packages()[""]
    assert app.name == "app"
    assert app.registry_dependencies == (("generator", BUILD), ("proptest", DEV))


def test_a_source_file_that_is_not_there_has_the_path_at_which_cargo_looks(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": package("app", '[lib]\nname = "thing"\n[[bin]]\nname = "tool"'),
            "src/thing.rs": "",
        },
    )
    assert [(target.name, target.path) for target in model.packages()[""].targets] == [
        ("thing", "src/lib.rs"),
        ("tool", "src/bin/tool.rs"),
    ]


def test_packages_that_no_workspace_lists_stand_alone(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": '[workspace]\nmembers = ["a"]\n[workspace.package]\nversion = "7.0.0"\n',
            "a/Cargo.toml": package("a"),
            "forgotten/Cargo.toml": '[package]\nname = "forgotten"\nversion.workspace = true\n',
        },
    )
    assert model.packages()["forgotten"].workspace == "forgotten"
    assert model.packages()["forgotten"].version == "7.0.0"


def test_a_single_package_without_a_workspace_is_its_own(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": package("app", '[dependencies]\nlib = { path = "lib" }'),
            "src/main.rs": "",
            "lib/Cargo.toml": package("lib"),
        },
    )
    assert list(model.workspaces) == ["", "lib"]
    assert model.workspaces[""].default_members == ("",)
    assert model.closure("") == {"", "lib"}
    assert model.packages()[""].manifest == "Cargo.toml"


@pytest.mark.parametrize("folder", ["target/package/a", "node_modules/a", ".git/a", "out"])
def test_generated_folders_are_not_searched(tmp_path: Path, folder: str) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": package("app"),
            f"{folder}/Cargo.toml": "broken [",
            "out/CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55",
        },
    )
    assert list(model.packages()) == [""]


def test_vendored_crates_are_no_packages_of_the_repository(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": package("app"),
            "vendor/serde/Cargo.toml": package("serde"),
            "vendor/serde/.cargo-checksum.json": "{}",
        },
    )
    assert list(model.packages()) == [""]


def test_a_symbolic_link_to_a_folder_above_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert list(load(tmp_path, {"a/Cargo.toml": package("a")}).packages()) == ["a"]


def test_a_member_behind_a_symbolic_link_is_made_of_the_files_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "crates").mkdir()
    (tmp_path / "crates/link").symlink_to("../shared/real", target_is_directory=True)
    model = load(
        tmp_path,
        {
            "Cargo.toml": WORKSPACE,
            "crates/app/Cargo.toml": package("app", '[dependencies]\nreal.path = "../link"'),
            "shared/real/Cargo.toml": package("real"),
        },
    )
    assert list(model.workspaces[""].packages) == ["crates/app", "crates/link"]
    assert model.closure("crates/app") == {"crates/app", "crates/link", "shared/real"}


def test_a_repository_reached_through_a_symbolic_link_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real", target_is_directory=True)
    model = load(tmp_path / "link", {"Cargo.toml": WORKSPACE, "crates/a/Cargo.toml": package("a")})
    assert links(model, "crates/a") == []


def test_manifests_are_kept_as_they_were_parsed(tmp_path: Path) -> None:
    files = {"Cargo.toml": WORKSPACE, "crates/a/Cargo.toml": package("a")}
    manifests = load(tmp_path, files).manifests
    assert list(manifests) == ["Cargo.toml", "crates/a/Cargo.toml"]
    assert manifests["crates/a/Cargo.toml"]["package"]["name"] == "a"


def test_dependencies_count_in_every_table(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": WORKSPACE,
        "crates/app/Cargo.toml": package(
            "app",
            """
            [features]
            extra = ["dep:optional"]
            [dependencies]
            plain = { path = "../plain" }
            optional = { path = "../optional", optional = true }
            renamed = { path = "../original", package = "original" }
            serde = "1"
            other-rand = { version = "0.8", package = "rand" }
            git = { git = "https://example.org/git" }
            [build-dependencies]
            generator = { path = "../generator" }
            [dev-dependencies]
            testing = { path = "../testing" }
            proptest = "1"
            [target.'cfg(unix)'.dependencies]
            unix = { path = "../unix" }
            [target.x86_64-pc-windows-msvc.build-dependencies]
            windows = { path = "../windows" }
            """,
        ),
    }
    for name in ("plain", "optional", "original", "generator", "testing", "unix", "windows"):
        files[f"crates/{name}/Cargo.toml"] = package(name)
    model = load(tmp_path, files)
    app = model.packages()["crates/app"]
    assert app.path_dependencies == (
        PathDependency("crates/generator", "generator", BUILD),
        PathDependency("crates/optional", "optional", NORMAL),
        PathDependency("crates/original", "original", NORMAL),
        PathDependency("crates/plain", "plain", NORMAL),
        PathDependency("crates/testing", "testing", DEV),
        PathDependency("crates/unix", "unix", NORMAL),
        PathDependency("crates/windows", "windows", BUILD),
    )
    assert app.registry_dependencies == (
        ("git", NORMAL),
        ("proptest", DEV),
        ("rand", NORMAL),
        ("serde", NORMAL),
    )
    assert model.closure("crates/app") == set(model.packages()) - {"crates/testing"}


def test_inherited_keys_are_known(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": WORKSPACE
            + """
            [workspace.package]
            version = "1.2.3"
            edition = "2024"
            [workspace.lints.rust]
            unused = "warn"
            [workspace.dependencies]
            common = { path = "crates/common" }
            serde = "1"
            tokio = { version = "1", package = "tokio-fork" }
            """,
            "crates/common/Cargo.toml": package("common"),
            "crates/api/Cargo.toml": """
            [package]
            name = "api"
            version.workspace = true
            edition = { workspace = true }
            [lints]
            workspace = true
            [dependencies]
            common.workspace = true
            serde = { workspace = true, features = ["derive"] }
            [dev-dependencies]
            tokio = { workspace = true }
            """,
        },
    )
    api = model.packages()["crates/api"]
    assert api.version == "1.2.3"
    assert api.inherits == {"common", "serde"}
    assert api.inherits_package == {"version", "edition", "lints"}
    assert api.path_dependencies == (PathDependency("crates/common", "common", NORMAL),)
    assert api.registry_dependencies == (("serde", NORMAL), ("tokio-fork", DEV))


def test_what_is_inherited_for_tests_counts_where_its_features_leak(tmp_path: Path) -> None:
    shared = '[workspace]\nmembers = ["a"]\nresolver = "{}"\n[workspace.dependencies]\nx = "1"\n'
    inherited = {}
    for resolver in "12":
        files = {
            f"{resolver}/Cargo.toml": shared.format(resolver),
            f"{resolver}/a/Cargo.toml": package("a", "[dev-dependencies]\nx.workspace = true"),
        }
        inherited[resolver] = load(tmp_path, files).packages()[f"{resolver}/a"].inherits
    assert inherited == {"1": {"x"}, "2": set()}


def test_a_pattern_does_not_run_after_links_in_circles(tmp_path: Path) -> None:
    (tmp_path / "crates/deep").mkdir(parents=True)
    (tmp_path / "crates/deep/up").symlink_to("..", target_is_directory=True)
    (tmp_path / "crates/deep/again").symlink_to("..", target_is_directory=True)
    model = load(
        tmp_path,
        {
            "Cargo.toml": '[workspace]\nmembers = ["crates/**"]\n',
            "crates/deep/a/Cargo.toml": package("a"),
        },
    )
    assert list(model.packages()) == ["crates/deep/a"]


def test_chains_and_diamonds_close_over_all_of_them(tmp_path: Path) -> None:
    files = {"Cargo.toml": WORKSPACE}
    needs = {"top": ("left", "right"), "left": ("deep",), "right": ("deep",), "deep": ("deeper",)}
    for name in ("top", "left", "right", "deep", "deeper", "alone"):
        lines = [f'{need} = {{ path = "../{need}" }}' for need in needs.get(name, ())]
        files[f"crates/{name}/Cargo.toml"] = package(name, "\n".join(["[dependencies]", *lines]))
    model = load(tmp_path, files)
    everything = {f"crates/{name}" for name in ("top", "left", "right", "deep", "deeper")}
    assert model.closure("crates/top") == everything
    assert model.dependants("crates/deeper") == everything
    assert model.dependants("crates/left") == {"crates/left", "crates/top"}
    assert model.closure("crates/alone") == model.dependants("crates/alone") == {"crates/alone"}


def test_a_ladder_of_diamonds_takes_no_time_of_its_own(tmp_path: Path) -> None:
    files = {"Cargo.toml": WORKSPACE}
    for step in range(40):
        needs = [f'{side}{step + 1} = {{ path = "../{side}{step + 1}" }}' for side in "lr"]
        for side in "lr":
            tables = ["[dependencies]", *(needs if step < 39 else [])]
            files[f"crates/{side}{step}/Cargo.toml"] = package(f"{side}{step}", "\n".join(tables))
    assert len(load(tmp_path, files).closure("crates/l0")) == 79


def test_a_cycle_through_dev_dependencies_is_legal(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": WORKSPACE,
            "crates/a/Cargo.toml": package("a", '[dependencies]\nb = { path = "../b" }'),
            "crates/b/Cargo.toml": package("b", '[dev-dependencies]\na = { path = "../a" }'),
        },
    )
    assert model.closure("crates/b") == {"crates/b"}
    assert model.closure("crates/a") == {"crates/a", "crates/b"}


def test_the_innermost_package_holds_a_path(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": package("root", "[workspace]"),
            "crates/a/Cargo.toml": package("a", "[workspace]"),
            "crates/a/macros/Cargo.toml": package("a-macros", "[workspace]"),
        },
    )
    owners = {
        path: found.name
        for path in (
            "README.md",
            "crates/x",
            "crates/a/src/lib.rs",
            "crates/a/macros",
            "crates/a/macros/src/deep/x.rs",
            "crates/abc/src/lib.rs",
        )
        if (found := model.package_at(path))
    }
    assert owners == {
        "README.md": "root",
        "crates/x": "root",
        "crates/a/src/lib.rs": "a",
        "crates/a/macros": "a",
        "crates/a/macros/src/deep/x.rs": "a-macros",
        "crates/abc/src/lib.rs": "root",
    }


def test_a_path_outside_all_packages_has_none(tmp_path: Path) -> None:
    model = load(tmp_path, {"a/Cargo.toml": package("a")})
    assert model.package_at("README.md") is None
    assert model.package_at("ab/x.rs") is None


def test_the_first_folder_in_order_has_a_binary(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": WORKSPACE,
            "crates/z/Cargo.toml": package("z", '[[bin]]\nname = "tool"\npath = "src/t.rs"'),
            "crates/b/Cargo.toml": package("b", '[[bin]]\nname = "tool"\npath = "src/t.rs"'),
        },
    )
    found = model.package_of_binary("tool")
    assert found is not None
    assert found.root == "crates/b"
    assert model.package_of_binary("nothing") is None


def test_folders_whose_names_are_not_utf_8_are_read(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    model = load(
        tmp_path,
        {
            "Cargo.toml": WORKSPACE,
            f"crates/{name}/Cargo.toml": package("cafe"),
            f"crates/{name}/src/lib.rs": "",
        },
    )
    assert list(model.workspaces[""].packages) == [f"crates/{name}"]
    assert model.packages()[f"crates/{name}"].targets[0].path == f"crates/{name}/src/lib.rs"


def test_a_file_whose_name_is_not_utf_8_is_no_target(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.rs")
    model = load(tmp_path, {"Cargo.toml": package("app"), f"src/bin/{name}": "fn main() {}"})
    assert model.packages()[""].targets == ()


def test_folders_left_behind_by_a_branch_switch_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "crates/gone/target").mkdir(parents=True)
    model = load(tmp_path, {"Cargo.toml": WORKSPACE, "crates/a/Cargo.toml": package("a")})
    assert list(model.packages()) == ["crates/a"]


def test_the_resolver_follows_the_edition_unless_it_is_stated(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "a/Cargo.toml": "[workspace]\n",
            "b/Cargo.toml": '[workspace]\nresolver = "2"\n',
            "c/Cargo.toml": '[package]\nname = "c"\nedition = "2018"\n',
            "d/Cargo.toml": '[package]\nname = "d"\nedition = "2021"\n',
            "e/Cargo.toml": '[package]\nname = "e"\nedition = "2024"\n',
            "f/Cargo.toml": '[package]\nname = "f"\nedition = "2021"\nresolver = "1"\n',
        },
    )
    resolvers = {root: found.resolver for root, found in model.workspaces.items()}
    assert resolvers == {"a": "1", "b": "2", "c": "1", "d": "2", "e": "3", "f": "1"}


def test_errors_of_manifests_that_nothing_refers_to_can_be_set_aside(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": WORKSPACE,
        "crates/a/Cargo.toml": package("a"),
        "tests/fixture/Cargo.toml": "broken [",
        "tests/orphan/Cargo.toml": package("orphan", "[dependencies]\nx.workspace = true"),
    }
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path, files)
    problems: list[ConfigError] = []
    model = load_cargo(tmp_path, problems=problems)
    assert list(model.packages()) == ["crates/a"]
    assert [problem.where for problem in problems] == [
        "tests/fixture/Cargo.toml:1",
        "tests/orphan/Cargo.toml:6",
    ]


def test_the_error_of_a_manifest_above_others_is_never_set_aside(tmp_path: Path) -> None:
    files = {"backend/Cargo.toml": "broken [", "backend/crates/a/Cargo.toml": package("a")}
    with pytest.raises(ConfigError):
        load(tmp_path, files)
    with pytest.raises(ConfigError) as caught:
        load_cargo(tmp_path, problems=[])
    assert caught.value.file == "backend/Cargo.toml"


def test_path_dependencies_lead_on_in_folders_that_are_not_searched(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "Cargo.toml": package("app", '[dependencies]\na = { path = ".libs/a" }'),
            ".libs/a/Cargo.toml": package("a", '[dependencies]\nb = { path = "../b" }'),
            ".libs/b/Cargo.toml": package("b"),
        },
    )
    assert model.closure("") == {"", ".libs/a", ".libs/b"}


def test_errors_of_members_are_never_set_aside(tmp_path: Path) -> None:
    problems: list[ConfigError] = []
    (tmp_path / "crates/a").mkdir(parents=True)
    (tmp_path / "crates/a/Cargo.toml").write_text("broken [")
    (tmp_path / "Cargo.toml").write_text(WORKSPACE)
    with pytest.raises(ConfigError) as caught:
        load_cargo(tmp_path, problems=problems)
    assert caught.value.file == "crates/a/Cargo.toml"
