"""Literal plans for the ways in which services get at files: mounts, volumes, copies."""

from __future__ import annotations

from textwrap import dedent

from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.compose import Override
from tests.unit.planning.repository import MULTI_STAGE, Repository

FILLER = """\
FROM rust AS build
WORKDIR /src
COPY . .
RUN cargo build --release --workspace
FROM debian
COPY --from=build /src/target/release/api /src/target/release/web /out/
CMD cp /out/* /bins/
"""
PACK = {
    "packs/core/pack.yaml": "ref: core\n",
    "packs/core/actions/a.yaml": "",
    "packs/core/actions/a.sh": "",
    "packs/core/sensors/timer.yaml": "entry_point: core-timer\n",
    "packs/core/README.md": "",
    "packs/core/tests/a.py": "",
    "packs/net/pack.yaml": "ref: net\n",
}
BINARIES = """\
FROM rust AS build
WORKDIR /src
COPY . .
RUN cargo build --release --bin core-timer
FROM scratch
COPY --from=build /src/target/release/core-timer /
"""


def text(expected: str) -> str:
    return dedent(expected).strip()


def packs(repo: Repository) -> None:
    repo.write(PACK)
    repo.service("init-packs", "./packs:/in:ro", "packs_data:/out", image="debian", restart="no")
    for name in ("api", "sensor", "worker"):
        repo.service(name, "packs_data:/packs:ro", image="app", waits={"init-packs": "done"})
    repo.service("web", image="nginx")


def test_a_built_one_shot_fills_the_volume_that_others_run_from(repo: Repository) -> None:
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    repo.crate("crates/web", bins=("web",))
    repo.write({"Dockerfile": FILLER})
    repo.service("builder", "bins:/bins", build="Dockerfile", restart="no")
    repo.service("api", "bins:/bins:ro", image="debian", waits={"builder": "done"})
    repo.service("web", "bins:/bins:ro", image="debian")
    repo.service("db", image="postgres")
    assert repo.plan("crates/api/src/main.rs") == text("""
        [] -> #1 build builder, crates/api/src/main.rs: compiles api
        [1] -> #2 rerun builder, crates/api/src/main.rs: compiles api
        [2] -> #3 restart api web, crates/api/src/main.rs: follows a new run of builder
    """)


def test_services_without_rust_read_their_own_context(repo: Repository) -> None:
    repo.write(
        {
            "web/Dockerfile": "FROM node AS b\nCOPY . .\nRUN npm run build\n"
            "FROM nginx\nCOPY --from=b dist /srv\nCOPY nginx.conf /etc/\n",
            "web/src/a.ts": "",
            "web/nginx.conf": "",
            "web/npm.log": "",
            "web/.dockerignore": "node_modules\n*.log\n",
        }
    )
    repo.service("web", build={"context": "web"})
    repo.service("api", image="api")
    assert repo.plan("web/src/a.ts", "web/nginx.conf", "web/npm.log", "README.md") == text("""
        [] -> #1 build web, web/nginx.conf: is copied into the image of web; \
web/src/a.ts: is read by the build of web
        [1] -> #2 recreate web, web/nginx.conf: is copied into the image of web; \
web/src/a.ts: is read by the build of web
        ignored README.md: nothing reads it
        ignored web/npm.log: hidden from the context by rule *.log of web/.dockerignore
    """)


def test_what_is_baked_into_an_image_is_built_not_restarted(repo: Repository) -> None:
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    baked = MULTI_STAGE.format(binary="api") + "COPY packs /opt/packs\nCOPY config migr /etc/api/\n"
    repo.write(
        {"Dockerfile": baked, "config/a.yaml": "", "migr/1.sql": "", "packs/core/pack.yaml": ""}
    )
    repo.service("api", build="Dockerfile")
    assert repo.plan("config/a.yaml", "migr/1.sql", "packs/core/pack.yaml") == text("""
        [] -> #1 build api, config/a.yaml: is copied into the image of api; \
migr/1.sql: is copied into the image of api; packs/core/pack.yaml: is copied into the image of api
        [1] -> #2 recreate api, config/a.yaml: is copied into the image of api; \
migr/1.sql: is copied into the image of api; packs/core/pack.yaml: is copied into the image of api
    """)


def test_services_behind_a_profile_are_left_alone_where_they_are_not_selected(
    repo: Repository,
) -> None:
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    repo.write({"Dockerfile": MULTI_STAGE.format(binary="api"), "debug.conf": ""})
    repo.service("api", build="Dockerfile")
    repo.service("debug", "./debug.conf:/c:ro", build="Dockerfile", profiles=["debug"])
    active = frozenset({"api"})
    assert repo.plan("crates/api/src/main.rs", "debug.conf", services=active) == text("""
        [] -> #1 build api, crates/api/src/main.rs: compiles api
        [1] -> #2 recreate api, crates/api/src/main.rs: compiles api
        ignored debug.conf: only services that are not selected read it
    """)


