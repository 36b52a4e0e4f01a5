"""Literal plans for the sample's shape: every row of the table of what a change leads to."""

from __future__ import annotations

from textwrap import dedent

import pytest

from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import ActionKind
from attune_dev.planning.planner import Request, make_plan, plan_request, plan_requests
from tests.unit.planning.builders import attune, changed

ACTIVE = frozenset(attune().compose.services) - {"worker-node"}


def text(expected: str) -> str:
    return dedent(expected).strip()


def plan(*paths: str) -> str:
    return make_plan(attune(), changed(*paths), services=ACTIVE).describe()


def test_pack_yaml_is_synced_and_its_readers_restart() -> None:
    assert plan("packs/core/actions/a.yaml") == text("""
        [] -> #1 sync-packs core, packs/core/actions/a.yaml: belongs to pack core
        [1] -> #2 restart api sensor worker-shell, packs/core/actions/a.yaml: changes pack core
    """)


def test_packs_dev_restarts_who_mounts_it() -> None:
    assert plan("packs.dev/x/actions/a.yaml") == text("""
        [] -> #1 restart api sensor worker-shell, packs.dev/x/actions/a.yaml: \
is mounted into api, sensor, worker-shell
    """)


def test_source_of_a_pack_binary_is_built_placed_synced_and_the_sensor_restarts() -> None:
    assert plan("crates/timer/src/main.rs") == text("""
        [] -> #1 build-pack-binaries timer-sensor, crates/timer/src/main.rs: compiles timer-sensor
        [1] -> #2 sync-packs core, crates/timer/src/main.rs: changes the binary timer-sensor
        [2] -> #3 restart sensor, crates/timer/src/main.rs: changes pack core
    """)


def test_source_of_one_service_updates_that_service_only() -> None:
    assert plan("crates/api/src/main.rs") == text("""
        [] -> #1 build api, crates/api/src/main.rs: compiles attune-api
        [1] -> #2 recreate api, crates/api/src/main.rs: compiles attune-api
    """)


def test_source_of_a_shared_package_is_one_build_in_order_of_need() -> None:
    assert plan("crates/common/src/lib.rs") == text("""
        [] -> #1 build-pack-binaries timer-sensor, crates/common/src/lib.rs: compiles timer-sensor
        [1] -> #2 sync-packs core, crates/common/src/lib.rs: changes the binary timer-sensor
        [] -> #3 build api notifier sensor worker-shell, crates/common/src/lib.rs: \
compiles attune-api, attune-notifier, attune-sensor, attune-worker
        [3] -> #4 recreate api notifier worker-shell, crates/common/src/lib.rs: \
compiles attune-api, attune-notifier, attune-worker
        [2,3,4] -> #5 recreate sensor, crates/common/src/lib.rs: compiles attune-sensor; \
changes pack core
    """)


@pytest.mark.parametrize(
    ("path", "built"),
    [
        ("Cargo.lock", "api notifier sensor worker-shell"),
        ("Cargo.toml", "api notifier sensor worker-shell"),
        ("crates/api/Cargo.toml", "api"),
        ("Dockerfile", "api notifier sensor"),
        ("Dockerfile.worker", "worker-shell"),
    ],
)
def test_manifests_and_dockerfiles_build_what_they_reach(path: str, built: str) -> None:
    made = make_plan(attune(), changed(path), services=ACTIVE)
    assert " ".join(made.of(ActionKind.BUILD)[0].targets) == built


def test_a_dockerfile_of_pack_binaries_builds_them() -> None:
    assert plan("Dockerfile.pack").splitlines()[0] == (
        "[] -> #1 build-pack-binaries timer-sensor, Dockerfile.pack: "
        "is the Dockerfile of pack binaries"
    )


def test_a_compose_file_is_read_again() -> None:
    assert plan("docker-compose.yaml", ".env") == text("""
        [] -> #1 reload, .env: is read again: it defines the services; \
docker-compose.yaml: is read again: it defines the services
    """)


def test_a_mounted_file_restarts_in_order_of_dependence() -> None:
    assert plan("config/a.yaml") == text("""
        [] -> #1 restart api notifier worker-shell, config/a.yaml: \
is mounted into api, notifier, worker-shell
        [1] -> #2 restart sensor, config/a.yaml: is mounted into sensor
    """)


def test_what_nothing_reads_is_told_with_its_rule() -> None:
    assert plan(
        "README.md",
        "crates/api/tests/t.rs",
        "crates/api/benches/b.rs",
        "crates/api/examples/e.rs",
        "crates/api/docs/d.txt",
        "crates/api/README.md",
        "crates/tool/src/main.rs",
        "target/debug/x",
        ".git/index",
        ".attune-dev/history",
        "packs/README",
    ) == text("""
        ignored .attune-dev/history: generated: tools write .attune-dev/
        ignored .git/index: generated: tools write .git/
        ignored README.md: nothing reads it
        ignored crates/api/README.md: a document that package api does not include
        ignored crates/api/benches/b.rs: benches are in no binary
        ignored crates/api/docs/d.txt: documents are in no binary
        ignored crates/api/examples/e.rs: examples are in no binary
        ignored crates/api/tests/t.rs: tests are in no binary
        ignored crates/tool/src/main.rs: no image and no pack takes a binary of package tool
        ignored packs/README: is in no pack
        ignored target/debug/x: generated: tools write target/
    """)


