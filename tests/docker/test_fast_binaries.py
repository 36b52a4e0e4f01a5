"""Pack binaries by the fast path: compiled with the services' programs, known as development."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from attune_dev.bench.sample.loop import Dev, developing
from attune_dev.bench.sample.stack import eventually
from tests.docker.small import Small, new_mark, settle, small_repository

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

PLACE = "packs/core/sensors/timer"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """The small repository with packs, removed afterwards with all that was made of it."""
    with small_repository(tmp_path_factory.mktemp("small")) as made:
        made.add_packs()
        yield made


@pytest.fixture(scope="module")
def dev(small: Small) -> Iterator[Dev]:
    """``inv dev`` in it, past its first idle."""
    with developing(small, timeout=600) as running:
        yield running


def state(small: Small) -> dict[str, str]:
    """What ``inv pack-binaries --check`` says of the pack binary."""
    (told,) = json.loads(small.inv("pack-binaries", "--check", "--json", check=False).stdout)[
        "targets"
    ]
    return {key: told.get(key, "") for key in ("outcome", "profile")}


def compiled(events: list[dict[str, Any]]) -> list[str]:
    """The packages that cargo says it compiles, in order."""
    lines = [event["line"].strip() for event in events if event["event"] == "output"]
    return [line.split()[1] for line in lines if line.startswith("Compiling ")]


def test_a_start_places_what_the_dockerfile_compiles(small: Small, dev: Dev) -> None:
    assert small.sensor_says() == ["first", "first"]
    assert state(small) == {"outcome": "current", "profile": ""}


def test_a_change_in_the_shared_crate_is_compiled_once_for_all(small: Small, dev: Dev) -> None:
    mark = small.common(new_mark("common"))
    events = settle(dev)
    assert small.answer()[1] == mark
    assert small.sensor_says()[1] == mark
    assert sorted(compiled(events)) == ["common", "timer", "web"]
    actions = [event["action"] for event in events if event["event"] == "end"]
    assert {"build-pack-binaries", "sync-packs", "build", "recreate"} <= set(actions)
    assert state(small) == {"outcome": "development", "profile": "dev"}
    assert "compiled with profile dev" in small.inv("packs.status").stdout


def test_a_change_of_the_pack_binary_alone_touches_no_service(small: Small, dev: Dev) -> None:
    before = small.started_at()["web"]
    mark = small.timer(new_mark("timer"))
    assert compiled(settle(dev)) == ["timer"]
    assert small.sensor_says()[0] == mark
    assert small.started_at()["web"] == before


def test_a_compile_that_fails_leaves_the_old_one(small: Small, dev: Dev) -> None:
    before = (small.root / PLACE).read_bytes()
    said = small.sensor_says()
    small.write("timer/src/main.rs", "fn main() { nonsense }\n")
    failed = dev.wait_idle(300)
    assert not failed[-1]["ok"]
    [error] = [event for event in failed if event["event"] == "error"]
    assert error["file"] == "timer/src/main.rs"
    assert (small.root / PLACE).read_bytes() == before
    assert small.sensor_says() == said
    web = small.web(new_mark("web"))
    dev.wait_idle(300)
    assert small.answer()[0] == web
    mark = small.timer(new_mark("timer"))
    settle(dev)
    assert small.sensor_says()[0] == mark


def test_what_breaks_a_service_keeps_the_pack_binary_from_nothing(small: Small, dev: Dev) -> None:
    served = small.answer()[0]
    small.write("web/src/main.rs", "fn main() { nonsense }\n")
    mark = small.common(new_mark("common"))
    failed = dev.wait_idle(300)
    assert failed[-1]["failed"] == ["web"]
    assert small.sensor_says()[1] == mark
    assert small.answer()[0] == served
    web = small.web(new_mark("web"))
    settle(dev)
    assert small.answer()[:2] == [web, mark]


def test_on_leaving_it_is_named_and_up_brings_that_of_the_dockerfile(
    small: Small, dev: Dev
) -> None:
    marks = small.sensor_says()
    os.kill(dev.pid, signal.SIGINT)
    eventually(lambda: f"compiled for development: {PLACE}" in dev.text())
    dev.stop()
    assert state(small)["outcome"] == "development"
    small.inv("up")
    assert state(small) == {"outcome": "current", "profile": ""}
    assert small.sensor_says() == marks