def test_pack_content_reaches_the_volume_then_its_readers(repo: Repository) -> None:
    packs(repo)
    assert repo.plan("packs/core/actions/a.yaml", "packs/net/pack.yaml") == text("""
        [] -> #1 sync-packs core net, packs/core/actions/a.yaml: belongs to pack core; \
packs/net/pack.yaml: belongs to pack net
        [1] -> #2 restart api sensor worker, packs/core/actions/a.yaml: changes pack core; \
packs/net/pack.yaml: changes pack net
    """)


def test_a_sensor_of_a_pack_concerns_the_sensor_service_alone(repo: Repository) -> None:
    packs(repo)
    assert repo.plan("packs/core/sensors/timer.yaml") == text("""
        [] -> #1 sync-packs core, packs/core/sensors/timer.yaml: belongs to pack core
        [1] -> #2 restart sensor, packs/core/sensors/timer.yaml: changes pack core
    """)


def test_documents_of_a_pack_reach_the_volume_and_restart_nobody(repo: Repository) -> None:
    packs(repo)
    assert repo.plan("packs/core/README.md", "packs/core/tests/a.py") == text("""
        [] -> #1 sync-packs core, packs/core/README.md: belongs to pack core; \
packs/core/tests/a.py: belongs to pack core
    """)


def test_scripts_restart_workers_unless_they_say_that_they_read_them_at_each_run(
    repo: Repository,
) -> None:
    packs(repo)
    assert repo.plan("packs/core/actions/a.sh") == text("""
        [] -> #1 sync-packs core, packs/core/actions/a.sh: belongs to pack core
        [1] -> #2 restart worker, packs/core/actions/a.sh: changes pack core
    """)
    repo.service(
        "worker", "packs_data:/packs:ro", image="app", override=Override(scripts="nothing")
    )
    assert repo.plan("packs/core/actions/a.sh") == text("""
        [] -> #1 sync-packs core, packs/core/actions/a.sh: belongs to pack core
    """)


def test_a_service_says_for_itself_which_files_of_packs_concern_it(repo: Repository) -> None:
    packs(repo)
    said = (("content", "nothing"), ("documents", "restart"), ("sensor", "restart"))
    repo.service("api", "packs_data:/packs:ro", image="app", override=Override(packs=said))
    assert repo.plan("packs/core/README.md") == text("""
        [] -> #1 sync-packs core, packs/core/README.md: belongs to pack core
        [1] -> #2 restart api, packs/core/README.md: changes pack core
    """)
    assert "restart api sensor" in repo.plan("packs/core/sensors/s.yaml")
    assert "restart sensor worker" in repo.plan("packs/core/actions/a.yaml")


def test_a_pack_binary_is_built_placed_synced_and_its_sensor_restarted(repo: Repository) -> None:
    packs(repo)
    repo.members("crates/*")
    repo.crate("crates/common")
    repo.crate("crates/timer", "crates/common", bins=("core-timer",))
    repo.write({"docker/Dockerfile.packs": BINARIES})
    assert repo.plan("crates/common/src/lib.rs", "packs/net/pack.yaml") == text("""
        [] -> #1 build-pack-binaries core-timer, crates/common/src/lib.rs: compiles core-timer
        [1] -> #2 sync-packs core, crates/common/src/lib.rs: changes the binary core-timer
        [] -> #3 sync-packs net, packs/net/pack.yaml: belongs to pack net
        [3] -> #4 restart api worker, packs/net/pack.yaml: changes pack net
        [2,3] -> #5 restart sensor, crates/common/src/lib.rs: changes pack core; \
packs/net/pack.yaml: changes pack net
    """)


def test_a_package_of_pack_binaries_and_services_concerns_both(repo: Repository) -> None:
    packs(repo)
    repo.members("crates/*")
    repo.crate("crates/common")
    repo.crate("crates/timer", "crates/common", bins=("core-timer",))
    repo.crate("crates/web", "crates/common", bins=("web",))
    repo.write({"Dockerfile.packs": BINARIES, "Dockerfile": MULTI_STAGE.format(binary="web")})
    repo.service("web", build="Dockerfile")
    assert repo.plan("crates/common/src/lib.rs") == text("""
        [] -> #1 build-pack-binaries core-timer, crates/common/src/lib.rs: compiles core-timer
        [1] -> #2 sync-packs core, crates/common/src/lib.rs: changes the binary core-timer
        [] -> #3 build web, crates/common/src/lib.rs: compiles web
        [3] -> #4 recreate web, crates/common/src/lib.rs: compiles web
        [2] -> #5 restart sensor, crates/common/src/lib.rs: changes pack core
    """)


