"""What of a Dockerfile compiles, and where the programs go: shapes that repositories have."""

from __future__ import annotations

from textwrap import dedent

import pytest

from attune_dev.loading.dockerfile import parse_dockerfile
from attune_dev.model.compose import BuildConfig
from attune_dev.model.swap import Feed, NotSwappable, Placement, Swappable
from attune_dev.planning.compile_stage import swappable
from attune_dev.planning.image_stages import Stages


def derive(text: str, *binaries: str, **args: str) -> Swappable | NotSwappable:
    text = dedent(text).lstrip()
    build = BuildConfig("", "Dockerfile", args=args)
    stages = Stages(parse_dockerfile(text, "Dockerfile"), build, {}, {})
    last = len(stages.dockerfile.stages) - 1
    return swappable(stages, build, text, last, frozenset(binaries or ("web",)))


def good(text: str, *binaries: str, **args: str) -> Swappable:
    found = derive(text, *binaries, **args)
    assert isinstance(found, Swappable), found
    return found


def why(text: str) -> str:
    found = derive(text)
    assert isinstance(found, NotSwappable), found
    return found.reason


PLAIN = """
    # syntax=docker/dockerfile:1
    ARG RUST=rust:1
    FROM $RUST AS build
    # what the compile needs
    RUN apt-get install -y protobuf-compiler
    WORKDIR /app
    ENV SQLX_OFFLINE=true
    COPY . .
    RUN RUSTFLAGS="-C target-cpu=native" cargo build --release --features tls
    FROM debian
    COPY --from=build /app/target/release/web /usr/local/bin/
    ENTRYPOINT ["web"]
"""


def test_the_tools_are_what_is_left_without_sources_and_compile() -> None:
    found = good(PLAIN, RUST="rust:2")
    assert found.stage.text == (
        "# syntax=docker/dockerfile:1\n"
        "ARG RUST=rust:1\n"
        "FROM $RUST AS build\n"
        "RUN apt-get install -y protobuf-compiler\n"
        "WORKDIR /app\n"
        "ENV SQLX_OFFLINE=true\n"
    )
    assert found.stage.target == "build"
    assert found.stage.args == {"RUST": "rust:2"}
    assert found.stage.directory == "/app"
    assert found.stage.feeds == (Feed("", "", "/app", inside=True),)
    assert found.stage.options == ("--features", "tls")
    assert found.stage.environment == ("RUSTFLAGS=-C target-cpu=native",)
    assert found.placements == (Placement("web", "/usr/local/bin/web"),)


def test_what_prepares_dependencies_from_sources_goes_with_them() -> None:
    found = good(
        """
        FROM rust AS chef
        RUN cargo install cargo-chef
        WORKDIR /app
        FROM chef AS planner
        COPY . .
        RUN cargo chef prepare --recipe-path recipe.json
        FROM chef AS builder
        COPY --from=planner /app/recipe.json recipe.json
        RUN cargo chef cook --release
        COPY . .
        RUN cargo build --release --bin web
        FROM debian
        COPY --from=builder /app/target/release/web /bin/web
        """
    )
    assert found.stage.text == "FROM rust AS chef\nWORKDIR /app\nFROM chef AS builder\n"


def test_mounts_and_a_renamed_program() -> None:
    found = good(
        """
        FROM rust AS builder
        WORKDIR /build
        RUN --mount=type=bind,source=crates,target=/build/crates \\
            --mount=type=cache,target=/build/target \\
            cargo build --release --bin web && cp target/release/web /out
        FROM debian
        COPY --from=builder /out /usr/bin/service
        """
    )
    assert found.stage.feeds == (Feed("", "crates", "/build/crates"),)
    assert found.placements == (Placement("web", "/usr/bin/service"),)


def test_services_whose_stages_differ_in_what_cargo_is_told_alone_share_a_builder() -> None:
    text = """
        FROM rust AS build
        ARG SERVICE
        WORKDIR /app
        COPY . .
        RUN cargo build --release -p $SERVICE --bin {0}
        FROM debian
        COPY --from=build /app/target/release/{0} /bin/{0}
    """
    one, two = (good(text.format(n), n, SERVICE=n).stage for n in ("web", "job"))
    assert one.key == two.key
    assert one.by_package


