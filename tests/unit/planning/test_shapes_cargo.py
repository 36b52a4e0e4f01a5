"""Literal plans for the ways in which packages become images."""

from __future__ import annotations

from textwrap import dedent

from tests.unit.planning.repository import MULTI_STAGE, Repository

BY_ARGUMENT = """\
FROM rust AS build
ARG BIN
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY crates crates
RUN cargo build --release --bin ${BIN}
FROM debian
ARG BIN
COPY --from=build /src/target/release/${BIN} /usr/local/bin/app
"""


def text(expected: str) -> str:
    return dedent(expected).strip()


def own_dockerfiles(repo: Repository, *services: str) -> None:
    for name in services:
        repo.write({f"docker/{name}.Dockerfile": MULTI_STAGE.format(binary=name)})
        repo.service(name, build=f"docker/{name}.Dockerfile")


def api_and_web(repo: Repository) -> None:
    repo.members("crates/*")
    repo.crate("crates/common")
    repo.crate("crates/api", "crates/common", bins=("api",))
    repo.crate("crates/web", "crates/common", bins=("web",))


def test_one_package_per_service_concerns_its_service_alone(repo: Repository) -> None:
    api_and_web(repo)
    own_dockerfiles(repo, "api", "web")
    assert repo.plan("crates/api/src/main.rs") == text("""
        [] -> #1 build api, crates/api/src/main.rs: compiles api
        [1] -> #2 recreate api, crates/api/src/main.rs: compiles api
    """)


def test_a_shared_package_is_one_build_for_all_dependants(repo: Repository) -> None:
    api_and_web(repo)
    own_dockerfiles(repo, "api", "web")
    assert repo.plan("crates/common/src/lib.rs") == text("""
        [] -> #1 build api web, crates/common/src/lib.rs: compiles api, web
        [1] -> #2 recreate api web, crates/common/src/lib.rs: compiles api, web
    """)


def test_a_dockerfile_per_service_concerns_its_image_alone(repo: Repository) -> None:
    api_and_web(repo)
    own_dockerfiles(repo, "api", "web")
    assert repo.plan("docker/web.Dockerfile") == text("""
        [] -> #1 build web, docker/web.Dockerfile: is the Dockerfile of web
        [1] -> #2 recreate web, docker/web.Dockerfile: is the Dockerfile of web
    """)


def test_copy_all_does_not_make_every_file_an_input(repo: Repository) -> None:
    api_and_web(repo)
    repo.crate("crates/tool", bins=("tool",))
    own_dockerfiles(repo, "api", "web")
    repo.write(
        {
            "README.md": "",
            ".github/ci.yml": "",
            "crates/api/README.md": "",
            "crates/api/tests/t.rs": "",
            "crates/api/benches/b.rs": "",
            "crates/api/examples/e.rs": "",
        }
    )
    assert repo.plan(
        "README.md",
        ".github/ci.yml",
        "crates/api/README.md",
        "crates/api/tests/t.rs",
        "crates/api/benches/b.rs",
        "crates/api/examples/e.rs",
        "crates/tool/src/main.rs",
    ) == text("""
        ignored .github/ci.yml: nothing reads it: a build sees it, but compiles nothing of it
        ignored README.md: nothing reads it: a build sees it, but compiles nothing of it
        ignored crates/api/README.md: a document that package api does not include
        ignored crates/api/benches/b.rs: benches are in no binary
        ignored crates/api/examples/e.rs: examples are in no binary
        ignored crates/api/tests/t.rs: tests are in no binary
        ignored crates/tool/src/main.rs: no image and no pack takes a binary of package tool
    """)


def test_copy_all_keeps_what_a_compile_may_read(repo: Repository) -> None:
    api_and_web(repo)
    own_dockerfiles(repo, "api")
    repo.write({"proto/a.proto": "", ".sqlx/query.json": "", "crates/api/templates/a.html": ""})
    assert repo.plan("proto/a.proto", ".sqlx/query.json", "crates/api/templates/a.html") == text("""
        [] -> #1 build api, .sqlx/query.json: is read by the build of api; \
crates/api/templates/a.html: compiles api; proto/a.proto: is read by the build of api
        [1] -> #2 recreate api, .sqlx/query.json: is read by the build of api; \
crates/api/templates/a.html: compiles api; proto/a.proto: is read by the build of api
    """)


