"""What only the difference of two states tells: of lock files, manifests, definitions."""

from __future__ import annotations

from textwrap import dedent

import pytest

from attune_dev.model.change import Change, ChangeKind
from tests.unit.planning.repository import MULTI_STAGE, Repository

LOCK = """\
version = 4

[[package]]
name = "api"
version = "0.1.0"
dependencies = ["serde"]

[[package]]
name = "web"
version = "0.1.0"
dependencies = ["tokio"]

[[package]]
name = "serde"
version = "1.0.1"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "aa"

[[package]]
name = "tokio"
version = "1.40.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "bb"
"""
ROOT = """\
[workspace]
resolver = "2"
members = ["crates/*"]
[workspace.package]
edition = "2021"
[workspace.dependencies]
serde = "1"
tokio = "1"
[profile.release]
lto = false
"""


EXTRA = 'extra = { path = "../extra" }\n'


def text(expected: str) -> str:
    return dedent(expected).strip()


def manifest(name: str, dependency: str, more: str = "") -> str:
    return (
        f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition.workspace = true\n'
        f"[dependencies]\n{dependency}.workspace = true\n{more}"
    )


@pytest.fixture
def two(repo: Repository) -> Repository:
    """Two services that share nothing but the workspace."""
    repo.write(
        {
            "Cargo.toml": ROOT,
            "Cargo.lock": LOCK,
            "crates/api/Cargo.toml": manifest("api", "serde"),
            "crates/api/src/main.rs": "fn main() {}",
            "crates/web/Cargo.toml": manifest("web", "tokio"),
            "crates/web/src/main.rs": "fn main() {}",
        }
    )
    for name in ("api", "web"):
        repo.write({f"{name}.Dockerfile": MULTI_STAGE.format(binary=name)})
        repo.service(name, build=f"{name}.Dockerfile")
    return repo


def test_a_lock_file_concerns_who_reaches_a_changed_version(two: Repository) -> None:
    before = two.load()
    two.write({"Cargo.lock": LOCK.replace("1.40.0", "1.41.0")})
    assert two.plan("Cargo.lock", previous=before) == text("""
        [] -> #1 build web, Cargo.lock: locks dependencies of web
        [1] -> #2 recreate web, Cargo.lock: locks dependencies of web
    """)


def test_a_lock_file_without_an_earlier_state_concerns_everything(two: Repository) -> None:
    assert two.plan("Cargo.lock").splitlines()[0] == (
        "[] -> #1 build api web, Cargo.lock: locks dependencies of api, web"
    )


def test_a_lock_file_that_says_the_same_concerns_nobody(two: Repository) -> None:
    before = two.load()
    two.write({"Cargo.lock": "# by hand\n" + LOCK})
    assert two.plan("Cargo.lock", previous=before) == (
        "ignored Cargo.lock: locks no version that is compiled"
    )


def test_a_dependency_of_the_workspace_concerns_who_inherits_it(two: Repository) -> None:
    before = two.load()
    two.write({"Cargo.toml": ROOT.replace('serde = "1"', 'serde = "1.0.1"')})
    assert two.plan("Cargo.toml", previous=before) == text("""
        [] -> #1 build api, Cargo.toml: says how api is built
        [1] -> #2 recreate api, Cargo.toml: says how api is built
    """)


@pytest.mark.parametrize(
    ("old", "new"), [("lto = false", "lto = true"), ('edition = "2021"', 'edition = "2024"')]
)
def test_a_profile_or_an_inherited_key_concerns_the_whole_workspace(
    two: Repository, old: str, new: str
) -> None:
    before = two.load()
    two.write({"Cargo.toml": ROOT.replace(old, new)})
    assert two.plan("Cargo.toml", previous=before).splitlines()[0] == (
        "[] -> #1 build api web, Cargo.toml: says how api, web is built"
    )


def test_a_comment_in_a_manifest_concerns_nobody(two: Repository) -> None:
    before = two.load()
    two.write({"Cargo.toml": "# a note\n" + ROOT})
    assert two.plan("Cargo.toml", previous=before) == (
        "ignored Cargo.toml: changes nothing that is compiled"
    )


