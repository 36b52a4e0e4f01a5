"""What a manifest certainly asks of a dependency, and whom one more request concerns."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from attune_dev.planning.feature_asks import asked_of, depends_on
from tests.unit.planning.repository import MULTI_STAGE, Repository

ROOT = tomllib.loads(
    "[workspace.dependencies]\n"
    'plain = "1"\n'
    'lean = { version = "1", default-features = false, features = ["a"] }\n'
    'named = { package = "real", version = "1" }\n'
    'local = { path = "crates/local" }\n'
)
ON = "default-features"


@pytest.mark.parametrize(
    ("said", "name", "asked"),
    [
        ("", "plain", set()),
        ('plain = "1"', "plain", {ON}),
        ('plain = { version = "1", default-features = false }', "plain", set()),
        ('plain = { version = "1", features = ["x", "y"] }', "plain", {ON, "x", "y"}),
        ("plain.workspace = true", "plain", {ON}),
        ("lean.workspace = true", "lean", {"a"}),
        ('lean = { workspace = true, features = ["b"] }', "lean", {"a", "b"}),
        ("lean = { workspace = true, default-features = true }", "lean", {"a", ON}),
        ("named.workspace = true", "real", None),
        ("local.workspace = true", "local", None),
        ('plain = { version = "1", optional = true }', "plain", None),
        ('plain = { git = "https://example.org/x" }', "plain", None),
        ('[build-dependencies]\nplain = "1"', "plain", None),
        ('[target."cfg(unix)".dependencies]\nplain = "1"', "plain", None),
        ('[target.x.dependencies]\ny = { package = "plain", version = "1" }', "plain", None),
        ('[dev-dependencies]\nplain = "1"', "plain", set()),
    ],
)
def test_only_what_is_certain_is_told(said: str, name: str, asked: set[str] | None) -> None:
    manifest = tomllib.loads(f"[dependencies]\n{said}\n")
    assert asked_of(manifest, ROOT, name) == asked


def test_an_optional_or_conditional_package_is_not_always_there() -> None:
    manifest = tomllib.loads(
        '[dependencies]\na = { path = "../a" }\nb = { path = "../b", optional = true }\n'
        'c = { package = "real-c", path = "../c" }\n'
        '[target.x.dependencies]\nd = { path = "../d" }\n'
    )
    there = [depends_on(manifest, {}, name) for name in ("a", "b", "real-c", "d", "e")]
    assert there == [True, False, True, False, False]


@pytest.mark.parametrize(
    ("added", "built"),
    [
        ("libc.workspace = true", "api"),
        ('libc = { workspace = true, features = ["more"] }', "api web"),
    ],
)
def test_one_more_who_asks_for_what_is_on_anyway_concerns_nobody_else(
    tmp_path: Path, added: str, built: str
) -> None:
    repo = Repository(tmp_path)
    repo.members("crates/*")
    root = (tmp_path / "Cargo.toml").read_text()
    repo.write({"Cargo.toml": f'{root}[workspace.dependencies]\nlibc = "0.2"\n'})
    repo.crate("crates/common")
    for name in ("api", "web"):
        repo.crate(f"crates/{name}", "crates/common", bins=(name,))
        made = MULTI_STAGE.replace("--bin {binary}", "--bin api --bin web").format(binary=name)
        repo.write({f"{name}.Dockerfile": made})
        repo.service(name, build=f"{name}.Dockerfile")
    common = tmp_path / "crates/common/Cargo.toml"
    common.write_text(
        common.read_text().replace("[dependencies]", "[dependencies]\nlibc.workspace = true")
    )
    before = repo.load()
    api = tmp_path / "crates/api/Cargo.toml"
    api.write_text(api.read_text().replace("[dependencies]", f"[dependencies]\n{added}"))
    plan = repo.plan("crates/api/Cargo.toml", previous=before)
    assert plan.startswith(f"[] -> #1 build {built}, ")
