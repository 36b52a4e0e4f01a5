"""Plans, chains and the graph as text."""

from __future__ import annotations

import re
from textwrap import dedent

from attune_dev.model.change import Change, ChangeKind
from attune_dev.planning.mermaid import mermaid
from attune_dev.planning.planner import make_plan
from attune_dev.planning.render import render_plan, shown
from attune_dev.planning.why import why_path, why_service
from tests.unit.planning.builders import attune, changed

ACTIVE = frozenset(attune().compose.services) - {"worker-node"}


def text(expected: str) -> str:
    return dedent(expected).strip("\n")


def rendered(*paths: str, width: int = 100, colour: bool = False) -> str:
    made = make_plan(attune(), changed(*paths), services=ACTIVE)
    return render_plan(made, width, colour)


def test_a_plan_reads_as_actions_with_causes_then_what_is_ignored() -> None:
    assert rendered("crates/api/src/main.rs", "config/a.yaml", "README.md") == text("""
        3 changed files: 4 actions

          1  build  api
               crates/api/src/main.rs  compiles attune-api
          2  recreate  api  (after 1)
               config/a.yaml           is mounted into api
               crates/api/src/main.rs  compiles attune-api
          3  restart  notifier worker-shell
               config/a.yaml  is mounted into notifier, worker-shell
          4  restart  sensor  (after 3)
               config/a.yaml  is mounted into sensor

        ignored
          README.md  nothing reads it
    """)


def test_a_narrow_terminal_folds_and_never_cuts() -> None:
    lines = rendered("crates/common/src/lib.rs", width=50).splitlines()
    assert max(len(line) for line in lines) <= 50
    told = " ".join(" ".join(lines).split())
    for name in ("worker-shell", "crates/common/src/lib.rs", "attune-worker"):
        assert name in told


def test_one_change_is_named_in_the_headline() -> None:
    assert rendered("README.md").splitlines()[0] == (
        "1 changed file: nothing to do  modified README.md"
    )
    moved = make_plan(attune(), [Change("b.md", ChangeKind.MOVED, "a.md")])
    assert render_plan(moved).splitlines()[0].endswith("moved b.md from a.md")


def test_an_empty_plan_says_so() -> None:
    assert render_plan(make_plan(attune(), [])) == "nothing changed: nothing to do"


def test_many_causes_are_counted_and_many_ignored_are_grouped() -> None:
    sources = [f"crates/api/src/m{i}.rs" for i in range(9)]
    notes = [f"docs/{i}.md" for i in range(13)]
    lines = rendered(*sources, *notes, "target/x").splitlines()
    assert "       and 3 more" in lines
    assert "  13 files  nothing reads it" in lines
    assert "  1 file    generated: tools write target/" in lines


def test_colour_changes_nothing_but_colour() -> None:

    plain, coloured = (
        rendered("config/a.yaml", "x.md"),
        rendered("config/a.yaml", "x.md", colour=True),
    )
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_a_name_cannot_speak_to_the_terminal() -> None:
    assert shown("a\x1b[2Jb\n\udcff") == r"a\x1b[2Jb\n\udcff"
    assert "\x1b" not in rendered("config/\x1b[2J")


def test_why_of_a_path_is_every_chain_and_what_a_change_would_do() -> None:
    assert why_path(attune(), "crates/timer/src/main.rs") == text("""
        crates/timer/src/main.rs
          package timer → binary timer-sensor → pack core → volume packs_data → service sensor
        a change would
          build-pack-binaries timer-sensor
          sync-packs core
          restart sensor
    """)


def test_why_of_a_shared_package_names_the_packages_between() -> None:
    told = why_path(attune(), "crates/common/src/lib.rs").splitlines()
    chain = "package common → package api → binary attune-api → image of api → service api"
    assert f"  {chain}" in told


def test_why_of_mounts_packs_copies_and_dockerfiles() -> None:
    assert "  mounted → services api, sensor, worker-node, worker-shell" in why_path(
        attune(), "packs.dev/x/a"
    )
    assert (
        "  pack core → volume packs_data → services api, sensor, worker-node, worker-shell"
        in why_path(attune(), "packs/core/pack.yaml")
    )
    assert "  is the Dockerfile of → image of api → service api" in why_path(attune(), "Dockerfile")
    assert why_path(attune(), "README.md") == "README.md\n  nobody: nothing reads it"


def test_why_of_a_service_is_everything_it_is_made_of() -> None:
    assert why_service(attune(), "sensor") == text("""
        service sensor
          image from Dockerfile, context .
          binary attune-sensor
            crates/common  (sensor → common)
            crates/sensor  (sensor)
          compiles from Cargo.lock
          compiles from Cargo.toml
          compiles from crates
          mounts volume packs_data at /vol, read-only, filled from packs/
          mounts packs.dev at /mnt, writable
          mounts config at /mnt, read-only
          waits for init-packs: service_completed_successfully
          waits for notifier: service_healthy
          defined by docker-compose.yaml, .env
    """)


def test_why_of_a_one_shot_without_a_build() -> None:
    told = why_service(attune(), "init-packs").splitlines()
    assert told[0] == "one-shot service init-packs"
    assert "  mounts packs at /mnt, read-only" in told


def test_the_graph_is_a_flowchart_of_what_reaches_an_output() -> None:
    drawn = mermaid(attune())
    lines = drawn.splitlines()
    assert lines[0] == "flowchart LR"
    assert "attune-tool" not in drawn
    ids = {line.split('"')[1]: line.split("[")[0].split("(")[0].strip() for line in lines[1:8]}
    assert f"  {ids['crates/common']} --> {ids['crates/api']}" in lines
    assert drawn == mermaid(attune())


def test_settings_that_are_no_defaults_tell_where_they_came_from() -> None:
    made = make_plan(attune(), [])
    places = {"packs": "pyproject.toml", "profiles": "default", "api.packages": "x-attune-dev in a"}
    assert render_plan(made, provenance=places) == text("""
        nothing changed: nothing to do

        settings
          api.packages  x-attune-dev in a
          packs         pyproject.toml
    """)


def test_settings_of_one_place_are_one_row() -> None:
    made = make_plan(attune(), [])
    places = dict.fromkeys(("api.packages", "api.reads", "web.reads"), "x-attune-dev in a")
    assert render_plan(made, provenance=places) == text("""
        nothing changed: nothing to do

        settings
          api.packages and 2 more  x-attune-dev in a
    """)
