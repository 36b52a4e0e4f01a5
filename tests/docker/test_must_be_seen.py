"""What the loop is for, on the real engine: each kind of edit, and its effect in what runs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from attune_dev.bench.sample.clone import clone
from attune_dev.bench.sample.loop import Dev, developing
from attune_dev.bench.sample.stack import Stack, eventually

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]

ROUNDS = 5


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A clone with a project of its own, removed afterwards."""
    root = clone(tmp_path_factory.mktemp("clone") / "attune")
    made = Stack(root, f"t-seen-{uuid.uuid4().hex[:8]}")
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def dev(stack: Stack) -> Iterator[Dev]:
    """``inv dev`` in that clone, past its first idle: from nothing to a running stack."""
    with developing(stack) as running:
        yield running


def plan_of(events: list[dict[str, Any]]) -> list[tuple[str, tuple[str, ...]]]:
    """The actions that ended well, in order."""
    return [(e["action"], tuple(e["targets"])) for e in events if e["event"] == "end" and e["ok"]]


def settled(dev: Dev) -> list[dict[str, Any]]:
    """The events up to the next idle, which must be a good one."""
    events = dev.wait_idle(600)
    assert events[-1]["ok"], f"{events[-1]}\n{dev.text()[-4000:]}"
    return events


def run_action(stack: Stack, ref: str, **parameters: Any) -> Any:
    """Runs an action through the api."""
    return stack.post("api", f"/actions/{ref}/run", {"parameters": parameters})


def volume_ls(stack: Stack, folder: str) -> list[str]:
    """Names in a folder of the packs volume, as a service sees them."""
    container = stack.container_ids()["api"]
    return stack.docker("exec", container, "ls", f"/opt/attune/packs/{folder}").split()


def test_a_new_stack_comes_up_with_every_service_answering(stack: Stack, dev: Dev) -> None:
    started = {"executor", "notifier", "sensor", "worker-shell", "worker-python"}
    told = stack.get("api", "/services")["services"]
    assert {name: told[name]["status"] for name in started} == dict.fromkeys(started, "ok")


def test_an_edited_action_yaml_is_visible_through_the_api(stack: Stack, dev: Dev) -> None:
    stack.edit("packs/core/actions/echo.yaml", r"label: .*", "label: Echo, edited")
    events = settled(dev)
    assert stack.get("api", "/actions/core.echo")["label"] == "Echo, edited"
    assert plan_of(events)[0] == ("sync-packs", ("core",))
    assert not [action for action, _ in plan_of(events) if action == "build"]


def test_an_edited_script_prints_the_new_text_at_its_next_run(stack: Stack, dev: Dev) -> None:
    script = stack.root / "packs/core/actions/echo.sh"
    script.write_text("#!/bin/sh\nprintf 'edited: %s\\n' \"$ATTUNE_PARAM_MESSAGE\"\n")
    # the workers say that they read scripts at each run: nobody has to restart
    assert plan_of(settled(dev)) == [("sync-packs", ("core",))]
    assert "edited: hi" in json.dumps(run_action(stack, "core.echo", message="hi"))


def test_a_new_action_in_packs_dev_runs(stack: Stack, dev: Dev) -> None:
    actions = stack.root / "packs.dev/examples/actions"
    script = actions / "fresh.sh"
    script.write_text("#!/bin/sh\necho a fresh action\n")
    script.chmod(0o755)
    (actions / "fresh.yaml").write_text(
        "ref: examples.fresh\nlabel: Fresh\nrunner_type: shell\n"
        "entry_point: fresh.sh\nenabled: true\n"
    )
    events = settled(dev)
    assert "a fresh action" in json.dumps(run_action(stack, "examples.fresh"))
    assert {action for action, _ in plan_of(events)} == {"restart"}


def test_a_constant_of_the_api_changes_the_api_alone(stack: Stack, dev: Dev) -> None:
    before, started = stack.container_ids(), stack.started_at()
    stack.set_marker("api", "api-2")
    settled(dev)
    assert stack.marker("api") == "api-2"
    after, restarted = stack.container_ids(), stack.started_at()
    others = before.keys() - {"api"}
    assert {s: before[s] for s in others} == {s: after[s] for s in others}
    assert {s: started[s] for s in others} == {s: restarted[s] for s in others}


def test_a_constant_of_common_reaches_all_dependants(stack: Stack, dev: Dev) -> None:
    stack.set_marker("common", "common-2")
    settled(dev)
    names = ["api", "executor", "notifier", "sensor", "worker-shell", "worker-python"]
    assert {name: stack.common_marker(name) for name in names} == dict.fromkeys(names, "common-2")
    assert "common-2" in newest_timer_event(stack)


def newest_timer_event(stack: Stack) -> str:
    """The last event that the sensor took from the timer, as text."""
    events = eventually(lambda: stack.get("sensor", "/events")["events"])
    return json.dumps(events[-1])


