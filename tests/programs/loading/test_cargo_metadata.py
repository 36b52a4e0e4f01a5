"""What is read from manifests is compared with what cargo itself says about the same folders."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from attune_dev.docker.process import run
from attune_dev.loading.cargo import load_cargo
from attune_dev.model.cargo import LockedPackage
from tests.programs.planning.shapes import SHAPES, shapes

if TYPE_CHECKING:
    from attune_dev.model.cargo import CargoWorkspace, Package

CARGO = shutil.which("cargo")

pytestmark = pytest.mark.skipif(CARGO is None, reason="NOT CHECKED against cargo: it is missing")


def package(name: str, *tables: str, edition: str = "2021", keys: str = "") -> str:
    head = f'[package]\nname = "{name}"\nversion = "0.1.0"\n'
    edition_line = f'edition = "{edition}"\n' if edition else ""
    return head + edition_line + keys + "\n" + "\n".join(tables) + "\n"


MAIN = "fn main() {}\n"

TREES: dict[str, tuple[str, dict[str, str]]] = {
    "a member for each crate": (
        "",
        {
            "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n',
            "crates/a/Cargo.toml": package("my-a"),
            "crates/a/src/lib.rs": "",
            "crates/b/Cargo.toml": package("b", '[dependencies]\nmy-a = { path = "../a" }'),
            "crates/b/src/main.rs": MAIN,
            "crates/.hidden/Cargo.toml": package("hidden"),
            "crates/.hidden/src/lib.rs": "",
            "crates/target/Cargo.toml": package("target-like"),
            "crates/target/src/lib.rs": "",
            "crates/README.md": "",
        },
    ),
    "patterns of all sorts": (
        "",
        {
            "Cargo.toml": (
                '[workspace]\nmembers = ["a?", "[bc]*", "deep/**/x", "d*/two/y", "./plain/"]\n'
                'default-members = ["plain", "a?"]\nresolver = "2"\n'
            ),
            "a1/Cargo.toml": package("a1"),
            "a1/src/lib.rs": "",
            "a12/Cargo.toml": package("a12"),
            "a12/src/lib.rs": "",
            "b/Cargo.toml": package("b"),
            "b/src/lib.rs": "",
            "cc/Cargo.toml": package("cc"),
            "cc/src/lib.rs": "",
            "deep/one/x/Cargo.toml": package("one"),
            "deep/one/x/src/lib.rs": "",
            "deep/two/x/Cargo.toml": package("two"),
            "deep/two/x/src/lib.rs": "",
            "deep/two/y/Cargo.toml": package("y"),
            "deep/two/y/src/lib.rs": "",
            "deep/even/deeper/x/Cargo.toml": package("deeper"),
            "deep/even/deeper/x/src/lib.rs": "",
            "plain/Cargo.toml": package("plain"),
            "plain/src/lib.rs": "",
        },
    ),
    "a root package with members by path": (
        "",
        {
            "Cargo.toml": package(
                "app",
                '[workspace]\nexclude = ["tools"]',
                '[dependencies]\na = { path = "libs/a" }\ntool = { path = "tools/t" }',
            ),
            "src/main.rs": MAIN,
            "libs/a/Cargo.toml": package(
                "a",
                '[dev-dependencies]\nfor-tests = { path = "../for-tests" }',
                '[target."cfg(windows)".build-dependencies]\nwin = { path = "../win" }',
            ),
            "libs/a/src/lib.rs": "",
            "libs/for-tests/Cargo.toml": package("for-tests"),
            "libs/for-tests/src/lib.rs": "",
            "libs/win/Cargo.toml": package("win"),
            "libs/win/src/lib.rs": "",
            "tools/t/Cargo.toml": package("tool"),
            "tools/t/src/lib.rs": "",
        },
    ),
    "an excluded folder with a literal member in it": (
        "",
        {
            "Cargo.toml": (
                '[workspace]\nmembers = ["tools/kept"]\nexclude = ["tools"]\nresolver = "2"\n'
            ),
            "tools/kept/Cargo.toml": package("kept"),
            "tools/kept/src/lib.rs": "",
            "tools/left/Cargo.toml": package("left"),
            "tools/left/src/lib.rs": "",
        },
    ),
    "a package that points at its workspace": (
        "main",
        {
            "main/Cargo.toml": '[workspace]\nmembers = ["m", "../beside"]\nresolver = "2"\n',
            "main/m/Cargo.toml": package("m", '[dependencies]\nalso = { path = "../../also" }'),
            "main/m/src/lib.rs": "",
            "beside/Cargo.toml": package("beside", keys='workspace = "../main"\n'),
            "beside/src/lib.rs": "",
            "also/Cargo.toml": package("also", keys='workspace = "../main"\n'),
            "also/src/lib.rs": "",
        },
    ),
    "a path dependency beside the workspace": (
        "main",
        {
            "main/Cargo.toml": '[workspace]\nmembers = ["m"]\nresolver = "2"\n',
            "main/m/Cargo.toml": package("m", '[dependencies]\nalso = { path = "../../also" }'),
            "main/m/src/lib.rs": "",
            "also/Cargo.toml": package("also"),
            "also/src/lib.rs": "",
        },
    ),
    "inheritance and new names": (
        "",
        {
            "Cargo.toml": (
                '[workspace]\nmembers = ["a", "b"]\nresolver = "2"\n'
                '[workspace.package]\nversion = "3.2.1"\nedition = "2021"\n'
                "[workspace.dependencies]\n"
                'short = { path = "b", package = "long-name" }\n'
            ),
            "a/Cargo.toml": (
                '[package]\nname = "a"\nversion.workspace = true\nedition = { workspace = true }\n'
                "[dependencies]\nshort = { workspace = true, optional = true }\n"
                '[dev-dependencies]\nother = { path = "../b", package = "long-name" }\n'
            ),
            "a/src/lib.rs": "",
            "b/Cargo.toml": package("long-name"),
            "b/src/lib.rs": "",
        },
    ),
    "a single package": (
        "",
        {
            "Cargo.toml": package("single", '[dependencies]\nsub = { path = "sub" }'),
            "src/lib.rs": "",
            "src/main.rs": MAIN,
            "sub/Cargo.toml": package("sub"),
            "sub/src/lib.rs": "",
        },
    ),
    "a workspace with newer TOML": (
        "",
        {
            "Cargo.toml": (
                "[workspace]\nresolver = '2'\nmembers = [\n  'a', # one\n]\n"
                "[workspace.dependencies]\nb = {\n  path = 'b', # where\n"
                '  features = [\n    "x",\n  ],\n}\n'
            ),
            "a/Cargo.toml": package("a", "[dependencies]\nb.workspace = true"),
            "a/src/lib.rs": "",
            "b/Cargo.toml": package("b", "[features]\nx = []"),
            "b/src/lib.rs": "",
        },
    ),
    "a cycle through dev-dependencies": (
        "",
        {
            "Cargo.toml": '[workspace]\nmembers = ["a", "b"]\nresolver = "2"\n',
            "a/Cargo.toml": package("a", '[dependencies]\nb = { path = "../b" }'),
            "a/src/lib.rs": "",
            "b/Cargo.toml": package(
                "b", '[dev-dependencies]\na = { path = "../a" }\nb = { path = "." }'
            ),
            "b/src/lib.rs": "",
        },
    ),
}


SOURCES = {
    "build.rs": MAIN,
    "src/lib.rs": "",
    "src/main.rs": MAIN,
    "src/my-tool.rs": MAIN,
    "src/bin/one.rs": MAIN,
    "src/bin/two/main.rs": MAIN,
    "src/bin/two/part.rs": "",
    "src/bin/nothing/other.rs": "",
    "src/bin/.hidden.rs": MAIN,
    "src/bin/notes.txt": "",
    "tests/it.rs": "",
    "tests/suite/main.rs": MAIN,
    "tests/data/x.json": "{}",
    "benches/speed.rs": MAIN,
    "examples/demo.rs": MAIN,
    "examples/big/main.rs": MAIN,
    "other/main.rs": MAIN,
}
EXPLICIT = '[[bin]]\nname = "extra"\npath = "other/main.rs"\n'
LISTED = '[[bin]]\nname = "two"\n[[bin]]\nname = "PACKAGE"\n[[test]]\nname = "suite"\n'
NO_DISCOVERY = "".join(f"auto{kind} = false\n" for kind in ("bins", "tests", "benches", "examples"))

# Edition, keys of [package], tables, files; all are members of one workspace, as a call of cargo
# takes its time.
TARGETS: list[tuple[str, str, str, dict[str, str]]] = [
    *(
        (edition, "", tables, SOURCES)
        for edition in ("", "2015", "2018", "2021", "2024")
        for tables in ("", EXPLICIT, LISTED)
    ),
    ("2021", "", '[[bin]]\nname = "renamed"\npath = "src/bin/one.rs"\n', SOURCES),
    ("2021", "", '[[bin]]\nname = "one"\npath = "other/main.rs"\n', SOURCES),
    ("2021", "", '[[bin]]\nname = "server"\npath = "src/main.rs"\n', SOURCES),
    ("2021", NO_DISCOVERY + "autolib = false\n", EXPLICIT, SOURCES),
    ("2015", "autobins = true\n", EXPLICIT, SOURCES),
    ("2021", "", '[lib]\nname = "nice"\npath = "other/main.rs"\n', SOURCES),
    ("2021", "", '[lib]\ncrate-type = ["cdylib", "rlib"]\n', SOURCES),
    ("2021", "", "[lib]\nproc-macro = true\n", SOURCES),
    ("2021", "", '[lib]\ncrate-type = ["proc-macro"]\n', SOURCES),
    ("2021", 'build = "other/main.rs"\n', "", SOURCES),
    ("2021", "build = false\n", "", SOURCES),
    ("2015", "", '[[bin]]\nname = "my-tool"\n', SOURCES),
    ("2015", "", '[[bin]]\nname = "thing"\n', {"src/thing.rs": MAIN}),
    ("2015", "", '[lib]\nname = "thing"\n', {"src/thing.rs": ""}),
]


def all_targets() -> dict[str, str]:
    files = {"Cargo.toml": '[workspace]\nmembers = ["cases/*"]\nresolver = "2"\n'}
    for number, (edition, keys, tables, sources) in enumerate(TARGETS):
        name = f"my-case-{number}"
        manifest = package(name, tables.replace("PACKAGE", name), edition=edition, keys=keys)
        files[f"cases/{number}/Cargo.toml"] = manifest
        files |= {f"cases/{number}/{path}": text for path, text in sources.items()}
    return files


TREES["targets of all kinds"] = ("", all_targets())


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


@pytest.mark.parametrize("name", TREES)
def test_manifests_say_what_cargo_says(name: str, tmp_path: Path) -> None:
    folder, files = TREES[name]
    write(tmp_path, files)
    workspace = load_cargo(tmp_path).workspaces[folder]
    assert told_by_us(workspace) == told_by_cargo(tmp_path, folder)


@pytest.mark.parametrize("shape", shapes())
def test_cargo_reads_the_shapes_alike(shape: str, tmp_path: Path) -> None:
    root = tmp_path / shape
    shutil.copytree(SHAPES / shape, root)
    for folder, workspace in load_cargo(root).workspaces.items():
        assert told_by_us(workspace) == told_by_cargo(root, folder)


def test_the_lock_file_that_cargo_writes_is_read(tmp_path: Path) -> None:
    write(tmp_path, TREES["a root package with members by path"][1])
    run(["cargo", "generate-lockfile", "--offline"], cwd=tmp_path)
    assert load_cargo(tmp_path).workspaces[""].lock == (
        LockedPackage("a", "0.1.0", dependencies=(("for-tests", "0.1.0"), ("win", "0.1.0"))),
        LockedPackage("app", "0.1.0", dependencies=(("a", "0.1.0"), ("tool", "0.1.0"))),
        LockedPackage("for-tests", "0.1.0"),
        LockedPackage("tool", "0.1.0"),
        LockedPackage("win", "0.1.0"),
    )


def told_by_us(workspace: CargoWorkspace) -> dict[str, Any]:
    return {
        "default": list(workspace.default_members),
        "packages": {root: _ours(found) for root, found in workspace.packages.items()},
    }


def _ours(found: Package) -> dict[str, Any]:
    return {
        "name": found.name,
        "version": found.version,
        "targets": [(target.name, target.kind.value, target.path) for target in found.targets],
        "links": [(link.package, link.name, link.kind.value) for link in found.path_dependencies],
    }


def told_by_cargo(root: Path, folder: str) -> dict[str, Any]:
    argv = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    result = run(argv, cwd=root / folder)
    assert result.ok, result.stderr
    told = json.loads(result.stdout)
    packages = {_relative(root, found["manifest_path"]): found for found in told["packages"]}
    ids = {found["id"]: place for place, found in packages.items()}
    return {
        "default": sorted(ids[default] for default in told["workspace_default_members"]),
        "packages": {place: _theirs(root, packages[place]) for place in sorted(packages)},
    }


def _theirs(root: Path, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": found["name"],
        "version": found["version"],
        "targets": sorted(
            (target["name"], _kind(target["kind"]), os.path.relpath(target["src_path"], root))
            for target in found["targets"]
        ),
        "links": sorted(
            {
                (
                    _folder(os.path.relpath(link["path"], root)),
                    link["name"],
                    link["kind"] or "normal",
                )
                for link in found["dependencies"]
                if link.get("path")
            }
        ),
    }


def _kind(kinds: list[str]) -> str:
    return "lib" if kinds[0] in {"rlib", "dylib", "cdylib", "staticlib"} else kinds[0]


def _relative(root: Path, manifest: str) -> str:
    return _folder(os.path.relpath(Path(manifest).parent, root))


def _folder(path: str) -> str:
    return "" if path == "." else path
