"""Taking repositories over: what their Dockerfiles and Compose files become, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.backup import Backup
from attune_dev.loading.migration import plan_migration, plan_pack_binaries
from attune_dev.loading.rendered import render_dockerfiles
from tests.unit.planning.repository import Repository

OLD = """\
ARG RUST_IMAGE=rust:1.90
FROM ${RUST_IMAGE} AS build
WORKDIR /src
RUN apt-get update && \\
    apt-get install -y protobuf-compiler
ENV SQLX_OFFLINE=true
COPY Cargo.toml Cargo.lock ./
COPY crates ./crates
ARG SERVICE
# the slow part
RUN --mount=type=cache,target=/src/target \\
    cargo build --release --bin acme-${SERVICE} && \\
    cp target/release/acme-${SERVICE} /tmp/acme-${SERVICE}

# What runs.
FROM debian AS runtime
ARG SERVICE
RUN useradd app
# packs are part of it
COPY packs /opt/packs
COPY --chown=app --from=build /tmp/acme-${SERVICE} /usr/local/bin/service
USER app
ENTRYPOINT ["/usr/local/bin/service"]
"""
WORKER = """\
FROM rust AS planner
COPY . .
RUN cargo chef prepare
FROM rust
WORKDIR /app
COPY . .
RUN cargo build --release -p worker && mv target/release/acme-worker /app/worker
FROM debian
COPY --from=1 /app/worker /usr/bin/worker
CMD ["/usr/bin/worker"]
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = Repository(tmp_path)
    repo.members("crates/*")
    repo.crate("crates/common")
    for name in ("api", "web", "worker", "timer"):
        more = f'[[bin]]\nname = "acme-{name}"\npath = "src/main.rs"\n'
        repo.crate(f"crates/{name}", "crates/common", more=more)
        (repo.root / f"crates/{name}/src/lib.rs").unlink()
        repo.write({f"crates/{name}/src/main.rs": "fn main() {}\n"})
    repo.write(
        {
            "Cargo.lock": "version = 4\n",
            "Dockerfile": OLD,
            "Dockerfile.worker": WORKER,
            "packs/core/pack.yaml": "ref: core\n",
            "packs/core/sensors/timer.yaml": "ref: core.timer\nentry_point: acme-timer\n",
        }
    )
    for name in ("api", "web"):
        repo.service(name, build={"args": {"SERVICE": name}})
    repo.service("worker", build="Dockerfile.worker")
    return repo


def migrate(repo: Repository) -> dict[str, str]:
    """The files that change, rendered."""
    backup = Backup.begin(repo.root)
    backup.write(plan_migration(repo.root, repo.load()).writes)
    backup.write(plan_pack_binaries(repo.root, repo.load()).writes)
    changes = render_dockerfiles(repo.root, repo.load())
    backup.write({change.path: change.after for change in changes if change.needed})
    return {c.path: c.after for c in changes}


def test_what_is_around_the_compile_stays(repo: Repository) -> None:
    text = migrate(repo)["Dockerfile"]
    head, _, rest = text.partition("# --- begin")
    assert head == (
        "ARG RUST_IMAGE=rust:1.90\n"
        "FROM ${RUST_IMAGE} AS toolchain\n"
        "RUN apt-get update && \\\n"
        "    apt-get install -y protobuf-compiler\n"
        "ENV SQLX_OFFLINE=true\n"
        "\n"
    )
    body, _, tail = rest.partition("# --- end: rendered by `inv dockerfiles`\n")
    assert "FROM toolchain AS builder\n" in body
    assert 'ARG BINARIES="acme-api acme-web acme-worker"\n' in body
    assert tail == (
        "\n"
        "# What runs.\n"
        "FROM debian AS runtime\n"
        "ARG SERVICE\n"
        "RUN useradd app\n"
        "# packs are part of it\n"
        "COPY --from=builder --chown=app /out/acme-${SERVICE} /usr/local/bin/service\n"
        "USER app\n"
        'ENTRYPOINT ["/usr/local/bin/service"]\n'
    )


def test_a_stage_without_a_name_and_a_program_with_another(repo: Repository) -> None:
    text = migrate(repo)["Dockerfile.worker"]
    assert "COPY --from=builder /out/acme-worker /usr/bin/worker\n" in text
    assert text.startswith("FROM rust AS planner\n")
    assert text.count("cargo build") == 1
    assert "FROM rust AS builder" in text