def test_a_changed_pack_binary_shows_in_the_sensors_events(stack: Stack, dev: Dev) -> None:
    api = stack.container_ids()["api"]
    stack.set_marker("core-timer-sensor", "core-timer-sensor-2")
    events = settled(dev)
    eventually(lambda: "core-timer-sensor-2" in newest_timer_event(stack), 30)
    done = [action for action, _ in plan_of(events)]
    assert done[:2] == ["build-pack-binaries", "sync-packs"]
    assert "build" not in done
    assert stack.container_ids()["api"] == api


def test_a_deleted_pack_file_is_gone_from_the_volume(stack: Stack, dev: Dev) -> None:
    assert "noop.yaml" in volume_ls(stack, "core/actions")
    (stack.root / "packs/core/actions/noop.yaml").unlink()
    (stack.root / "packs/core/actions/noop.sh").unlink()
    settled(dev)
    assert not {"noop.yaml", "noop.sh"} & set(volume_ls(stack, "core/actions"))


def test_a_compile_error_leaves_the_old_container_answering(stack: Stack, dev: Dev) -> None:
    before = stack.container_ids()
    main = stack.root / "crates/api/src/main.rs"
    good = main.read_text()
    main.write_text(good + '\nfn broken() -> u32 { "no number" }\n')
    failed = dev.wait_idle(600)
    assert (failed[-1]["ok"], failed[-1]["failed"]) == (False, ["api"])
    assert "crates/api/src/main.rs" in failed[-1]["pending"]
    assert stack.marker("api") == "api-2"
    assert stack.container_ids() == before
    [error] = [event for event in failed if event["event"] == "error"]
    assert error["file"] == "crates/api/src/main.rs"
    assert "mismatched types" in error["message"] + error.get("why", "")

    main.write_text(good)
    stack.set_marker("api", "api-3")
    settled(dev)
    assert stack.marker("api") == "api-3"


def test_a_revert_with_another_crate_edited_ships_the_reverted_code(stack: Stack, dev: Dev) -> None:
    """A, B, A again while a cached layer still has the first A with its old time."""
    stack.set_marker("common", "common-3")
    settled(dev)
    stack.set_marker("common", "common-2")
    stack.set_marker("executor", "executor-2")
    settled(dev)
    assert (stack.common_marker("api"), stack.common_marker("executor")) == ("common-2",) * 2
    assert stack.marker("executor") == "executor-2"


def test_a_save_without_a_change_does_nothing(stack: Stack, dev: Dev) -> None:
    started = stack.started_at()
    file = stack.root / "crates/common/src/lib.rs"
    file.write_bytes(file.read_bytes())
    (stack.root / "packs/core/actions/echo.yaml").touch()
    (stack.root / "crates/api/README.md").write_text("nothing reads this\n")
    events = settled(dev)
    assert plan_of(events) == []
    assert stack.started_at() == started


def test_it_ends_with_130_and_leaves_the_stack_running(stack: Stack, dev: Dev) -> None:
    assert dev.stop() == 130
    assert stack.marker("api") == "api-3"


def image_has(stack: Stack, service: str, text: str) -> bool:
    """Whether the binary in a service's image holds a text."""
    name = f"{stack.project}-{service}"
    return (
        stack.docker(
            "run", "--rm", "--network", "none", "--entrypoint", "sh", name,
            "-c", f"grep -c '{text}' /usr/local/bin/attune-service || true",
        ).strip()
        != "0"
    )  # fmt: skip


def test_four_services_build_at_once_from_an_empty_cache_and_after_each_edit_of_common(
    tmp_path: Any,
) -> None:
    stack = Stack(clone(tmp_path / "attune"), f"t-four-{uuid.uuid4().hex[:8]}")
    services = ("api", "executor", "notifier", "worker-shell")
    try:
        stack.inv("build", *services)
        assert all(image_has(stack, service, "common-1") for service in services)
        for number in range(ROUNDS):
            marker = stack.set_marker("common", f"common-round{number}")
            stack.inv("build", *services)
            assert all(image_has(stack, service, marker) for service in services)
    finally:
        stack.remove()


def test_two_clones_that_share_caches_each_ship_their_own_code(tmp_path: Any) -> None:
    """The plain way, without the argument that separates checkouts: content has to do it."""
    one = Stack(clone(tmp_path / "one"), f"t-one-{uuid.uuid4().hex[:8]}")
    two = Stack(clone(tmp_path / "two"), f"t-two-{uuid.uuid4().hex[:8]}")
    try:
        for stack in (one, two):
            stack.inv("setup")
        two.set_marker("common", "common-two")
        for stack, marker in ((one, "common-1"), (two, "common-two"), (one, "common-1")):
            stack.set_marker("api", f"api-{uuid.uuid4().hex[:6]}")
            stack.docker("compose", "build", "api")
            assert image_has(stack, "api", marker)
    finally:
        one.remove()
        two.remove()