def test_a_renamed_pack_is_read_again_and_both_names_are_synced(repo: Repository) -> None:
    packs(repo)
    before = repo.load()
    repo.remove("packs/net/pack.yaml")
    repo.write({"packs/mesh/pack.yaml": "ref: mesh\n"})
    moved = Change("packs/mesh/pack.yaml", ChangeKind.MOVED, "packs/net/pack.yaml")
    assert repo.plan(moved, previous=before) == text("""
        [] -> #1 reload, packs/mesh/pack.yaml: is read again: it defines the packs
        [1] -> #2 sync-packs mesh net, packs/mesh/pack.yaml: belongs to pack mesh, net
        [2] -> #3 restart api sensor worker, packs/mesh/pack.yaml: changes pack mesh, net
    """)


def test_a_folder_of_packs_that_is_mounted_restarts_who_mounts_it(repo: Repository) -> None:
    repo.write(
        {"packs.dev/x/pack.yaml": "", "packs.dev/x/sensors/s.py": "", "packs.dev/x/a.md": ""}
    )
    for name in ("api", "sensor"):
        repo.service(name, "./packs.dev:/packs.dev", image="app")
    assert repo.plan("packs.dev/x/pack.yaml") == text("""
        [] -> #1 restart api sensor, packs.dev/x/pack.yaml: is mounted into api, sensor
    """)
    assert repo.plan("packs.dev/x/sensors/s.py", "packs.dev/x/a.md") == text("""
        [] -> #1 restart sensor, packs.dev/x/sensors/s.py: is mounted into sensor
        ignored packs.dev/x/a.md: documents and tests of a pack concern no service
    """)


def test_one_shots_run_again_in_order_and_only_who_waits_for_them_restarts(
    repo: Repository,
) -> None:
    repo.service("db", image="postgres")
    repo.service(
        "migrate", "./sql:/sql:ro", image="postgres", restart="no", waits={"db": "healthy"}
    )
    repo.service("seed", "./seed:/seed:ro", image="postgres", waits={"migrate": "done"})
    repo.service("api", image="api", waits={"migrate": "done", "seed": "done"})
    repo.service("web", image="web", waits={"api": "started"})
    assert repo.plan("sql/1.sql") == text("""
        [] -> #1 rerun migrate, sql/1.sql: is mounted into migrate
        [1] -> #2 rerun seed, sql/1.sql: follows a new run of migrate
        [1,2] -> #3 restart api, sql/1.sql: follows a new run of migrate, seed
    """)
    assert repo.plan("seed/1.sql") == text("""
        [] -> #1 rerun seed, seed/1.sql: is mounted into seed
        [1] -> #2 restart api, seed/1.sql: follows a new run of seed
    """)


def test_restarts_follow_depends_on_also_through_services_that_stay(repo: Repository) -> None:
    repo.service("api", "./config:/c:ro", image="api")
    repo.service("proxy", image="proxy", waits={"api": "started"})
    repo.service("web", "./config:/c:ro", image="web", waits={"proxy": "healthy"})
    assert repo.plan("config/a") == text("""
        [] -> #1 restart api, config/a: is mounted into api
        [1] -> #2 restart web, config/a: is mounted into web
    """)


def test_data_that_a_service_writes_itself_restarts_nobody(repo: Repository) -> None:
    repo.write({".gitignore": "/data/\n*.log\nconfig/local.yaml\n"})
    repo.service("db", "./data/db:/var/lib/db", image="postgres")
    repo.service("app", "./:/app", "./config:/config:ro", image="app")
    assert repo.plan("data/db/1", "x.log", ".git/index", "config/local.yaml", "a.py") == text("""
        [] -> #1 restart app, a.py: is mounted into app; config/local.yaml: is mounted into app
        ignored .git/index: generated: tools write .git/
        ignored data/db/1: hidden by rule /data/ of .gitignore
        ignored x.log: hidden by rule *.log of .gitignore
    """)


def test_what_cannot_be_derived_can_be_said(repo: Repository) -> None:
    repo.crate("", bins=("odd",))
    repo.write({"Dockerfile": "FROM registry/odd\n", "rules/a.txt": "", "rules/skip/b.txt": ""})
    said = Override(packages=("root",), reads=("rules/**",), ignore=("rules/skip",))
    repo.service("odd", build="Dockerfile", override=said)
    assert repo.plan("src/bin/odd.rs", "rules/a.txt", "rules/skip/b.txt") == text("""
        [] -> #1 build odd, rules/a.txt: is declared as read by odd; src/bin/odd.rs: compiles odd
        [1] -> #2 recreate odd, rules/a.txt: is declared as read by odd; src/bin/odd.rs: \
compiles odd
        ignored rules/skip/b.txt: x-attune-dev says that it never concerns who could read it
    """)


