"""Whatever is wrong in a manifest or lock file is told with the file, the line and no traceback."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.cargo import load_cargo

if TYPE_CHECKING:
    from pathlib import Path


def package(name: str, tables: str = "") -> str:
    return f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n{tables}\n'


WORKSPACE = '[workspace]\nmembers = ["a", "b"]\nresolver = "2"\n'
A = {"Cargo.toml": WORKSPACE, "b/Cargo.toml": package("b")}

CASES: dict[str, tuple[dict[str, str], str, str]] = {
    "broken TOML": (
        {**A, "a/Cargo.toml": '[package]\nname = "a"\nversion = = 3\n'},
        "a/Cargo.toml:3",
        "is not valid TOML",
    ),
    "a string that never ends": (
        {**A, "a/Cargo.toml": '[package]\nname = "a"\ndescription = """never'},
        "a/Cargo.toml:3",
        "is not valid TOML",
    ),
    "a key twice": (
        {**A, "a/Cargo.toml": '[package]\nname = "a"\nname = "b"\n'},
        "a/Cargo.toml:3",
        "is not valid TOML",
    ),
    "nested too deeply": (
        {**A, "a/Cargo.toml": "a = " + "[" * 20_000},
        "a/Cargo.toml",
        "is nested too deeply",
    ),
    "a key of very many parts": (
        {**A, "a/Cargo.toml": package("a", "[x." + "y. " * 20_000 + "z]")},
        "a/Cargo.toml:5",
        "is nested too deeply",
    ),
    "a quoted key of very many parts": (
        {**A, "a/Cargo.toml": "x = { " + '"y".' * 20_000 + "z = 1 }"},
        "a/Cargo.toml:1",
        "is nested too deeply",
    ),
    "brackets that open and open": (
        {**A, "a/Cargo.toml": "x = " + "[\n#\n" * 50_000},
        "a/Cargo.toml",
        "is nested too deeply",
    ),
    "no name": (
        {**A, "a/Cargo.toml": '# [package]\n[package]\nversion = "0.1.0"\n'},
        "a/Cargo.toml:2",
        "the package has no name",
    ),
    "a table that is none": (
        {**A, "a/Cargo.toml": "dependencies = 3\n" + package("a")},
        "a/Cargo.toml:1",
        "`dependencies` must be a table",
    ),
    "a package that is no table": (
        {**A, "a/Cargo.toml": "package = []\n"},
        "a/Cargo.toml:1",
        "`package` must be a table",
    ),
    "a missing member": (
        A,
        "Cargo.toml:2",
        "the workspace member `a` does not exist",
    ),
    "a pattern without any member": (
        {"Cargo.toml": '[workspace]\nresolver = "2"\nmembers = [\n  "crates/*",\n]\n'},
        "Cargo.toml:4",
        "the workspace member `crates/*` does not exist",
    ),
    "a member outside": (
        {"Cargo.toml": '[workspace]\nmembers = ["../a"]\n'},
        "Cargo.toml:2",
        "the workspace member `../a` does not exist",
    ),
    "members that are no list": (
        {"Cargo.toml": '[workspace]\nmembers = "a"\n'},
        "Cargo.toml:2",
        "`members` must be a list of strings",
    ),
    "a path dependency outside": (
        {**A, "a/Cargo.toml": package("a", '[dependencies]\nx = { path = "../../x" }')},
        "a/Cargo.toml:6",
        "the path dependency `x` lies outside the repository",
    ),
    "an absolute path dependency": (
        {**A, "a/Cargo.toml": package("a", '[dependencies.x]\npath = "/opt/x"')},
        "a/Cargo.toml:6",
        "the path dependency `x` lies outside the repository",
    ),
    "an inherited path dependency outside": (
        {
            **A,
            "Cargo.toml": WORKSPACE + '[workspace.dependencies]\nx = { path = "../x" }\n',
            "a/Cargo.toml": package("a", "[dependencies]\nx.workspace = true"),
        },
        "Cargo.toml:5",
        "the path dependency `x` lies outside the repository",
    ),
    "a missing path dependency": (
        {**A, "a/Cargo.toml": package("a", '[dependencies]\nb = { path = "../c" }')},
        "a/Cargo.toml:6",
        "the path dependency `b` does not exist",
    ),
    "a path dependency on a folder without a package": (
        {**A, "a/Cargo.toml": package("a", '[dependencies]\nb = { path = ".." }')},
        "a/Cargo.toml:6",
        "the path dependency `b` does not exist",
    ),
    "inherited from nowhere": (
        {**A, "a/Cargo.toml": package("a", "[dependencies]\nserde = { workspace = true }")},
        "a/Cargo.toml:6",
        "the dependency `serde` is inherited from nowhere",
    ),
    "inherited without a workspace": (
        {"Cargo.toml": '[package]\nname = "a"\nversion.workspace = true\n'},
        "Cargo.toml:3",
        "`version` is inherited from a workspace, and there is none",
    ),
    "inherited from a workspace that excludes it": (
        {
            "Cargo.toml": '[workspace]\nexclude = ["a"]\n[workspace.package]\nversion = "1.0.0"\n',
            "a/Cargo.toml": '[package]\nname = "a"\nversion.workspace = true\n',
        },
        "a/Cargo.toml:3",
        "`version` is inherited from a workspace, and there is none",
    ),
    "the first of several": (
        {f"{name}/Cargo.toml": "broken" for name in ("b", "d", "a", "e", "c")},
        "a/Cargo.toml:1",
        "is not valid TOML",
    ),
    "a pointer to no workspace": (
        {"Cargo.toml": '[package]\nname = "a"\nworkspace = "../up"\n'},
        "Cargo.toml:3",
        "names no workspace",
    ),
    "a target without a name": (
        {**A, "a/Cargo.toml": package("a", '[[bin]]\npath = "src/x.rs"')},
        "a/Cargo.toml:5",
        "a [[bin]] has no name",
    ),
    "a target written as one table": (
        {**A, "a/Cargo.toml": package("a", '[bin]\nname = "x"')},
        "a/Cargo.toml:5",
        "`bin` must be written [[bin]]",
    ),
    "a source file outside": (
        {**A, "a/Cargo.toml": package("a", '[lib]\npath = "../../x.rs"')},
        "a/Cargo.toml:6",
        "the source file `../../x.rs` lies outside the repository",
    ),
    "a cycle of two": (
        {
            **A,
            "a/Cargo.toml": package("a", '[dependencies]\nb = { path = "../b" }'),
            "b/Cargo.toml": package("b", '[build-dependencies]\na = { path = "../a" }'),
        },
        "a/Cargo.toml:6",
        "path dependencies form a cycle",
    ),
    "a package that needs itself": (
        {**A, "a/Cargo.toml": package("a", '[dependencies]\na = { path = "." }')},
        "a/Cargo.toml:6",
        "path dependencies form a cycle",
    ),
    "a broken lock file": (
        {**A, "a/Cargo.toml": package("a"), "Cargo.lock": "version = 4\n<<<<<<< HEAD\n"},
        "Cargo.lock:2",
        "is not valid TOML",
    ),
    "a lock file without versions": (
        {**A, "a/Cargo.toml": package("a"), "Cargo.lock": '\n[[package]]\nname = "a"\n'},
        "Cargo.lock:2",
        "a [[package]] lacks its name or version",
    ),
    "a package as one table in the lock file": (
        {**A, "a/Cargo.toml": package("a"), "Cargo.lock": '[package]\nname = "a"\n'},
        "Cargo.lock:1",
        "`package` must be written [[package]]",
    ),
}


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