def test_one_binary_in_several_services_updates_all_of_them(repo: Repository) -> None:
    repo.members("crates/*")
    repo.crate("crates/executor", bins=("executor",))
    repo.write({"Dockerfile": MULTI_STAGE.format(binary="executor")})
    repo.service("executor", build="Dockerfile")
    repo.service("executor-2", build="Dockerfile")
    assert repo.plan("crates/executor/src/main.rs") == text("""
        [] -> #1 build executor executor-2, crates/executor/src/main.rs: compiles executor
        [1] -> #2 recreate executor executor-2, crates/executor/src/main.rs: compiles executor
    """)


def test_a_service_that_runs_the_image_of_another_is_recreated_with_it(repo: Repository) -> None:
    repo.members("crates/*")
    repo.crate("crates/executor", bins=("executor",))
    repo.write({"Dockerfile": MULTI_STAGE.format(binary="executor")})
    repo.service("executor", build="Dockerfile", image="shape/executor")
    repo.service("executor-2", image="shape/executor")
    assert repo.plan("crates/executor/src/main.rs") == text("""
        [] -> #1 build executor, crates/executor/src/main.rs: compiles executor
        [1] -> #2 recreate executor executor-2, crates/executor/src/main.rs: compiles executor
    """)


TWO_TARGETS = """\
FROM rust AS build
WORKDIR /src
COPY . .
RUN cargo build --release --bins
FROM debian AS one
COPY --from=build /src/target/release/one /bin/one
FROM debian AS two
COPY --from=build /src/target/release/two /bin/two
"""


def test_two_binaries_of_one_package_concern_their_own_services(repo: Repository) -> None:
    repo.crate("", bins=("one", "two"))
    repo.write({"Dockerfile": TWO_TARGETS, "src/shared.rs": ""})
    repo.service("one", build={"target": "one"})
    repo.service("two", build={"target": "two"})
    assert repo.plan("src/bin/one.rs") == text("""
        [] -> #1 build one, src/bin/one.rs: compiles one
        [1] -> #2 recreate one, src/bin/one.rs: compiles one
    """)
    assert repo.plan("src/shared.rs") == text("""
        [] -> #1 build one two, src/shared.rs: compiles one, two
        [1] -> #2 recreate one two, src/shared.rs: compiles one, two
    """)


def test_a_folder_of_a_binary_concerns_that_binary_alone(repo: Repository) -> None:
    repo.crate("", bins=("two",))
    repo.write(
        {
            "Dockerfile": TWO_TARGETS,
            "src/bin/one/main.rs": "fn main() {}",
            "src/bin/one/deep/part.rs": "",
        }
    )
    repo.service("one", build={"target": "one"})
    repo.service("two", build={"target": "two"})
    assert repo.plan("src/bin/one/deep/part.rs") == text("""
        [] -> #1 build one, src/bin/one/deep/part.rs: compiles one
        [1] -> #2 recreate one, src/bin/one/deep/part.rs: compiles one
    """)


def test_a_single_package_does_not_own_the_whole_repository(repo: Repository) -> None:
    repo.crate("", bins=("one", "two"))
    repo.write({"Dockerfile": TWO_TARGETS, "config/a.yaml": "", "docs/a.md": "", "tests/t.rs": ""})
    repo.service("one", "./config:/config:ro", build={"target": "one"})
    assert repo.plan("config/a.yaml", "docs/a.md", "tests/t.rs", "build.rs") == text("""
        [] -> #1 build one, build.rs: compiles one
        [1] -> #2 recreate one, build.rs: compiles one; config/a.yaml: is mounted into one
        ignored docs/a.md: nothing reads it: a build sees it, but compiles nothing of it
        ignored tests/t.rs: tests are in no binary
    """)