def test_a_one_shot_does_not_restart_what_it_waits_for(repo: Repository) -> None:
    repo.service("db", "data:/var/lib/db", image="postgres")
    repo.service(
        "seed", "./seed:/s:ro", "data:/data", image="seed", restart="no", waits={"db": "healthy"}
    )
    repo.service("api", "data:/d:ro", image="api")
    assert repo.plan("seed/1") == text("""
        [] -> #1 rerun seed, seed/1: is mounted into seed
        [1] -> #2 restart api, seed/1: follows a new run of seed
    """)


def test_two_one_shots_that_fill_one_volume_do_not_run_for_each_other(repo: Repository) -> None:
    for name in ("one", "two"):
        repo.service(name, f"./{name}:/in:ro", "data:/out", image="x", restart="no")
    repo.service("reader", "data:/d:ro", image="x")
    assert repo.plan("one/a") == text("""
        [] -> #1 rerun one, one/a: is mounted into one
        [1] -> #2 restart reader, one/a: follows a new run of one
    """)


def test_there_is_one_build_even_if_only_one_image_needs_the_pack_binaries(
    repo: Repository,
) -> None:
    packs(repo)
    repo.members("crates/*")
    repo.crate("crates/common")
    repo.crate("crates/timer", "crates/common", bins=("core-timer",))
    repo.crate("crates/web", "crates/common", bins=("web",))
    multi = MULTI_STAGE.format(binary="web")
    repo.write({"p.Dockerfile": BINARIES, "a.Dockerfile": multi})
    repo.write({"b.Dockerfile": f"{multi}COPY packs /packs\n"})
    repo.service("a", build="a.Dockerfile")
    repo.service("b", build="b.Dockerfile")
    assert repo.plan("crates/common/src/lib.rs").splitlines()[:3] == [
        "[] -> #1 build-pack-binaries core-timer, crates/common/src/lib.rs: compiles core-timer",
        "[1] -> #2 sync-packs core, crates/common/src/lib.rs: changes the binary core-timer",
        "[1] -> #3 build a b, crates/common/src/lib.rs: compiles web",
    ]


def test_a_name_that_two_workspaces_use_means_that_of_the_context(repo: Repository) -> None:
    for place in ("first", "second"):
        repo.members("crates/*", root=place)
        repo.crate(f"{place}/crates/api", bins=("api",))
        repo.write({f"{place}/Dockerfile": MULTI_STAGE.format(binary="api")})
        repo.service(place, build={"context": place})
    assert repo.plan("second/crates/api/src/main.rs").splitlines()[0] == (
        "[] -> #1 build second, second/crates/api/src/main.rs: compiles api"
    )


def test_a_one_shot_that_only_reads_a_volume_fills_nothing(repo: Repository) -> None:
    repo.service("report", "./r:/r:ro", "data:/data:ro", image="report", restart="no")
    repo.service("api", "data:/d:ro", image="api")
    assert repo.plan("r/a") == "[] -> #1 rerun report, r/a: is mounted into report"


def test_without_a_sensor_service_all_readers_restart_for_a_sensor(repo: Repository) -> None:
    packs(repo)
    repo.without("sensor")
    assert repo.plan("packs/core/sensors/timer.yaml") == text("""
        [] -> #1 sync-packs core, packs/core/sensors/timer.yaml: belongs to pack core
        [1] -> #2 restart api worker, packs/core/sensors/timer.yaml: changes pack core
    """)


def test_a_program_of_the_same_name_from_elsewhere_is_not_taken_for_a_binary(
    repo: Repository,
) -> None:
    repo.members("crates/*")
    repo.crate("crates/api", bins=("api",))
    made = "FROM debian AS b\nCOPY . .\nRUN make\nFROM debian\nCOPY --from=b /out/api /bin/\n"
    repo.write({"web/Dockerfile": made})
    repo.service("web", build={"context": "web"})
    assert repo.plan("crates/api/src/main.rs") == (
        "ignored crates/api/src/main.rs: no image and no pack takes a binary of package api"
    )


def test_of_two_binaries_of_one_name_the_one_that_is_copied_counts(repo: Repository) -> None:
    for place in ("first", "second"):
        repo.members("crates/*", root=place)
        repo.crate(f"{place}/crates/api", bins=("api",))
    made = MULTI_STAGE.format(binary="api").replace("COPY . .", "COPY second .")
    repo.write({"Dockerfile": made})
    repo.service("api", build="Dockerfile")
    assert repo.plan("first/crates/api/src/main.rs", "second/crates/api/src/main.rs") == text("""
        [] -> #1 build api, second/crates/api/src/main.rs: compiles api
        [1] -> #2 recreate api, second/crates/api/src/main.rs: compiles api
        ignored first/crates/api/src/main.rs: no image and no pack takes a binary of package api
    """)
