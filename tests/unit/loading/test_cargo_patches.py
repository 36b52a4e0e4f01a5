"""A path in ``[patch]`` or ``[replace]`` is a path dependency of all that compile the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.cargo import load_cargo

if TYPE_CHECKING:
    from pathlib import Path

    from attune_dev.model.cargo import CargoModel


def package(name: str, tables: str = "") -> str:
    return f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n{tables}\n'


LOCK = """version = 4

[[package]]
name = "direct"
version = "0.1.0"
dependencies = ["patched"]

[[package]]
name = "through"
version = "0.1.0"
dependencies = ["from-registry"]

[[package]]
name = "from-registry"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
dependencies = ["patched"]

[[package]]
name = "in-tests"
version = "0.1.0"
dependencies = ["from-registry"]

[[package]]
name = "apart"
version = "0.1.0"
dependencies = ["other"]

[[package]]
name = "other"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "patched"
version = "1.0.0"
"""

FILES = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n',
    "crates/direct/Cargo.toml": package(
        "direct", '[dependencies]\nmine = {version="1", package="patched"}'
    ),
    "crates/through/Cargo.toml": package("through", '[dependencies]\nfrom-registry = "1"'),
    "crates/in-tests/Cargo.toml": package("in-tests", '[dev-dependencies]\nfrom-registry = "1"'),
    "crates/apart/Cargo.toml": package("apart", '[dependencies]\nother = "1"'),
    "forks/patched/Cargo.toml": package("patched"),
}


def load(root: Path, files: dict[str, str]) -> CargoModel:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return load_cargo(root)


def links(model: CargoModel) -> dict[str, list[tuple[str, str, str]]]:
    return {
        package.name: [(link.package, link.name, link.kind) for link in package.path_dependencies]
        for package in model.packages().values()
        if package.path_dependencies
    }


@pytest.mark.parametrize(
    "table",
    [
        '[patch.crates-io]\npatched = { path = "forks/patched" }\n',
        '[patch.crates-io]\nx = { path = "forks/patched", package = "patched" }\n',
        '[patch."https://example.org/repo"]\npatched = { path = "./forks/patched" }\n',
        '[replace]\n"patched:1.0.0" = { path = "forks/patched" }\n',
        '[replace]\n"https://example.org/index#patched:1.0.0" = { path = "forks/patched" }\n',
    ],
)
def test_whoever_reaches_a_patched_package_compiles_it(tmp_path: Path, table: str) -> None:
    files = {**FILES, "Cargo.toml": FILES["Cargo.toml"] + table, "Cargo.lock": LOCK}
    assert links(load(tmp_path, files)) == {
        "direct": [("forks/patched", "patched", "normal")],
        "through": [("forks/patched", "patched", "normal")],
        "in-tests": [("forks/patched", "patched", "dev")],
    }


@pytest.mark.parametrize("name", [".cargo/config.toml", ".cargo/config"])
@pytest.mark.parametrize(
    "text",
    [
        '[patch.crates-io]\npatched = { path = "forks/patched" }\n',
        'paths = ["forks/patched", "forks/not-there"]\n',
    ],
)
def test_the_configuration_patches_like_the_manifest(tmp_path: Path, name: str, text: str) -> None:
    assert set(links(load(tmp_path, {**FILES, name: text, "Cargo.lock": LOCK}))) == {
        "direct",
        "through",
        "in-tests",
    }


def test_the_configuration_above_a_workspace_counts(tmp_path: Path) -> None:
    below = {f"backend/{path}": text for path, text in {**FILES, "Cargo.lock": LOCK}.items()}
    text = '[patch.crates-io]\npatched = { path = "backend/forks/patched" }\n'
    model = load(tmp_path, {**below, ".cargo/config.toml": text})
    assert set(links(model)) == {"direct", "through", "in-tests"}


def test_a_broken_configuration_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {**FILES, ".cargo/config.toml": "[build]\njobs = = 2\n"})
    assert caught.value.where == ".cargo/config.toml:2"


def test_without_a_lock_file_any_dependency_may_reach_the_patched_package(tmp_path: Path) -> None:
    table = '[patch.crates-io]\npatched = { path = "forks/patched" }\n'
    model = load(tmp_path, {**FILES, "Cargo.toml": FILES["Cargo.toml"] + table})
    assert set(links(model)) == {"direct", "through", "in-tests", "apart"}


def test_a_patch_that_is_no_path_links_nothing(tmp_path: Path) -> None:
    table = '[patch.crates-io]\npatched = { git = "https://example.org/fork" }\n'
    files = {**FILES, "Cargo.toml": FILES["Cargo.toml"] + table, "Cargo.lock": LOCK}
    assert links(load(tmp_path, files)) == {}


def test_a_patch_reaches_packages_beside_the_workspace_that_it_compiles(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        {
            "main/Cargo.toml": package(
                "main",
                '[dependencies]\nbeside = { path = "../beside" }\n'
                '[patch.crates-io]\npatched = { path = "../forks/patched" }',
            ),
            "beside/Cargo.toml": package("beside", '[dependencies]\npatched = "1"'),
            "forks/patched/Cargo.toml": package("patched"),
        },
    )
    assert model.closure("main") == {"main", "beside", "forks/patched"}


def test_the_dev_dependencies_of_a_patched_package_do_not_count(tmp_path: Path) -> None:
    registry = 'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
    lock = (
        '[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = ["between"]\n'
        f'[[package]]\nname = "between"\nversion = "1.0.0"\n{registry}dependencies = ["first"]\n'
        '[[package]]\nname = "first"\nversion = "0.1.0"\ndependencies = ["helper"]\n'
        f'[[package]]\nname = "helper"\nversion = "1.0.0"\n{registry}dependencies = ["second"]\n'
        '[[package]]\nname = "second"\nversion = "0.1.0"\n'
    )
    model = load(
        tmp_path,
        {
            "Cargo.toml": '[workspace]\nmembers = ["app", "first", "second"]\n'
            '[patch.crates-io]\nfirst.path = "first"\nsecond.path = "second"\n',
            "Cargo.lock": lock,
            "app/Cargo.toml": package("app", '[dependencies]\nbetween = "1"'),
            "first/Cargo.toml": package("first", '[dev-dependencies]\nhelper = "1"'),
            "second/Cargo.toml": package("second"),
        },
    )
    assert model.closure("app") == {"app", "first"}


def test_a_patched_package_compiles_other_patched_packages(tmp_path: Path) -> None:
    registry = 'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
    lock = (
        '[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = ["between"]\n'
        f'[[package]]\nname = "between"\nversion = "1.0.0"\n{registry}dependencies = ["first"]\n'
        '[[package]]\nname = "first"\nversion = "0.1.0"\ndependencies = ["second"]\n'
        '[[package]]\nname = "second"\nversion = "0.1.0"\n'
    )
    model = load(
        tmp_path,
        {
            "app/Cargo.toml": package(
                "app",
                '[dependencies]\nbetween = "1"\n[patch.crates-io]\n'
                'first.path = "../forks/first"\nsecond.path = "../forks/second"',
            ),
            "app/Cargo.lock": lock,
            "forks/first/Cargo.toml": package("first", '[dependencies]\nsecond = "1"'),
            "forks/second/Cargo.toml": package("second"),
        },
    )
    assert model.closure("app") == {"app", "forks/first", "forks/second"}


def test_a_patched_package_may_need_another_version_of_itself(tmp_path: Path) -> None:
    table = '[patch.crates-io]\npatched = { path = "forks/patched" }\n'
    files = {
        **FILES,
        "Cargo.toml": FILES["Cargo.toml"] + table,
        "forks/patched/Cargo.toml": package("patched", '[dependencies]\npatched = "0.9"'),
    }
    assert load(tmp_path, files).packages()["forks/patched"].path_dependencies == ()


def test_a_patched_package_that_nothing_else_names_is_a_package(tmp_path: Path) -> None:
    table = '[patch.crates-io]\npatched = { path = ".forks/patched" }\n'
    files = {
        "Cargo.toml": package("app", '[dependencies]\npatched = "1"\n' + table),
        ".forks/patched/Cargo.toml": package("patched"),
    }
    assert load(tmp_path, files).closure("") == {"", ".forks/patched"}


@pytest.mark.parametrize(
    ("path", "what"),
    [("forks/none", "does not exist"), ("../elsewhere", "lies outside the repository")],
)
def test_a_patch_that_leads_nowhere_is_told_with_its_line(
    tmp_path: Path, path: str, what: str
) -> None:
    table = f'[patch.crates-io]\npatched = {{ path = "{path}" }}\n'
    with pytest.raises(ConfigError, match=what) as caught:
        load(tmp_path, {**FILES, "Cargo.toml": FILES["Cargo.toml"] + table})
    assert caught.value.where == "Cargo.toml:5"