@pytest.mark.parametrize("case", CASES)
def test_the_file_and_the_line_are_told(case: str, tmp_path: Path) -> None:
    files, where, what = CASES[case]
    write(tmp_path, files)
    with pytest.raises(ConfigError) as caught:
        load_cargo(tmp_path)
    assert (caught.value.where, caught.value.what) == (where, what)
    assert caught.value.exit_code == 2


def test_a_cycle_is_named_from_its_first_folder_on(tmp_path: Path) -> None:
    needs = {"0": "c", "c": "a", "a": "b", "b": "c"}
    write(
        tmp_path,
        {
            f"{name}/Cargo.toml": package(
                f"my-{name}", f'[dependencies]\nmy-{need} = {{ path = "../{need}" }}'
            )
            for name, need in needs.items()
        },
    )
    with pytest.raises(ConfigError) as caught:
        load_cargo(tmp_path)
    assert caught.value.why == "my-a -> my-b -> my-c -> my-a: none can be compiled first."
    assert caught.value.where == "a/Cargo.toml:6"


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_bytes(b'[package]\nname = "caf\xe9"\n')
    with pytest.raises(ConfigError, match="is not UTF-8 text") as caught:
        load_cargo(tmp_path)
    assert caught.value.where == "Cargo.toml:2"


def test_a_file_too_large_for_a_manifest_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "Cargo.toml").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(ConfigError, match="is too large") as caught:
        load_cargo(tmp_path)
    assert caught.value.where == "Cargo.toml"


def test_a_pipe_where_a_manifest_should_be_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Cargo.toml")
    with pytest.raises(ConfigError, match="is not a regular file"):
        load_cargo(tmp_path)


def test_a_folder_where_a_manifest_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").mkdir()
    with pytest.raises(ConfigError, match="is not a regular file"):
        load_cargo(tmp_path)


def test_a_link_to_itself_where_a_manifest_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").symlink_to("Cargo.toml")
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        load_cargo(tmp_path)
    assert caught.value.file == "Cargo.toml"


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_bytes(b'\xef\xbb\xbf[package]\r\nname = "a"\r\n')
    assert load_cargo(tmp_path).packages()[""].name == "a"


def test_an_empty_repository_has_no_workspace(tmp_path: Path) -> None:
    assert load_cargo(tmp_path).workspaces == {}