BASE = """
    FROM rust AS build
    WORKDIR /app
    {}
    RUN cargo build --release
    FROM debian
    COPY --from=build /app/target/release/web /bin/web
    {}
"""


@pytest.mark.parametrize(
    ("step", "end", "reason"),
    [
        ("COPY . .", "RUN setcap cap_net_bind_service=+ep /bin/web", "works on the program"),
        ("COPY --parents crates .", "", "--parents"),
        ("COPY sources.tar.gz .", "", ""),
        ("ADD sources.tar.gz .", "", "cannot be followed"),
        ("RUN --mount=type=secret,id=x cat x\n    COPY . .", "", "secrets"),
        ("COPY <<END src/main.rs\nfn main() {}\nEND", "", "holds files"),
    ],
)
def test_what_cannot_be_followed_is_told(step: str, end: str, reason: str) -> None:
    text = dedent(BASE).format(step, end)
    if reason:
        assert reason in why(text)
    else:
        assert isinstance(derive(text), Swappable)


def test_files_of_another_stage_among_the_sources() -> None:
    text = "FROM node AS page\nRUN make\n" + dedent(BASE).lstrip().format(
        "COPY . .\nCOPY --from=page /dist ./dist", ""
    )
    assert why(text) == "another stage makes files that its compile reads"


def test_an_image_that_is_the_stage_that_compiles() -> None:
    text = "FROM rust\nWORKDIR /app\nCOPY . .\nRUN cargo build\nCMD target/debug/web\n"
    assert why(text) == "its image is the stage that compiles"


SHARED = """
    ARG RUST=rust:1
    ARG DEBIAN=debian
    FROM $RUST AS build
    RUN apt-get install -y mold
    ARG BINARIES="{names}"
    ARG PROFILE=release
    COPY . /app
    WORKDIR /app
    RUN : $BINARIES; cargo build --profile $PROFILE --bin web
    FROM $DEBIAN
    COPY --from=build /app/target/release/web /bin/web
"""


def test_arguments_of_the_compile_alone_tell_no_builders_apart() -> None:
    one, two = (good(SHARED.format(names=names)).stage for names in ("web api", "timer"))
    assert one.key == two.key
    tools = "ARG RUST=rust:1\nFROM $RUST AS build\nRUN apt-get install -y mold\nWORKDIR /app\n"
    assert one.text == tools


def test_arguments_that_a_later_step_could_read_stay() -> None:
    text = SHARED.replace("    COPY . /app\n", "    RUN ./tools.sh\n    COPY . /app\n")
    one, two = (good(text.format(names=names)).stage for names in ("web api", "timer"))
    assert one.key != two.key
    assert 'ARG BINARIES="timer"' in two.text
    assert "DEBIAN" not in two.text


def test_arguments_that_a_stage_on_top_could_read_stay() -> None:
    found = good(
        """
        FROM rust AS tools
        ARG VERSION=1
        FROM tools AS build
        RUN ./install.sh
        COPY . /app
        WORKDIR /app
        RUN cargo build --release
        FROM debian
        COPY --from=build /app/target/release/web /bin/web
        """
    )
    assert "ARG VERSION=1" in found.stage.text