def test_a_version_bump_of_a_member_concerns_it_and_its_dependants(two: Repository) -> None:
    two.write(
        {
            "crates/api/Cargo.toml": manifest("api", "serde", 'common = { path = "../common" }\n'),
            "crates/common/Cargo.toml": manifest("common", "serde"),
            "crates/common/src/lib.rs": "",
        }
    )
    before = two.load()
    bumped = manifest("common", "serde").replace('"0.1.0"', '"0.2.0"')
    two.write({"crates/common/Cargo.toml": bumped})
    assert two.plan("crates/common/Cargo.toml", previous=before) == text("""
        [] -> #1 build api, crates/common/Cargo.toml: says how api is built
        [1] -> #2 recreate api, crates/common/Cargo.toml: says how api is built
    """)


def test_dev_dependencies_concern_nobody(two: Repository) -> None:
    before = two.load()
    two.write({"crates/api/Cargo.toml": manifest("api", "serde", '[dev-dependencies]\nx = "1"\n')})
    assert two.plan("crates/api/Cargo.toml", previous=before) == (
        "ignored crates/api/Cargo.toml: changes nothing that is compiled"
    )


def test_a_new_package_is_read_before_anything_else(two: Repository) -> None:
    before = two.load()
    two.crate("crates/extra")
    two.write({"crates/api/Cargo.toml": manifest("api", "serde", EXTRA)})
    plan = two.plan(
        Change("crates/extra/Cargo.toml", ChangeKind.CREATED),
        Change("crates/extra/src/lib.rs", ChangeKind.CREATED),
        "crates/api/Cargo.toml",
        previous=before,
    )
    assert plan == text("""
        [] -> #1 reload, crates/extra/Cargo.toml: is read again: it defines the packages
        [1] -> #2 build api, crates/api/Cargo.toml: says how api is built; \
crates/extra/Cargo.toml: says how api is built; crates/extra/src/lib.rs: compiles api
        [2] -> #3 recreate api, crates/api/Cargo.toml: says how api is built; \
crates/extra/Cargo.toml: says how api is built; crates/extra/src/lib.rs: compiles api
    """)


def test_a_deleted_package_concerns_who_was_compiled_from_it(two: Repository) -> None:
    two.crate("crates/extra")
    two.write({"crates/api/Cargo.toml": manifest("api", "serde", EXTRA)})
    before = two.load()
    two.remove("crates/extra/Cargo.toml", "crates/extra/src/lib.rs")
    two.write({"crates/api/Cargo.toml": manifest("api", "serde")})
    assert two.plan("crates/extra/Cargo.toml", "crates/extra/src/lib.rs", previous=before) == (
        text("""
        [] -> #1 reload, crates/extra/Cargo.toml: is read again: it defines the packages
        [1] -> #2 build api, crates/extra/Cargo.toml: says how api is built; \
crates/extra/src/lib.rs: compiles api
        [2] -> #3 recreate api, crates/extra/Cargo.toml: says how api is built; \
crates/extra/src/lib.rs: compiles api
    """)
    )


def test_a_changed_definition_recreates_its_service_alone(two: Repository) -> None:
    two.service("db", image="postgres")
    before = two.load()
    two.service("db", image="postgres", environment={"A": "1"})
    assert two.plan("docker-compose.yaml", previous=before) == text("""
        [] -> #1 reload, docker-compose.yaml: is read again: it defines the services
        [1] -> #2 recreate db, docker-compose.yaml: changes the definition of db
    """)


def test_a_changed_build_section_builds_a_new_service_starts_and_a_removed_one_is_told(
    two: Repository,
) -> None:
    two.service("old", image="old")
    before = two.load()
    two.without("old")
    two.service("web", build={"dockerfile": "web.Dockerfile", "args": {"A": "1"}})
    two.service("web-2", build="web.Dockerfile")
    assert two.plan("docker-compose.yaml", previous=before) == text("""
        [] -> #1 reload, docker-compose.yaml: is read again: it defines the services; \
no longer defines old
        [1] -> #2 build web web-2, docker-compose.yaml: changes the definition of web, web-2
        [2] -> #3 recreate web web-2, docker-compose.yaml: changes the definition of web, web-2
    """)