def test_images_ship_what_they_did(repo: Repository) -> None:
    before = {name: set(image.shipped) for name, image in repo.load().images.items()}
    migrate(repo)
    after = {name: set(image.shipped) for name, image in repo.load().images.items()}
    assert before["api"] == after["api"] == {"acme-api"}
    assert after["worker"] == {"acme-worker"}


def test_packs_come_from_a_volume(repo: Repository) -> None:
    made = plan_migration(repo.root, repo.load()).writes["docker-compose.override.yaml"]
    assert "packs_data:/opt/packs:ro" in made
    assert "./packs:/source:ro" in made
    assert "condition: service_completed_successfully" in made
    assert "worker" not in made


def test_pack_binaries_get_a_dockerfile(repo: Repository) -> None:
    repo.service("init-packs", "./packs:/source:ro", "packs_data:/opt/packs", image="debian")
    for name in ("api", "web"):
        mount, waits = "packs_data:/opt/packs:ro", {"init-packs": "done"}
        repo.service(name, mount, build={"args": {"SERVICE": name}}, waits=waits)
    text = migrate(repo)["docker/Dockerfile.pack-binaries"]
    assert 'ARG BINARIES="acme-timer"\n' in text
    assert text.count("ARG RUST_IMAGE=rust:1.90\n") == 1
    assert "FROM toolchain AS builder\n" in text
    assert "apt-get install -y protobuf-compiler" in text
    assert not (repo.root / "docker-compose.override.yaml").exists()


def test_it_can_be_run_again(repo: Repository) -> None:
    migrate(repo)
    plan = plan_migration(repo.root, repo.load())
    assert dict(plan.writes) == {}
    assert plan_pack_binaries(repo.root, repo.load()).writes == {}


def everything(root: Path) -> dict[str, bytes]:
    files = (p for p in root.rglob("*") if p.is_file() and ".attune-dev" not in p.parts)
    return {str(p.relative_to(root)): p.read_bytes() for p in files}


def test_all_of_it_can_be_undone(repo: Repository) -> None:
    repo.write({".dockerignore": "*\n!Cargo.toml\n!Cargo.lock\n!crates\n"})
    before = everything(repo.root)
    migrate(repo)
    assert (repo.root / "docker/freshen.sh").read_text().startswith("# Sourced in a build")
    assert (repo.root / ".dockerignore").read_text().endswith("!crates\n!docker/freshen.sh\n")
    backup = Backup.last(repo.root)
    assert backup is not None
    backup.undo()
    assert everything(repo.root) == before
    assert Backup.last(repo.root) is None


def test_undoing_nothing_is_nothing(repo: Repository) -> None:
    backup = Backup.begin(repo.root)
    assert backup.undo() == []
    assert Backup.last(repo.root) is None


def fault(repo: Repository) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        plan_migration(repo.root, repo.load())
    return caught.value


def test_an_override_file_of_the_users_own_is_not_touched(repo: Repository) -> None:
    repo.write({"docker-compose.override.yaml": "services: {}\n"})
    error = fault(repo)
    assert error.file == "docker-compose.override.yaml"
    assert "packs_data:/opt/packs:ro" in error.why


def test_what_cannot_be_told_is_for_a_person(repo: Repository) -> None:
    text = OLD.replace("/tmp/acme-${SERVICE} /usr", "/src/target/release /usr")
    repo.write({"Dockerfile": text})
    error = fault(repo)
    assert error.where == "Dockerfile:21"
    assert "which binary" in error.what


def test_a_folder_of_binaries_is_for_a_person(repo: Repository) -> None:
    repo.write({"Dockerfile": OLD.replace("/tmp/acme-${SERVICE} /usr", "/out/ /usr")})
    assert "which binary /out/ is" in fault(repo).what


def test_an_image_with_its_compiler_is_for_a_person(repo: Repository) -> None:
    text = "FROM rust AS all\nCOPY . .\nRUN cargo build --bin acme-worker\nFROM all\nCMD x\n"
    repo.write({"Dockerfile.worker": text})
    assert "starts from the stage that compiles" in fault(repo).what


def test_stages_that_are_counted_are_for_a_person(repo: Repository) -> None:
    text = WORKER.replace("COPY --from=1", "COPY --from=0 /x /x\nCOPY --from=1")
    repo.write({"Dockerfile.worker": text})
    assert fault(repo).hint == "give stage 0 a name, and copy from it by that"


def test_nothing_to_take_over(tmp_path: Path) -> None:
    repo = Repository(tmp_path)
    repo.service("db", image="postgres")
    assert "no Dockerfile" in fault(repo).what