def test_one_dockerfile_with_an_argument_binds_each_service_to_its_binary(
    repo: Repository,
) -> None:
    api_and_web(repo)
    repo.write({"Dockerfile": BY_ARGUMENT})
    repo.service("api", build={"args": {"BIN": "api"}})
    repo.service("web", build={"args": {"BIN": "web"}})
    assert repo.plan("crates/web/src/main.rs") == text("""
        [] -> #1 build web, crates/web/src/main.rs: compiles web
        [1] -> #2 recreate web, crates/web/src/main.rs: compiles web
    """)
    assert repo.plan("Dockerfile") == text("""
        [] -> #1 build api web, Dockerfile: is the Dockerfile of api, web
        [1] -> #2 recreate api web, Dockerfile: is the Dockerfile of api, web
    """)
    assert repo.plan("rust-toolchain.toml") == text("""
        ignored rust-toolchain.toml: no build copies it
    """)


def test_a_context_below_the_root_reads_nothing_above_it(repo: Repository) -> None:
    repo.members("crates/*", root="backend")
    repo.crate("backend/crates/api", bins=("api",))
    repo.write({"backend/Dockerfile": MULTI_STAGE.format(binary="api"), "proto/a.proto": ""})
    repo.service("api", build={"context": "backend"})
    assert repo.plan("backend/crates/api/src/main.rs", "proto/a.proto") == text("""
        [] -> #1 build api, backend/crates/api/src/main.rs: compiles api
        [1] -> #2 recreate api, backend/crates/api/src/main.rs: compiles api
        ignored proto/a.proto: nothing reads it
    """)


def test_binaries_built_on_the_host_are_copied_and_their_sources_say_so(repo: Repository) -> None:
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    copied = "FROM debian\nCOPY target/release/api /usr/local/bin/api\n"
    repo.write({"Dockerfile": copied, ".gitignore": "/target/\n", "target/release/api": ""})
    repo.service("api", build="Dockerfile")
    assert repo.plan("target/release/api", "target/release/api.d", "crates/api/src/main.rs") == (
        text("""
        [] -> #1 build api, target/release/api: is copied into the image of api
        [1] -> #2 recreate api, target/release/api: is copied into the image of api
        ignored crates/api/src/main.rs: compiled on the host: the image of api takes \
target/release/api
        ignored target/release/api.d: generated: tools write target/
    """)
    )


def test_chains_diamonds_and_cycles_of_dev_dependencies_reach_who_compiles_them(
    repo: Repository,
) -> None:
    repo.members("crates/*")
    repo.crate("crates/a", dev=("crates/d",))
    repo.crate("crates/b", "crates/a")
    repo.crate("crates/c", "crates/a")
    repo.crate("crates/d", "crates/b", "crates/c")
    repo.crate("crates/api", "crates/d", bins=("api",))
    repo.crate("crates/web", "crates/c", bins=("web",), dev=("crates/fixtures",))
    repo.crate("crates/fixtures")
    own_dockerfiles(repo, "api", "web")
    assert repo.plan("crates/a/src/lib.rs").splitlines()[0] == (
        "[] -> #1 build api web, crates/a/src/lib.rs: compiles api, web"
    )
    assert repo.plan("crates/b/src/lib.rs").splitlines()[0] == (
        "[] -> #1 build api, crates/b/src/lib.rs: compiles api"
    )
    assert repo.plan("crates/fixtures/src/lib.rs") == (
        "ignored crates/fixtures/src/lib.rs: no image and no pack takes a binary of "
        "package fixtures"
    )


def test_files_that_sources_include_count_wherever_they_are(repo: Repository) -> None:
    api_and_web(repo)
    own_dockerfiles(repo, "api", "web")
    repo.write(
        {
            "crates/api/README.md": "",
            "docs/manual.md": "",
            "crates/api/src/main.rs": '#![doc = include_str!("../README.md")]\nfn main() {}\n'
            'const M: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), '
            '"/../../docs/manual.md"));\n',
        }
    )
    assert repo.plan("crates/api/README.md", "docs/manual.md") == text("""
        [] -> #1 build api, crates/api/README.md: is included by api; \
docs/manual.md: is included by api
        [1] -> #2 recreate api, crates/api/README.md: is included by api; \
docs/manual.md: is included by api
    """)