def test_a_one_shot_with_another_definition_runs_again(two: Repository) -> None:
    two.service("migrate", image="m:1", restart="no")
    two.service("db", image="pg", waits={"migrate": "done"})
    before = two.load()
    two.service("migrate", image="m:2", restart="no")
    assert two.plan("docker-compose.yaml", previous=before) == text("""
        [] -> #1 reload, docker-compose.yaml: is read again: it defines the services
        [1] -> #2 rerun migrate, docker-compose.yaml: changes the definition of migrate
        [2] -> #3 restart db, docker-compose.yaml: follows a new run of migrate
    """)


def test_a_compose_file_with_no_difference_is_only_read_again(two: Repository) -> None:
    before = two.load()
    assert two.plan("docker-compose.yaml", previous=before) == (
        "[] -> #1 reload, docker-compose.yaml: is read again: it defines the services"
    )


def test_a_new_service_without_a_build_is_started(two: Repository) -> None:
    before = two.load()
    two.service("cache", image="redis")
    assert two.plan("docker-compose.yaml", previous=before) == text("""
        [] -> #1 reload, docker-compose.yaml: is read again: it defines the services
        [1] -> #2 recreate cache, docker-compose.yaml: changes the definition of cache
    """)


@pytest.fixture
def together(two: Repository) -> Repository:
    """Both binaries reach serde, and one call of cargo compiles them."""
    two.write({"Cargo.lock": LOCK.replace('["tokio"]', '["serde", "tokio"]')})
    two.write({"crates/web/Cargo.toml": manifest("web", "tokio", 'serde.version = "1"\n')})
    made = "FROM rust AS b\nCOPY . .\nRUN cargo build --bin api --bin web\nFROM debian\n"
    for name in ("api", "web"):
        two.write({f"{name}.Dockerfile": f"{made}COPY --from=b target/debug/{name} /bin/\n"})
    return two


def test_a_feature_concerns_all_that_one_call_of_cargo_compiles_with_it(
    together: Repository,
) -> None:
    before = together.load()
    asked = 'serde = { version = "1", features = ["x"] }'
    text_now = manifest("api", "serde").replace("serde.workspace = true", asked)
    together.write({"crates/api/Cargo.toml": text_now})
    assert together.plan("crates/api/Cargo.toml", previous=before).splitlines()[0] == (
        "[] -> #1 build api web, crates/api/Cargo.toml: says how api, web is built"
    )


def test_a_patch_concerns_who_reaches_what_it_replaces(two: Repository) -> None:
    before = two.load()
    patch = '[patch.crates-io]\ntokio = { git = "https://example.com/tokio" }\n'
    two.write({"Cargo.toml": ROOT + patch})
    assert two.plan("Cargo.toml", previous=before).splitlines()[0] == (
        "[] -> #1 build web, Cargo.toml: says how web is built"
    )


def test_other_members_of_a_workspace_are_read_again(two: Repository) -> None:
    before = two.load()
    two.write({"Cargo.toml": ROOT.replace('["crates/*"]', '["crates/api", "crates/web"]')})
    assert two.plan("Cargo.toml", previous=before) == (
        "[] -> #1 reload, Cargo.toml: is read again: it defines the packages"
    )


def test_a_new_binary_concerns_nobody_who_was_built_before_it(repo: Repository) -> None:
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    repo.write({"Dockerfile": MULTI_STAGE.format(binary="api")})
    repo.service("api", build="Dockerfile")
    before = repo.load()
    repo.write({"crates/api/src/bin/ctl.rs": "fn main() {}\n"})
    made = Change("crates/api/src/bin/ctl.rs", ChangeKind.CREATED)
    assert repo.plan(made, previous=before) == (
        "ignored crates/api/src/bin/ctl.rs: no image and no pack takes binary ctl of package api"
    )
