"""Dockerfiles of many shapes, and what building a service's image from them reads and ships."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.dockerfile import parse_dockerfile
from attune_dev.model.compose import BuildConfig
from attune_dev.model.dockerfile import ImageInputs
from attune_dev.planning.image_inputs import image_inputs, shipped_binaries

KNOWN = frozenset(("attune-api", "attune-executor", "attune-worker", "api", "executor", "timer"))


def resolve(
    text: str,
    *,
    target: str | None = None,
    context: str = "",
    contexts: dict[str, str] | None = None,
    scripts: Mapping[str, str] | None = None,
    predefined: dict[str, str] | None = None,
    args: Mapping[str, str] | None = None,
    **declared: str,
) -> ImageInputs:
    build = BuildConfig(
        context,
        "Dockerfile",
        target=target,
        args={**(args or {}), **declared},
        additional_contexts=contexts or {},
    )
    dockerfile = parse_dockerfile(dedent(text), "Dockerfile")
    return image_inputs(
        "svc", build, dockerfile, scripts=scripts or {}, predefined=predefined or {}
    )


def builder(run: str, ship: str = "COPY --from=b /build/target/release/api /bin/x") -> str:
    return f"FROM rust AS b\nWORKDIR /build\nCOPY . .\n{run}\nFROM debian\n{ship}\n"


def patterns(inputs: ImageInputs) -> list[str]:
    return [source.pattern for source in inputs.sources]


SELECTIONS = [
    ("RUN cargo build --bin api", ("api",), (), False),
    ("RUN cargo build --bin=api --bin=executor", ("api", "executor"), (), False),
    ("RUN cargo b -p attune-api -p attune-executor", (), ("attune-api", "attune-executor"), False),
    ("RUN cargo build --package=attune-api", (), ("attune-api",), False),
    ("RUN cargo build -pattune-api", (), ("attune-api",), False),
    ("RUN cargo +nightly build --release --bin api", ("api",), (), False),
    ("RUN cargo build", (), (), True),
    ("RUN cargo build --bins", (), (), True),
    ("RUN cargo build --workspace", (), (), True),
    ("RUN cargo build -p attune-api --all", (), ("attune-api",), True),
    ('RUN ["cargo", "build", "--bin", "api"]', ("api",), (), False),
    ("RUN set -eux; RUSTFLAGS=-g cargo build --bin api", ("api",), (), False),
    ("RUN env A=1 B=2 timeout -k 5 60 cargo build --bin api", ("api",), (), False),
    ("RUN apt-get update && cargo build --bin api || exit 1", ("api",), (), False),
    ("RUN sh -c 'cargo build --bin api'", ("api",), (), False),
    ('RUN /bin/bash -euo pipefail -c "cargo build --bin api"', ("api",), (), False),
    ("RUN <<EOF\nset -e\ncargo build --bin api\nEOF", ("api",), (), False),
    ("RUN <<EOF bash -e\ncargo build --bin api\nEOF", ("api",), (), False),
    ("RUN cargo auditable build --bin api", ("api",), (), False),
    ("RUN cargo build \\\n  # a comment\n  --bin api", ("api",), (), False),
    ("ARG BIN=api\nRUN cargo build --bin $BIN", ("api",), (), False),
    ("ENV BIN=api\nARG BIN=executor\nRUN cargo build --bin $BIN", ("api",), (), False),
    ("ARG S\nRUN cargo build --bin ${S:-api}", ("api",), (), False),
    ('RUN if [ -n "$S" ]; then cargo build; else cargo build --bin api; fi', ("api",), (), False),
    ("RUN cargo build --bin api$(uname -m)", ("api*",), (), False),
    ("RUN cargo build $(cat /selection)", (), (), True),
    ("RUN cargo xtask dist", (), (), True),
    ("RUN cargo leptos build", (), (), True),
    ("RUN make release", (), (), True),
]


@pytest.mark.parametrize(("run", "binaries", "packages", "workspace"), SELECTIONS)
def test_a_cargo_call_tells_what_it_compiles(
    run: str, binaries: tuple[str, ...], packages: tuple[str, ...], workspace: bool
) -> None:
    (build,) = resolve(builder(run)).cargo_builds
    assert (build.binaries, build.packages, build.workspace) == (binaries, packages, workspace)
    assert build.directory == "/build"


LOOPS = [
    'RUN cargo build $(for b in $BINS; do printf -- "--bin %s " "$b"; done)',
    "RUN cargo build `for b in ${BINS}; do echo --bin $b; done`",
    'RUN set --; for b in $BINS; do set -- "$@" --bin "$b"; done; cargo build "$@"',
    'RUN for b in $BINS; do set -- "$@" --bin "$b"; done && cargo build --locked "$@"',
    'RUN args=""; for b in ${BINS}; do args="${args} --bin ${b}"; done; cargo build ${args}',
    'RUN for b in $BINS; do args="$args --bin=$b"; done; cargo build $args',
    'RUN a=(); for b in $BINS; do a+=(--bin "$b"); done; cargo build "${a[@]}"',
    "RUN add() { set -- --bin $1 --bin $2; cargo build $@; }; add $BINS",
    'RUN <<EOF\nfor b in $BINS; do\n  args="$args --bin $b"\ndone\ncargo build $args\nEOF',
]


@pytest.mark.parametrize("run", LOOPS)
def test_a_loop_over_an_argument_gives_all_its_binaries_to_one_call(run: str) -> None:
    (build,) = resolve(builder(f"ARG BINS\n{run}"), BINS="api executor").cargo_builds
    assert build.binaries == ("api", "executor")
    assert not build.workspace


EACH = [
    'RUN for b in ${BINS}; do cargo build --bin "$b"; done',
    "RUN echo $BINS | xargs -n1 cargo build --bin",
    "RUN printf '%s\\n' $BINS | xargs -I{} cargo build --bin {}",
    'RUN one() { cargo build --bin "$1"; }; for b in $BINS; do one $b; done',
    "RUN for b in $(echo $BINS | tr ' ' '\\n'); do cargo build --bin $b; done",
]


@pytest.mark.parametrize("run", EACH)
def test_a_loop_around_cargo_gives_one_call_for_each_binary(run: str) -> None:
    builds = resolve(builder(f"ARG BINS\n{run}"), BINS="api executor").cargo_builds
    assert [build.binaries for build in builds] == [("api",), ("executor",)]


def test_calls_that_leave_nothing_to_ship_do_not_count() -> None:
    run = "RUN cargo fetch && cargo test && cargo clippy && cargo install cargo-chef && cargo new x"
    assert resolve(builder(run)).cargo_builds == ()


def test_cargo_chef_compiles_dependencies_alone() -> None:
    inputs = resolve(
        """\
        FROM rust AS chef
        WORKDIR /app
        FROM chef AS planner
        COPY . .
        RUN cargo chef prepare --recipe-path recipe.json
        FROM chef AS builder
        COPY --from=planner /app/recipe.json recipe.json
        RUN cargo chef cook --release --recipe-path recipe.json
        COPY . .
        RUN cargo build --release --bin api
        FROM debian
        COPY --from=builder /app/target/release/api /usr/local/bin
        """
    )
    (build,) = inputs.cargo_builds
    assert (build.binaries, build.profile) == (("api",), "release")
    assert inputs.stages == ("chef", "planner", "builder", "3")
    assert inputs.shipped == ("api",)


def test_cargo_install_of_a_path_compiles_that_package() -> None:
    (build,) = resolve(builder("RUN cargo install --path crates/api --root /out")).cargo_builds
    assert (build.manifest, build.profile, build.workspace) == (
        "crates/api/Cargo.toml",
        "release",
        False,
    )


@pytest.mark.parametrize(
    ("options", "profile"),
    [
        ("", "dev"),
        ("--release", "release"),
        ("-r", "release"),
        ("--profile small", "small"),
        ("--profile=$P", "small"),
    ],
)
def test_the_profile_is_told(options: str, profile: str) -> None:
    (build,) = resolve(builder(f"ARG P\nRUN cargo build {options}"), P="small").cargo_builds
    assert build.profile == profile


def test_a_manifest_path_and_a_changed_folder_are_told() -> None:
    run = "RUN cd backend && cargo build --manifest-path svc/Cargo.toml"
    (build,) = resolve(builder(run)).cargo_builds
    assert (build.directory, build.manifest) == ("/build/backend", "svc/Cargo.toml")


SHIPPED = [
    # (RUN, what the last stage takes, names)
    ("RUN cargo build --bin api", "COPY --from=b /build/target/release/api /bin/x", ("api",)),
    ("RUN cargo build", "COPY --from=b /build/target/release/${S} /bin/", ("api",)),
    ("RUN cargo build", "COPY --from=b build/target/release/attune-$S /bin/", ("attune-api",)),
    ("RUN cargo build && cp target/release/$S /out/svc", "COPY --from=b /out/svc /x", ("api",)),
    ("RUN cargo build && mv target/release/$S /svc", "COPY --from=b /svc /x", ("api",)),
    (
        "RUN cargo build && mkdir /out && cp target/release/$S /out",
        "COPY --from=b /out /",
        ("api",),
    ),
    ("RUN cargo build && cp target/release/$S /out/", "COPY --from=b /out/ /", ("api",)),
    ("RUN cargo build && cp target/release/$S /out/", "COPY --from=b /out/* /", ("api",)),
    ("RUN cargo build && install -D target/release/$S /o/a", "COPY --from=b /o/a /", ("api",)),
    ("RUN cargo build && install -Dm755 -t /o target/r/$S", "COPY --from=b /o/api /", ("api",)),
    ("RUN cargo build && cp target/r/$S /o/a && mv /o/a /o/b", "COPY --from=b /o/b /", ("api",)),
    ("RUN cargo build && cp target/r/$S /a\nRUN strip /a", "COPY --from=b /a /", ("api",)),
    ("RUN cargo build\nRUN cp target/r/$S /a", "COPY --from=0 /a /", ("api",)),
    ("RUN cargo build --bin api", "COPY --from=b /out /bin", ("*",)),
    ("RUN cargo build --bin api", "COPY --from=b /svc /bin", ("*", "svc")),
    ("RUN trunk build", "COPY --from=b /build/site /bin", ("*", "site")),
    ("RUN cargo build", "COPY --from=b /build/target/release /bin", ("*",)),
    ("RUN cargo build", "COPY --from=b /build/target/release/ /bin/", ("*",)),
    ("RUN cargo build", "COPY --from=b /build/target/release/attune-* /bin/", ("attune-*",)),
    (
        "RUN cargo build && for b in api timer; do cp target/r/$b /o/$b; done",
        "COPY --from=b /o/timer /o/$S /bin/",
        ("api", "timer"),
    ),
    (
        "RUN cargo build && find target/release -type f -exec cp {} /out \\;",
        "COPY --from=b /out/svc /bin/",
        ("*",),
    ),
    ("RUN cargo build", "COPY --from=b /build/config /etc/app", ()),
    ("RUN cargo build", "COPY --from=b /etc/ssl/certs /etc/ssl/certs", ()),
    ("RUN cargo build && cp target/r/$S .", "COPY --from=b /build/api /bin/x", ("api",)),
    ("RUN cargo build && cp target/r/$S ./svc", "COPY --from=b /build/svc /bin/x", ("api",)),
    ("RUN cargo build", "COPY --from=b /build /srv", ("*",)),
    ("RUN cargo build", "COPY --from=b / /srv", ("*",)),
    (
        "RUN cargo build\nRUN for b in api timer; do cp target/r/$b /o; done",
        "COPY --from=b /o /bin/",
        ("api", "timer"),
    ),
    (
        (
            "RUN --mount=target=/build,rw --mount=type=cache,target=/build/target "
            "cargo build && cp target/r/$S /o/svc"
        ),
        "COPY --from=b /o/svc /bin/",
        ("api",),
    ),
    (
        "RUN --mount=target=/build,rw cargo build && cp target/r/$S /o/svc",
        "COPY --from=b /o/svc /bin/",
        ("api",),
    ),
    (
        "RUN cargo build && cp target/r/$S /o/svc\nFROM scratch AS m\nCOPY --from=b /o /",
        "COPY --from=m /svc /bin/",
        ("api",),
    ),
    (
        "RUN cargo build",
        "RUN --mount=from=b,source=/build/target/release,target=/t cp /t/$S /bin/svc",
        ("api",),
    ),
    (
        "RUN cargo build && cp target/release/$S /svc\nFROM scratch AS m\nCOPY --from=b /svc /s/",
        "COPY --from=m /s/svc /bin/",
        ("api",),
    ),
]


@pytest.mark.parametrize(("run", "ship", "names"), SHIPPED)
def test_what_is_shipped_is_traced_back_to_the_name_it_was_compiled_under(
    run: str, ship: str, names: tuple[str, ...]
) -> None:
    text = builder(run.replace("RUN", "ARG S\nRUN", 1), f"ARG S\n{ship}")
    if "COPY . ." in text:
        text = text.replace("COPY . .", "COPY config /build/config\nCOPY . .")
    assert resolve(text, S="api").shipped == names


def test_a_base_stage_ships_too() -> None:
    inputs = resolve(
        """\
        FROM rust AS b
        RUN cargo build
        FROM debian AS common
        COPY --from=b /target/release/timer /bin/
        FROM common AS api
        COPY --from=b /target/release/api /bin/
        """
    )
    assert inputs.shipped == ("api", "timer")


PASSED_ON = [
    # What the builder copies, what the last stage takes from it, what that reads of the context.
    ("COPY . .", "/build/static", ["static"]),
    ("COPY . /build/", "/build/static/img /build/config.toml", ["static/img", "config.toml"]),
    ("COPY migrations /m", "/m", ["migrations"]),
    ("COPY migrations /m", "/m/a.sql", ["migrations/a.sql"]),
    ("COPY a.toml b.toml /c/", "/c/b.toml", ["a.toml/b.toml", "b.toml"]),
    ("COPY *.toml /c/", "/c/b.toml", ["b.toml"]),
    ("COPY . .", "/build/target/release/api", []),
    ("COPY . .\nRUN cp -r static /out", "/out", ["static"]),
    ("COPY certs /etc/ssl/certs", "/etc/ssl/certs", ["certs"]),
]


@pytest.mark.parametrize(("copies", "taken", "expected"), PASSED_ON)
def test_files_that_only_pass_through_the_builder_are_held_by_the_image(
    copies: str, taken: str, expected: list[str]
) -> None:
    inputs = resolve(
        f"FROM rust AS b\nWORKDIR /build\n{copies}\nRUN cargo build\n"
        f"FROM debian\nCOPY --from=b {taken} /to/\n"
    )
    held = [source for source in inputs.sources if source.final]
    assert sorted(source.pattern for source in held) == sorted(expected)
    last_line = 6 + copies.count("\n")
    assert {(source.destination, source.line) for source in held} <= {("/to", last_line)}


def test_what_the_last_stage_compiles_itself_is_in_the_image() -> None:
    inputs = resolve(
        "FROM rust AS b\nRUN cargo build\nFROM rust\n"
        "COPY --from=b /target/release/timer /bin/\nRUN cargo build --bin api\n"
    )
    assert inputs.shipped == ("api", "timer")


@pytest.mark.parametrize(
    ("run", "ship", "binaries"),
    [
        ("RUN cargo build --bin api --bin timer", "/t/api", {"api"}),
        ("RUN cargo build --bin api --bin timer", "/unknown", {"api", "timer"}),
        ("RUN cargo build", "/t/attune-*", {"attune-api", "attune-executor", "attune-worker"}),
        ("RUN cargo build", "/t/other", set(KNOWN)),
    ],
)
def test_binaries_that_cannot_be_told_apart_are_all_shipped(
    run: str, ship: str, binaries: set[str]
) -> None:
    inputs = resolve(builder(run, f"COPY --from=b {ship} /bin/"))
    assert shipped_binaries(inputs, KNOWN) == binaries


def test_an_image_without_cargo_ships_no_binary() -> None:
    assert shipped_binaries(resolve("FROM node\nCOPY web/ .\n"), KNOWN) == frozenset()


def test_only_stages_in_use_count() -> None:
    inputs = resolve(
        """\
        FROM rust AS unused
        COPY secret .
        RUN --mount=type=cache,target=/unused cargo build --bin unused
        FROM rust AS b
        COPY crates crates
        RUN --mount=type=cache,id=t,target=/t cargo build --bin api
        FROM debian AS runtime
        COPY --from=b /t/api /bin
        FROM debian AS other
        COPY other .
        """,
        target="runtime",
    )
    assert inputs.stages == ("b", "runtime")
    assert patterns(inputs) == ["crates"]
    assert inputs.cache_ids == ("t",)
    assert inputs.base_images == ("debian", "rust")
    assert [build.binaries for build in inputs.cargo_builds] == [("api",)]


@pytest.mark.parametrize(("target", "image"), [("B", "two"), ("0", "one"), (None, "three")])
def test_a_target_is_a_name_in_any_case_or_a_number(target: str | None, image: str) -> None:
    inputs = resolve("FROM one AS a\nFROM two AS b\nFROM three\n", target=target)
    assert inputs.base_images == (image,)


def test_an_unknown_target_is_told_with_the_stages_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve("FROM one AS a\nFROM two AS b\n", target="c")
    assert caught.value.lines() == [
        "error: no stage `c`, the build target of svc, in Dockerfile (Dockerfile)",
        "  fix: stages: a, b",
    ]


def test_an_argument_chooses_the_base_stage() -> None:
    text = """\
    ARG PACKAGE=api
    FROM debian AS runtime_api
    COPY a .
    FROM debian AS runtime_worker
    COPY w .
    FROM runtime_${PACKAGE}
    """
    assert patterns(resolve(text)) == ["a"]
    assert patterns(resolve(text, PACKAGE="worker")) == ["w"]


ARGUMENTS = [
    ("ARG X=d\nFROM i\nCOPY $X .", {}, ""),  # a global argument is not seen in a stage
    ("ARG X=d\nFROM i\nARG X\nCOPY $X .", {}, "d"),
    ("ARG X=d\nFROM i\nARG X\nCOPY $X .", {"X": "g"}, "g"),
    ("ARG X=d\nFROM i\nARG X=own\nCOPY $X .", {}, "own"),
    ("ARG X=d\nFROM i\nARG X=own\nCOPY $X .", {"X": "g"}, "g"),
    ("FROM i\nCOPY $X .", {"X": "g"}, ""),  # given, but not declared
    ("FROM i\nARG X=a Y=${X}b\nCOPY $Y .", {}, "ab"),
    ("FROM i\nENV X=e\nARG X=a\nCOPY $X .", {"X": "g"}, "e"),
    ("FROM i\nARG X=a\nENV X=e$X\nCOPY $X .", {}, "ea"),
    ('FROM i\nARG X="a b"\nCOPY ["$X", "."]', {}, "a b"),
    ("FROM i\nARG X='$HOME'\nCOPY $X .", {}, "$HOME"),
    ("FROM i AS x\nENV E=1\nFROM x\nCOPY $E .", {}, "1"),
    ("FROM i AS x\nARG E=1\nFROM x\nCOPY ${E:-none} .", {}, "none"),
    ("FROM i\nCOPY ${X:-dflt} .", {}, "dflt"),
    ("FROM i\nARG X\nCOPY ${X:+set}${X:-unset} .", {"X": "g"}, "setg"),
    ("FROM i\nARG X=crates/api-v2\nCOPY ${X#crates/} .", {}, "api-v2"),
    ("FROM i\nARG X=a-b-c\nCOPY ${X%%-*}${X##*-}${X//-/} .", {}, "acabc"),
    ("FROM i\nCOPY \\$X .", {}, "$X"),
]


@pytest.mark.parametrize(("text", "args", "pattern"), ARGUMENTS)
def test_arguments_are_substituted_as_docker_does(
    text: str, args: dict[str, str], pattern: str
) -> None:
    assert patterns(resolve(text, args=args)) == [pattern]


def test_predefined_arguments_are_seen_in_from_and_once_declared_in_a_stage() -> None:
    inputs = resolve(
        "FROM base-$TARGETARCH\nCOPY $TARGETARCH a\nARG TARGETARCH\nCOPY $TARGETARCH b\n",
        predefined={"TARGETARCH": "arm64"},
    )
    assert inputs.base_images == ("base-arm64",)
    assert patterns(inputs) == ["", "arm64"]


def test_an_empty_base_image_is_an_error_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve("ARG IMAGE\nFROM $IMAGE\n")
    assert caught.value.where == "Dockerfile:2"


SOURCES = [
    ("COPY . .", [""]),
    ("COPY ./ /x", [""]),
    ("COPY /crates ./src/ .", ["crates", "src"]),
    ("COPY ../outside .", ["outside"]),
    ("COPY crates/*/Cargo.toml .", ["crates/*/Cargo.toml"]),
    ("COPY --chown=1:1 --link a b c/", ["a", "b"]),
    ('COPY ["a b", "c d", "to/"]', ["a b", "c d"]),
    ("ADD a.tar.gz https://example.org/x git@example.org:x.git /to/", ["a.tar.gz"]),
    ("COPY <<EOF /made\nCOPY not-read .\nEOF", []),
    ("COPY <<A b <<C /made/\n1\nA\n2\nC", ["b"]),
    ("RUN --mount=type=bind,source=s,target=/s --mount=src=t,dst=/t true", ["s", "t"]),
    ("RUN --mount=type=bind,target=/all true", [""]),
    (
        "RUN --mount=type=cache,target=/c --mount=type=secret,id=s --mount=type=tmpfs,target=/t x",
        [],
    ),
    ("COPY --from=nginx /etc/nginx .", []),
    ("ONBUILD COPY later .", []),
]


@pytest.mark.parametrize(("instruction", "expected"), SOURCES)
def test_sources_are_what_is_read_from_the_context(instruction: str, expected: list[str]) -> None:
    assert patterns(resolve(f"FROM i\n{instruction}\n")) == expected


def test_an_onbuild_runs_in_the_stage_built_from_it() -> None:
    assert patterns(resolve("FROM i AS a\nONBUILD COPY later .\nFROM a\nCOPY b .\n")) == [
        "later",
        "b",
    ]


def test_an_image_that_is_no_stage_is_a_base_image() -> None:
    inputs = resolve("FROM i\nCOPY --from=nginx:1 /a .\nRUN --mount=from=busybox,target=/b true\n")
    assert inputs.base_images == ("busybox", "i", "nginx:1")


def test_scratch_is_no_image() -> None:
    assert resolve("FROM scratch\nCOPY a .\n").base_images == ()


def test_named_contexts_are_read_from_their_own_folder() -> None:
    inputs = resolve(
        "FROM base\nCOPY --from=lib a .\nRUN --mount=from=lib,source=b,target=/b true\nCOPY c .\n",
        context="app",
        contexts={"lib": "libs/one", "base": "docker-image://debian:12"},
    )
    assert [(s.context, s.pattern) for s in inputs.sources] == [
        ("libs/one", "a"),
        ("libs/one", "b"),
        ("app", "c"),
    ]
    assert inputs.base_images == ("debian:12",)


def test_a_folder_may_stand_for_a_base_image() -> None:
    inputs = resolve("FROM base\n", contexts={"base": "rootfs"})
    assert [(s.context, s.pattern, s.how) for s in inputs.sources] == [("rootfs", "", "FROM")]


def test_sources_tell_where_they_go_and_whether_the_image_holds_them() -> None:
    inputs = resolve(
        """\
        FROM rust AS b
        WORKDIR /build
        COPY src lib/
        FROM debian
        COPY --exclude=*.md --exclude=docs config /etc/app
        COPY --from=b /x /y
        """
    )
    source, config = inputs.sources
    assert (source.destination, source.final, source.line) == ("/build/lib", False, 3)
    assert (config.destination, config.final) == ("/etc/app", True)
    assert config.exclude == ("*.md", "docs")


def test_a_script_of_the_context_is_followed() -> None:
    text = builder("COPY ci /ci\nRUN sh -e /ci/compile.sh api timer")
    first = resolve(text)
    assert first.scripts == ("ci/compile.sh",)
    assert [build.workspace for build in first.cargo_builds] == [True]
    script = 'for b in "$@"; do cargo build --bin "$b"; done'
    second = resolve(text, scripts={"ci/compile.sh": script})
    assert second.scripts == ()
    assert [build.binaries for build in second.cargo_builds] == [("api",), ("timer",)]


def test_a_bound_script_may_be_sourced() -> None:
    run = "RUN --mount=type=bind,source=ci/env.sh,target=/env.sh . /env.sh; cargo build --bin $BIN"
    inputs = resolve(builder(run), scripts={"ci/env.sh": "BIN=timer"})
    assert [build.binaries for build in inputs.cargo_builds] == [("timer",)]


def test_an_unknown_script_that_sees_no_manifest_compiles_nothing() -> None:
    assert resolve("FROM node\nCOPY build.sh .\nRUN ./build.sh\n").cargo_builds == ()


def test_a_script_whose_text_cannot_be_had_may_compile_anything() -> None:
    text = builder("COPY ci /ci\nRUN /ci/compile", "COPY --from=b /svc /bin/")
    inputs = resolve(text, scripts={"ci/compile": ""})
    assert [build.note for build in inputs.cargo_builds] == ["`/ci/compile` may compile anything"]
    assert inputs.shipped == ("*", "svc")


def test_make_without_a_manifest_in_sight_compiles_nothing_of_ours() -> None:
    assert resolve("FROM gcc\nCOPY lib lib\nRUN make -C lib\n").cargo_builds == ()


def test_text_that_is_too_much_to_follow_counts_as_compiling_everything() -> None:
    inputs = resolve(builder("RUN f() { f; }; f && cargo build --bin api"))
    assert any(build.workspace for build in inputs.cargo_builds)


def test_identical_inputs_come_out_identical() -> None:
    text = builder("ARG BINS\nRUN for b in $BINS; do cargo build --bin $b; done")
    assert resolve(text, BINS="api timer") == resolve(text, BINS="api timer")


def test_argument_values_stay_out_of_what_is_shown() -> None:
    inputs = resolve("FROM i\nARG TOKEN\nRUN fetch $TOKEN\n", TOKEN="geheim")
    assert inputs.args == {"TOKEN": "geheim"}
    assert "geheim" not in repr(inputs)
