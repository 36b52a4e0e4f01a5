"""What cargo says a binary was compiled from: kept as it comes, read back into the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.loading.dep_info import FOLDER, keep_all, keep_dep_info, named_files, read_dep_info
from attune_dev.model.cargo import CargoModel, CargoTarget, CargoWorkspace, Package, TargetKind
from tests.unit.planning.repository import MULTI_STAGE, Repository

RULE = (
    "/build/target/release/api: /build/crates/api/src/main.rs "
    "/build/crates/api/src/../../../docs/a\\ b.md "
    "/usr/local/cargo/registry/src/x/src/main.rs /build/target/release/build/api-1/out/made.rs\n"
    "\n/build/crates/api/src/main.rs:\n"
)


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def cargo(folder: str, main: str, workspace: str = "") -> CargoModel:
    package = Package(
        "api", "1.0.0", folder, workspace, (CargoTarget("api", TargetKind.BIN, main),)
    )
    return CargoModel({workspace: CargoWorkspace(workspace, {folder: package})})


IN_CRATES = cargo("crates/api", "crates/api/src/main.rs")


def test_a_rule_names_what_it_needs_with_spaces_escaped() -> None:
    assert named_files("a/b: c\\ d e\n\nc\\ d:\n") == ["c d", "e"]
    assert named_files("no rule at all") == []


@pytest.mark.parametrize(
    ("rule", "model", "files"),
    [
        (RULE, IN_CRATES, ("crates/api/src/main.rs", "docs/a b.md")),
        # the context was the folder `backend`
        (
            "t: /src/crates/api/src/main.rs /src/proto/a.proto",
            cargo("backend/crates/api", "backend/crates/api/src/main.rs", "backend"),
            ("backend/crates/api/src/main.rs", "backend/proto/a.proto"),
        ),
        # one package at the root of the repository
        ("t: /w/src/main.rs /w/b.txt", cargo("", "src/main.rs"), ("b.txt", "src/main.rs")),
        # paths relative to where cargo ran
        ("t: /crates/api/src/main.rs /x", IN_CRATES, ("crates/api/src/main.rs", "x")),
        # of another binary of this name
        ("t: /build/other/lib.rs", IN_CRATES, ()),
    ],
)
def test_files_are_told_where_they_are_in_the_repository(
    tmp_path: Path, rule: str, model: CargoModel, files: tuple[str, ...]
) -> None:
    keep_dep_info(tmp_path, "api", rule)
    assert read_dep_info(tmp_path, model).get("api", ()) == files


def test_a_binary_that_no_package_has_any_more_counts_for_nothing(tmp_path: Path) -> None:
    keep_dep_info(tmp_path, "gone", RULE)
    assert read_dep_info(tmp_path, IN_CRATES) == {}


def test_keeping_tells_whether_anything_is_new(tmp_path: Path) -> None:
    assert keep_dep_info(tmp_path, "api", RULE)
    assert not keep_dep_info(tmp_path, "api", RULE)
    assert keep_dep_info(tmp_path, "api", "t: /build/crates/api/src/main.rs")
    assert not keep_dep_info(tmp_path, "../api", RULE)
    assert read_dep_info(tmp_path, IN_CRATES) == {"api": ("crates/api/src/main.rs",)}


@pytest.mark.parametrize("text", ["[1", "1", '{"a": 1}', "\xff"])
def test_a_broken_record_counts_for_nothing(tmp_path: Path, text: str) -> None:
    keep_dep_info(tmp_path, "api", RULE)
    (tmp_path / FOLDER / "api.json").write_text(text, encoding="latin-1")
    assert read_dep_info(tmp_path, IN_CRATES) == {}
    assert keep_dep_info(tmp_path, "api", RULE)


def test_all_that_a_build_exported_is_kept(tmp_path: Path) -> None:
    exported = tmp_path / "exported/api"
    exported.mkdir(parents=True)
    (exported / "api.d").write_text(RULE)
    (exported / "api").write_bytes(b"\x7fELF")
    (exported / "link.d").symlink_to("/etc/passwd")
    assert keep_all(tmp_path, tmp_path / "exported")
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["api.json"]


def test_dep_info_adds_files_and_takes_none_away(repo: Repository) -> None:
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    repo.write({"docs/a.md": "", "notes.txt": "", "Dockerfile": MULTI_STAGE.format(binary="api")})
    repo.service("api", build="Dockerfile")
    assert repo.plan("docs/a.md").startswith("ignored docs/a.md")
    read = "[] -> #1 build api, notes.txt: is read by the build of api"
    assert repo.plan("notes.txt").splitlines()[0] == read
    keep_dep_info(repo.root, "api", "t: /src/crates/api/src/main.rs /src/docs/a.md")
    assert repo.plan("docs/a.md").splitlines()[0] == (
        "[] -> #1 build api, docs/a.md: compiled into api (dep-info)"
    )
    assert repo.plan("notes.txt").splitlines()[0] == read
    assert repo.plan("crates/api/src/new.rs").splitlines()[0] == (
        "[] -> #1 build api, crates/api/src/new.rs: compiles api"
    )