@pytest.mark.parametrize(
    "name",
    ["4913", "a.rs~", ".#a.rs", "#a.rs#", ".a.rs.swp", "a___jb_tmp___", "a___jb_old___",
     ".a.kate-swp", "a-go-tmp-umask", ".DS_Store", "a.vsctmp"],
)  # fmt: skip
def test_what_editors_leave_beside_a_source_is_ignored(name: str) -> None:
    made = make_plan(attune(), changed(f"crates/api/src/{name}"))
    assert not made
    assert made.ignored[0].reason.startswith("an editor's temporary file, by the rule ")


def test_a_restart_is_absorbed_by_a_recreate_and_its_cause_is_kept() -> None:
    made = make_plan(attune(), changed("config/a.yaml", "crates/api/src/main.rs"), services=ACTIVE)
    assert made.describe() == text("""
        [] -> #1 build api, crates/api/src/main.rs: compiles attune-api
        [1] -> #2 recreate api, config/a.yaml: is mounted into api; \
crates/api/src/main.rs: compiles attune-api
        [] -> #3 restart notifier worker-shell, config/a.yaml: \
is mounted into notifier, worker-shell
        [3] -> #4 restart sensor, config/a.yaml: is mounted into sensor
    """)
    recreate = made.of(ActionKind.RECREATE)[0]
    assert recreate.always == ("api",)
    assert recreate.restarts == ("api",)
    assert recreate.anew == ()


def test_who_reads_a_pack_only_follows_its_sync() -> None:
    made = make_plan(attune(), changed("packs/core/actions/a.yaml"), services=ACTIVE)
    assert [action.always for action in made.of(ActionKind.RESTART)] == [()]


def test_what_only_follows_a_build_is_not_needed_always() -> None:
    made = make_plan(attune(), changed("crates/common/src/lib.rs"), services=ACTIVE)
    assert [action.always for action in made.of(ActionKind.RECREATE)] == [(), ()]
    assert made.of(ActionKind.BUILD)[0].always == ("api", "notifier", "sensor", "worker-shell")


def test_both_ends_of_a_move_count() -> None:
    moved = Change("crates/notifier/src/x.rs", ChangeKind.MOVED, "crates/api/src/x.rs")
    made = make_plan(attune(), [moved])
    assert made.of(ActionKind.BUILD)[0].targets == ("api", "notifier")
    assert made.actions[0].paths == {"crates/notifier/src/x.rs"}


def test_a_move_that_nobody_reads_is_ignored_once() -> None:
    made = make_plan(attune(), [Change("b.md", ChangeKind.MOVED, "a.md")])
    assert made.describe() == "ignored b.md: nothing reads it"


def test_names_that_are_no_utf8_are_planned_like_all_others() -> None:
    assert plan("packs/core/actions/\udcff.yaml").splitlines()[0].startswith("[] -> #1 sync-packs")


def test_no_change_plans_nothing() -> None:
    assert make_plan(attune(), []).to_dict() == {
        "version": 1,
        "changes": [],
        "actions": [],
        "ignored": [],
    }


def test_a_request_alone_does_that_and_nothing_else() -> None:
    made = plan_request(attune(), ActionKind.BUILD, ["api"])
    assert made.describe() == "[] -> #1 build api, asked for"


def test_a_request_can_be_followed_to_its_end() -> None:
    made = plan_request(attune(), ActionKind.SYNC_PACKS, ["net"], follow=True, services=ACTIVE)
    assert made.describe() == text("""
        [] -> #1 sync-packs net, asked for
        [1] -> #2 restart api sensor worker-shell, changes pack net
    """)
    assert made.of(ActionKind.RESTART)[0].always == ()


def test_requested_restarts_follow_depends_on() -> None:
    made = plan_request(attune(), ActionKind.RESTART, ["sensor", "notifier"])
    assert made.describe() == text("""
        [] -> #1 restart notifier, asked for
        [1] -> #2 restart sensor, asked for
    """)


def test_several_requests_are_one_plan() -> None:
    made = plan_requests(
        attune(),
        [
            Request(ActionKind.BUILD, ("api", "notifier")),
            Request(ActionKind.RESTART, ("api",), "it is told to"),
        ],
        follow=True,
    )
    assert made.describe() == text("""
        [] -> #1 build api notifier, asked for
        [1] -> #2 recreate api notifier, asked for, it is told to
    """)