def test_arguments_on_several_lines_and_named_by_others_stay() -> None:
    found = good(
        """
        ARG REGISTRY=example.org
        ARG \\
            RUST=$REGISTRY/rust
        ARG UNUSED=1
        FROM $RUST AS build
        ARG RUST
        COPY . /app
        WORKDIR /app
        RUN cargo build --release
        FROM debian
        COPY --from=build /app/target/release/web /bin/web
        """
    )
    assert found.stage.text == (
        "ARG REGISTRY=example.org\nARG \\\n    RUST=$REGISTRY/rust\nFROM $RUST AS build\n"
        "WORKDIR /app\n"
    )


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        ("RUN sed -i s/A/B/ src/main.rs && cargo build --release", "`sed`"),
        ('ARG REV=1\n    RUN echo "$REV" > src/rev.txt && cargo build --release', "`> rev.txt`"),
        ("RUN ./generate.sh && cargo build --release", "`generate.sh`"),
        ("RUN . ./build.env && cargo build --release", "`build.env`"),
        ("RUN npm ci && npm run build && cargo build --release", "`npm`"),
        ("RUN apt-get install -y protoc && cargo build --release", "`apt-get`"),
        ("RUN rm -rf .cargo\n    RUN cargo build --release", "`rm`"),
        ("RUN cargo update\n    RUN cargo build --release", "`cargo update`"),
        ("RUN find . -name x.rs -delete\n    RUN cargo build --release", "`find`"),
    ],
)
def test_steps_that_change_what_is_compiled(steps: str, what: str) -> None:
    text = dedent(BASE).format("COPY . .", "").replace("RUN cargo build --release", dedent(steps))
    assert why(text) == f"{what} may change its sources before they are compiled"


@pytest.mark.parametrize(
    "steps",
    [
        "RUN rm -f target/release/deps/web* && touch src/main.rs && cargo build --release",
        "RUN mkdir -p /out 2>/dev/null; cargo test >/dev/null && cargo build --release",
        "RUN find . -name main.rs -exec touch {} +\n    RUN cargo build --release && strip x > y",
        "RUN cargo build --release\n    RUN strip target/release/web && rm -rf src",
    ],
)
def test_steps_that_change_nothing_that_is_compiled(steps: str) -> None:
    text = dedent(BASE).format("COPY . .", "").replace("RUN cargo build --release", dedent(steps))
    assert "strip" not in good(text).stage.text


def test_stand_ins_of_sources_are_written_over() -> None:
    found = good(
        """
        FROM rust AS build
        WORKDIR /app
        COPY Cargo.toml Cargo.lock ./
        RUN mkdir src && echo "fn main() {}" > src/main.rs && cargo build --release && rm -rf src
        COPY src src
        RUN touch src/main.rs && cargo build --release --features tls
        FROM debian
        COPY --from=build /app/target/release/web /bin/web
        """
    )
    assert found.stage.options == ("--features", "tls")


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        ("cargo build -p job -F x\n    RUN cargo build -p web -F y", "cargo is called in several"),
        ("make", "`make` may compile anything"),
        ("cargo rustc --release --bin web -- --cfg special", "what cargo is given"),
    ],
)
def test_calls_that_one_call_of_cargo_does_not_stand_for(calls: str, reason: str) -> None:
    text = dedent(BASE).format("COPY . .", "").replace("cargo build --release", dedent(calls))
    assert reason in why(text)


def test_another_toolchain_is_asked_for_by_its_name() -> None:
    text = dedent(BASE).format("COPY . .", "").replace("cargo build", "cargo +nightly build")
    assert good(text).stage.environment == ("RUSTUP_TOOLCHAIN=nightly",)


def test_an_argument_that_nothing_names_is_for_the_compile_itself() -> None:
    text = dedent(BASE).format("ARG REV\nARG OTHER\nARG WORD=1\nCOPY . .\nRUN echo $WORD", "")
    assert good(text, REV="7").stage.environment == ("REV=7",)


def test_tools_are_installed_by_whatever_they_are_called() -> None:
    text = """
        FROM debian AS build
        RUN apt-get update && apt-get install -y cargo
        RUN cargo install cargo-chef
        RUN cargo install protoc-gen-x
        WORKDIR /app
        COPY . .
        RUN cargo fetch
        RUN cargo build --release
        FROM debian
        COPY --from=build /app/target/release/web /bin/web
    """
    assert good(text).stage.text == (
        "FROM debian AS build\nRUN apt-get update && apt-get install -y cargo\n"
        "RUN cargo install protoc-gen-x\nWORKDIR /app\n"
    )