def test_a_package_outside_of_the_workspace_has_its_own_lock_file(repo: Repository) -> None:
    api_and_web(repo)
    repo.members("crates/*", exclude=("crates/alone",))
    repo.crate("crates/alone", "crates/common", bins=("alone",), more="[workspace]\n")
    own_dockerfiles(repo, "api")
    repo.write(
        {
            "alone.Dockerfile": "FROM rust AS b\nWORKDIR /s\nCOPY . .\n"
            "RUN cargo build --manifest-path crates/alone/Cargo.toml\n"
            "FROM debian\nCOPY --from=b /s/crates/alone/target/debug/alone /bin/\n"
        }
    )
    repo.service("alone", build="alone.Dockerfile")
    assert repo.plan("crates/alone/Cargo.lock").splitlines()[0] == (
        "[] -> #1 build alone, crates/alone/Cargo.lock: locks dependencies of alone"
    )
    assert repo.plan("Cargo.lock").splitlines()[0] == (
        "[] -> #1 build api, Cargo.lock: locks dependencies of api"
    )
    assert repo.plan("crates/common/src/lib.rs").splitlines()[0] == (
        "[] -> #1 build alone api, crates/common/src/lib.rs: compiles alone, api"
    )
    assert repo.plan("crates/alone/target/x") == (
        "ignored crates/alone/target/x: generated: tools write crates/alone/target/"
    )


def test_a_configuration_of_cargo_concerns_all_that_is_compiled_below_it(repo: Repository) -> None:
    api_and_web(repo)
    own_dockerfiles(repo, "api", "web")
    repo.write({".cargo/config.toml": ""})
    for path in (".cargo/config.toml", "rust-toolchain.toml"):
        assert repo.plan(path).splitlines()[0] == (
            f"[] -> #1 build api web, {path}: decides how api, web is compiled"
        )


def test_what_the_context_hides_is_not_compiled(repo: Repository) -> None:
    api_and_web(repo)
    own_dockerfiles(repo, "api")
    repo.write({".dockerignore": "crates/*/src/bin\n", "crates/api/src/bin/x.rs": ""})
    assert repo.plan("crates/api/src/bin/x.rs", "crates/common/src/bin/y.rs") == text("""
        ignored crates/api/src/bin/x.rs: hidden from the context by rule crates/*/src/bin of \
.dockerignore
        ignored crates/common/src/bin/y.rs: hidden from the context by rule crates/*/src/bin of \
.dockerignore
    """)


def test_an_image_that_is_built_from_another_is_built_with_it(repo: Repository) -> None:
    api_and_web(repo)
    own_dockerfiles(repo, "api")
    repo.write({"top.Dockerfile": "FROM base\nCOPY etc /etc\n"})
    repo.service(
        "top",
        build={"dockerfile": "top.Dockerfile", "additional_contexts": {"base": "service:api"}},
    )
    assert repo.plan("crates/api/src/main.rs") == text("""
        [] -> #1 build api top, crates/api/src/main.rs: compiles api; \
its image is built from that of api
        [1] -> #2 recreate api top, crates/api/src/main.rs: compiles api; \
its image is built from that of api
    """)


def test_a_build_of_the_whole_workspace_that_ships_a_folder_ships_all_binaries(
    repo: Repository,
) -> None:
    api_and_web(repo)
    repo.write(
        {
            "Dockerfile": "FROM rust AS b\nWORKDIR /s\nCOPY . .\n"
            "RUN cargo build --workspace && cp target/debug/* /out/bin/\n"
            "FROM debian\nCOPY --from=b /out/bin/ /usr/bin/\n"
        }
    )
    repo.service("all", build="Dockerfile")
    for path in ("crates/api/src/main.rs", "crates/web/src/main.rs"):
        assert repo.plan(path).startswith(f"[] -> #1 build all, {path}: compiles ")
