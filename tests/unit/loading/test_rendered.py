"""The rendered part of Dockerfiles: from the workspace alone, and switched without loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.errors import ConfigError
from attune_dev.loading.rendered import render_dockerfiles, write_change
from attune_dev.planning.rendered import BEGIN, END, Strategy, take_apart
from tests.unit.planning.repository import Repository

EMPTY = f"{BEGIN.format(strategy='once')}\n{END}\n"
HEAD = "ARG RUST_IMAGE=rust\n\n"
SERVICES = """
FROM debian AS runtime
ARG SERVICE
COPY --from=builder /out/acme-${SERVICE} /usr/local/bin/service
ENTRYPOINT ["/usr/local/bin/service"]
"""
WORKER = """
FROM debian AS small
COPY --from=builder /out/acme-worker /usr/local/bin/service
FROM small AS large
RUN apt-get install python3
"""
PACKS = "\nFROM scratch AS export\nCOPY --from=builder /out/ /\n"
FILES = ("docker/Dockerfile", "docker/Dockerfile.packs", "docker/Dockerfile.worker")


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
            "docker/Dockerfile": HEAD + EMPTY + SERVICES,
            "docker/Dockerfile.worker": HEAD + EMPTY + WORKER,
            # what names a pack binary before the first rendering is the person who adds the file
            "docker/Dockerfile.packs": HEAD + EMPTY + PACKS,
            "packs/core/pack.yaml": "ref: core\n",
            "packs/core/sensors/timer.yaml": "ref: core.timer\nentry_point: acme-timer\n",
        }
    )
    for name in ("api", "web"):
        build = {"dockerfile": "docker/Dockerfile", "args": {"SERVICE": name}}
        repo.service(name, "packs_data:/opt/packs:ro", build=build, waits={"init-packs": "done"})
    for target in ("small", "large"):
        build = {"dockerfile": "docker/Dockerfile.worker", "target": target}
        repo.service(f"worker-{target}", build=build)
    repo.service("init-packs", "./packs:/source:ro", "packs_data:/opt/packs", image="debian")
    return repo


def texts(repo: Repository) -> dict[str, str]:
    return {path: (repo.root / path).read_text() for path in FILES}


def render(repo: Repository, strategy: str = "") -> dict[str, str]:
    chosen = Strategy(strategy) if strategy else None
    for change in render_dockerfiles(repo.root, repo.load(), chosen):
        write_change(repo.root, change)
    return texts(repo)


def test_once_compiles_all_services_together_and_pack_binaries_by_themselves(
    repo: Repository,
) -> None:
    done = render(repo)
    services = 'ARG BINARIES="acme-api acme-web acme-worker"\n'
    assert services in done["docker/Dockerfile"]
    assert services in done["docker/Dockerfile.worker"]
    assert 'ARG BINARIES="acme-timer"\n' in done["docker/Dockerfile.packs"]
    assert "source=crates,target=/build/crates,rw" in done["docker/Dockerfile"]


@pytest.mark.parametrize(
    ("strategy", "caches"),
    [
        ("shared", ["target-builder-api", "target-builder-web"]),
        ("locked", ["target-builder", "target-builder"]),
    ],
)
def test_each_service_is_compiled_out_of_its_own_crates(
    repo: Repository, strategy: str, caches: list[str]
) -> None:
    text = render(repo, strategy)["docker/Dockerfile"]
    api = text.partition("AS builder-api\n")[2].partition("\nFROM")[0]
    assert "COPY crates/api crates/api\n" in api
    assert "COPY crates/common crates/common\n" in api
    assert "COPY crates/web" not in api
    assert 'absent="crates/timer crates/web crates/worker"' in api
    found = [line for line in text.splitlines() if "target=/build/target" in line]
    assert [line.partition("id=")[2].partition(",")[0] for line in found] == caches
    assert all(f"sharing={strategy}" in line for line in text.splitlines() if "type=cache" in line)


def test_the_names_of_target_caches(repo: Repository) -> None:
    done = render(repo, "shared")
    assert "id=target-worker-builder," in done["docker/Dockerfile.worker"]
    assert "id=target-pack-binaries," in done["docker/Dockerfile.packs"]


def test_switching_forth_and_back_loses_nothing(repo: Repository) -> None:
    first = render(repo)
    for strategy in ("shared", "locked", "shared"):
        assert render(repo, strategy) != first
        # without a strategy each file keeps its own
        assert render(repo) == texts(repo)
    assert render(repo, "once") == first


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_new_crate_needs_no_hand(repo: Repository, strategy: str) -> None:
    before = render(repo, strategy)
    repo.crate("crates/mail", "crates/common", bins=("acme-mail",))
    build = {"dockerfile": "docker/Dockerfile", "args": {"SERVICE": "mail"}}
    repo.service("mail", build=build)
    after = render(repo)
    assert "acme-mail" in after["docker/Dockerfile"]
    assert any(change for path, change in after.items() if change != before[path])
    # and the planner follows what was rendered
    plan = repo.plan("crates/mail/src/bin/acme-mail.rs")
    assert "build mail, " in plan
    repo.without("mail")
    (repo.root / "crates/mail/Cargo.toml").unlink()
    (repo.root / "crates/mail/src/bin/acme-mail.rs").unlink()
    assert render(repo) == before


@pytest.mark.parametrize("strategy", list(Strategy))
def test_the_planner_reads_every_strategy(repo: Repository, strategy: str) -> None:
    render(repo, strategy)
    plan = repo.plan("crates/api/src/main.rs")
    assert "build api, " in plan
    plan = repo.plan("crates/worker/src/main.rs")
    assert "build worker-large worker-small, " in plan


def test_what_is_by_hand_stays(repo: Repository) -> None:
    body = "FROM toolchain AS builder\nRUN --mount=type=cache,id=mine-cargo-registry,target=/r\n"
    own = HEAD.replace("\n\n", "\nARG SERVICE=none\nFROM rust AS toolchain\n")
    repo.write({"docker/Dockerfile": own + EMPTY.replace(END, body + END) + SERVICES})
    for strategy in Strategy:
        text = render(repo, strategy)["docker/Dockerfile"]
        assert text.startswith(own)
        assert text.endswith(f"{END}\n{SERVICES}")
        assert "FROM toolchain AS " in text
        assert "id=mine-cargo-registry," in text
        assert text.count("ARG SERVICE=none") == 1


def test_a_file_that_a_source_names_elsewhere_comes_along(repo: Repository) -> None:
    source = 'include_str!("../../../assets/page.html");'
    repo.write({"assets/page.html": "", "crates/api/src/main.rs": source})
    assert "source=assets/page.html,target=/build/assets/page.html,rw" in render(repo)[FILES[0]]
    text = render(repo, "shared")[FILES[0]]
    assert text.count("COPY assets/page.html assets/page.html\n") == 1


def test_cargos_own_configuration_comes_along(repo: Repository) -> None:
    repo.write({".cargo/config.toml": "", "rust-toolchain.toml": "[toolchain]\n"})
    assert "source=.cargo/config.toml,target=/build/.cargo/config.toml,rw" in render(repo)[FILES[0]]
    text = render(repo, "locked")[FILES[0]]
    assert "COPY Cargo.toml Cargo.lock rust-toolchain.toml ./\n" in text
    assert "COPY .cargo/config.toml .cargo/config.toml\n" in text


def test_manifests_that_cargo_would_not_read_without_their_targets_get_them(
    repo: Repository,
) -> None:
    more = '[[bin]]\nname = "acme-web"\npath = "src/main.rs"\n[[bench]]\nname = "speed"\n'
    repo.crate("crates/web", "crates/common", more=more)
    repo.write({"crates/web/benches/speed.rs": "", "crates/web/tests/auto.rs": ""})
    text = render(repo, "shared")[FILES[0]]
    api = text.partition("AS builder-api\n")[2].partition("\nFROM")[0]
    stubs = api.partition("for stub in ")[2].partition(";")[0].split()
    assert {"crates/web/benches/speed.rs", "crates/web/src/main.rs"} <= set(stubs)
    assert "crates/web/tests/auto.rs" not in stubs


def fault(repo: Repository, strategy: str = "shared") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        render(repo, strategy)
    return caught.value


def test_services_of_one_file_that_cannot_be_told_apart(repo: Repository) -> None:
    text = SERVICES.replace("ARG SERVICE\n", "ARG NAME\n").replace("${SERVICE}", "${NAME}")
    repo.write({"docker/Dockerfile": HEAD + EMPTY + text})
    for name in ("api", "web"):
        build = {"dockerfile": "docker/Dockerfile", "args": {"NAME": name}}
        repo.service(name, "packs_data:/opt/packs:ro", build=build, waits={"init-packs": "done"})
    assert "SERVICE: api" in fault(repo).hint
    assert "acme-web" in render(repo, "once")["docker/Dockerfile"]


def test_a_service_that_ships_nothing_of_the_workspace(repo: Repository) -> None:
    build = {"dockerfile": "docker/Dockerfile", "args": {"SERVICE": "apo"}}
    repo.service("apo", build=build)
    error = fault(repo)
    assert error.file == "docker/Dockerfile"
    assert "acme-apo" in error.why


def test_crates_that_the_ignore_file_keeps_out(repo: Repository) -> None:
    repo.write({".dockerignore": "*\n!Cargo.toml\n"})
    error = fault(repo)
    assert (error.where, error.hint) == (".dockerignore:1", "add `!crates` below")


def test_a_name_that_needs_quotes_is_refused(repo: Repository) -> None:
    repo.crate("crates/a b", "crates/common")
    assert "crates/a b" in fault(repo).what


def test_no_file_with_a_rendered_part_leads_to_the_way_to_one(repo: Repository) -> None:
    for path in FILES:
        file = repo.root / path
        file.write_text(file.read_text().replace(EMPTY, "FROM rust AS builder\n"))
    error = fault(repo)
    assert error.hint == "inv migrate"


@pytest.mark.parametrize("line", [BEGIN.format(strategy="once"), END])
def test_half_of_a_rendered_part_is_told_and_not_guessed(line: str) -> None:
    with pytest.raises(ConfigError, match="first or last line"):
        take_apart("Dockerfile", EMPTY.replace(line, ""))
    with pytest.raises(ConfigError, match="no strategy"):
        take_apart("Dockerfile", EMPTY.replace("once", "twice"))


def test_a_difference_is_shown(repo: Repository) -> None:
    render(repo)
    file = repo.root / FILES[0]
    file.write_text(file.read_text().replace("acme-web", "acme-wob"))
    changes = render_dockerfiles(repo.root, repo.load())
    stale = [change for change in changes if change.needed]
    assert [change.path for change in stale] == [FILES[0]]
    assert '+ARG BINARIES="acme-api acme-web acme-worker"\n' in stale[0].diff()
