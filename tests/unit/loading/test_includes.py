"""Files outside of source folders that a compile reads: by scan, and by cargo's own dep-info."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.loading.tree import is_dockerfile, look_over
from tests.unit.planning.repository import Repository


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.crate("crates/api", bins=("api",))
    made.write({"crates/api/src/main.rs": ""})
    return made


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ('const A: &str = include_str!("a.txt");', "crates/api/src/a.txt"),
        ('include_bytes! [ "../b.bin" ]', "crates/api/b.bin"),
        ('include!(r"../../gen/c.rs");', "crates/gen/c.rs"),
        (
            'include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../d.txt"))',
            "d.txt",
        ),
        ('#[path = "../../shared/e.rs"]\nmod e;', "crates/shared/e.rs"),
        ('sqlx::migrate!("../../migrations")', "migrations"),
        ('#[folder = "../../web/dist"]', "web/dist"),
    ],
)
def test_what_sources_name_is_found(repo: Repository, source: str, named: str) -> None:
    repo.write(
        {
            "crates/api/src/deep.rs": source,
        }
    )
    assert repo.load().includes == {"crates/api": (named,)}


def test_what_a_build_script_asks_to_watch_is_found(repo: Repository) -> None:
    repo.write(
        {"crates/api/build.rs": 'fn main() { println!("cargo:rerun-if-changed=../../p.proto"); }'}
    )
    assert repo.load().includes == {"crates/api": ("p.proto",)}


def test_what_leaves_the_repository_or_names_nothing_is_left_out(repo: Repository) -> None:
    repo.write({"crates/api/src/main.rs": 'include_str!("../../../../x") include_str!(NAME)'})
    assert repo.load().includes == {}


def test_a_folder_that_sources_name_counts_with_all_in_it(repo: Repository) -> None:
    repo.write(
        {
            "crates/api/src/main.rs": 'sqlx::migrate!("../../migrations")',
            "migrations/deep/1.sql": "",
            "Dockerfile": "FROM rust AS b\nCOPY . .\nRUN cargo build --bin api\n"
            "FROM debian\nCOPY --from=b target/debug/api /\n",
        }
    )
    repo.service("api", build="Dockerfile")
    assert repo.plan("migrations/deep/1.sql").splitlines()[0] == (
        "[] -> #1 build api, migrations/deep/1.sql: is included by api"
    )


def test_the_walk_leaves_out_what_is_huge(tmp_path: Path) -> None:
    for folder in ("a", "target", "node_modules/x", "vendored", "venv", ".git"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Dockerfile").touch()
        (tmp_path / folder / ".gitignore").touch()
    (tmp_path / "vendored/.cargo-checksum.json").touch()
    (tmp_path / "venv/pyvenv.cfg").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    found = look_over(tmp_path)
    assert (found.dockerfiles, found.git_ignores) == (["a/Dockerfile"], ["a/.gitignore"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dockerfile", True),
        ("Dockerfile.api", True),
        ("api.Dockerfile", True),
        ("Containerfile", True),
        ("Dockerfile.dockerignore", False),
        ("dockerfile.md", False),
    ],
)
def test_dockerfiles_are_known_by_their_names(name: str, expected: bool) -> None:
    assert is_dockerfile(name) is expected
