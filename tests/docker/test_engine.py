"""What only an engine can show of the Docker port: speed of notice, cancelling, plain Compose."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from attune_dev.bench.sample.stack import eventually
from attune_dev.docker.cancel import Cancel
from attune_dev.docker.containers import Health, HealthCheck
from attune_dev.docker.port import BuildRequest, DockerPort
from attune_dev.docker.progress import BuildEvent, LogLine, Step
from attune_dev.docker.questions import socket_path
from attune_dev.docker.whales import WhalesDocker
from attune_dev.errors import ActionError, EnvironmentLacksError, Interrupted
from attune_dev.model.plan import Action, ActionKind, Plan
from attune_dev.running.doing import Tools
from attune_dev.running.executor import execute
from attune_dev.running.outcome import Outcome
from attune_dev.testing import BROKEN
from tests.contract.rigs import SERVICES, EngineRig, base_image, engine_rig, project

pytestmark = pytest.mark.docker


@pytest.fixture
def base() -> str:
    found = base_image()
    if found is None:
        pytest.skip("the engine has no Debian image")
    return found


@pytest.fixture
def rig(tmp_path: Path, base: str) -> Iterator[EngineRig]:
    with engine_rig(tmp_path, base) as made:
        yield made


def lines(events: list[BuildEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, LogLine)]


def runs(port: DockerPort) -> dict[str, tuple[str, float]]:
    return {c.service: (c.id, c.started) for c in port.containers()}


def test_plain_compose_neither_builds_nor_recreates_after_us(rig: EngineRig) -> None:
    rig.port.build(BuildRequest(SERVICES))
    rig.port.up(SERVICES)
    images, before = rig.port.images(SERVICES), runs(rig.port)
    said = rig.compose("up", "--detach")
    assert "Recreate" not in said
    assert rig.port.images(SERVICES) == images
    after = runs(rig.port)
    assert {name: run[0] for name, run in after.items()} == {
        name: run[0] for name, run in before.items()
    }
    assert (after["api"], after["web"]) == (before["api"], before["web"])


def test_the_engines_socket_and_the_client_tell_the_same(rig: EngineRig, tmp_path: Path) -> None:
    if not (path := socket_path(os.environ)):
        pytest.skip("the engine is not at a socket")
    rig.port.build(BuildRequest(SERVICES))
    rig.port.up(SERVICES)
    config = tmp_path / "config"
    environ = os.environ | {"DOCKER_CONFIG": str(config)}
    environ.pop("DOCKER_HOST", None)
    plugins = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker")) / "cli-plugins"
    (config / "contexts").mkdir(parents=True)
    (config / "cli-plugins").symlink_to(plugins)
    for words in (("create", "named", "--docker", f"host=unix://{path}"), ("use", "named")):
        subprocess.run(["docker", "context", *words], env=environ, check=True, capture_output=True)
    client = WhalesDocker(rig.root, rig.port.project, environ)
    assert socket_path(environ) == ""
    # what this port has seen healthy itself the engine has to find so, too
    eventually(lambda: client.containers() == rig.port.containers(), 30)
    assert client.images(SERVICES) == rig.port.images(SERVICES)
    assert client.current(SERVICES) == rig.port.current(SERVICES) == frozenset(SERVICES)
    api = next(c for c in rig.port.containers() if c.service == "api")
    for command, ok in (("echo a; echo b >&2", True), ("echo a >&2; exit 3", False), ("no", False)):
        asked = replace(api, health_check=HealthCheck(("sh", "-c", command), 5.0))
        by_socket, by_client = rig.port.check(asked), client.check(asked)
        assert by_socket.ok is by_client.ok is ok
    gone = replace(api, health_check=HealthCheck(("/no/such/program",), 5.0))
    assert not rig.port.check(gone).ok
    slow = replace(api, health_check=HealthCheck(("sleep", "9"), 0.3))
    assert rig.port.check(slow) == client.check(slow)
    assert rig.port.swapped() == client.swapped() == {}


def test_what_plain_compose_started_is_current_to_us(rig: EngineRig) -> None:
    rig.compose("up", "--detach", "--build", "--wait", "web")
    before = runs(rig.port)
    assert rig.port.up(SERVICES) == ()
    assert rig.port.recreate(["api", "web"]) == ()
    assert runs(rig.port) == before


def test_a_changed_definition_recreates_its_service_alone(rig: EngineRig, base: str) -> None:
    rig.port.build(BuildRequest(SERVICES))
    rig.port.up(SERVICES)
    before = runs(rig.port)
    rig.write_compose(base, api={"environment": {"NEW": "1"}})
    assert rig.port.recreate(["api", "web"]) == ("api",)
    after = runs(rig.port)
    assert {name for name in before if before[name] != after[name]} == {"api"}


def test_health_is_noticed_long_before_the_engine_looks(rig: EngineRig, base: str) -> None:
    rig.write_compose(base, interval="60s")
    rig.port.build(BuildRequest(SERVICES))
    rig.port.up(["api"])
    started = time.monotonic()
    rig.port.wait_healthy(["api"], 25.0)
    assert time.monotonic() - started < 30.0


def test_what_has_answered_here_is_healthy_before_the_engine_looks(
    rig: EngineRig, base: str
) -> None:
    rig.write_compose(base, interval="600s")
    rig.port.build(BuildRequest(SERVICES))
    rig.port.up(["api"])

    def health(port: WhalesDocker, *, tried: bool = False) -> Health:
        found = port.tried() if tried else port.containers()
        return next(c.health for c in found if c.service == "api")

    stranger = WhalesDocker(rig.root, project(rig.name, base))
    rig.port.wait_healthy(["api"], 25.0)
    assert health(rig.port) is Health.HEALTHY
    assert health(stranger) is Health.STARTING, "the engine has looked already"
    assert health(stranger, tried=True) is Health.HEALTHY
    [api] = [c.id for c in rig.port.containers() if c.service == "api"]
    subprocess.run(["docker", "restart", "-t", "0", api], check=True, capture_output=True)
    assert health(rig.port) is Health.STARTING, "it answered before this start"
    rig.port.restart(["api"])
    rig.port.wait_healthy(["api"], 25.0)
    assert health(rig.port) is Health.HEALTHY


def test_services_that_wait_for_each_other_are_not_held_up_by_the_engines_view(
    rig: EngineRig, base: str
) -> None:
    rig.write_compose(base, interval="60s")
    rig.port.build(BuildRequest(SERVICES))
    started = time.monotonic()
    rig.port.up(SERVICES)
    assert rig.port.recreate(["api", "web"], force=True) == ("api", "web")
    assert time.monotonic() - started < 50.0
    found = {c.service: c for c in rig.port.containers()}
    assert found["api"].started < found["web"].started


def test_a_service_that_never_answers_is_told_with_check_and_log(rig: EngineRig, base: str) -> None:
    check = {"test": ["CMD-SHELL", "echo not yet; exit 1"], "interval": "30s"}
    rig.write_compose(base, api={"healthcheck": check})
    rig.port.build(BuildRequest(SERVICES))
    rig.port.up(["api"])
    with pytest.raises(ActionError, match="did not become healthy within 1 s") as failure:
        rig.port.wait_healthy(["api"], 1.0)
    assert "not yet" in failure.value.why
    assert "it runs" in failure.value.why


def test_a_service_in_a_restart_loop_is_not_waited_for_to_the_end(
    rig: EngineRig, base: str
) -> None:
    rig.write_compose(base, api={"restart": "always", "command": ["sh", "-c", "echo no; exit 7"]})
    rig.port.build(BuildRequest(SERVICES))
    rig.port.up(["api"])
    started = time.monotonic()
    with pytest.raises(ActionError, match="api ended with status 7") as failure:
        rig.port.wait_healthy(["api"], 60.0)
    assert time.monotonic() - started < 30.0
    assert "no" in failure.value.why


BUILDER = """
ARG BASE
FROM ${BASE} AS builder
ARG BINARIES="none"
RUN --mount=type=bind,source=shared,target=/shared,rw \
    --mount=type=cache,id=t-docker-target,target=/target,sharing=locked \
    sleep 1; echo "compiling $BINARIES"; cp /shared/code.txt /out.txt
FROM ${BASE}
"""


def test_a_stage_that_images_share_runs_once_in_one_solve_across_dockerfiles(
    rig: EngineRig,
) -> None:
    last = "ARG SERVICE\nCOPY --from=builder /out.txt /out.txt\nCOPY ${SERVICE}.txt /code.txt\n"
    (rig.root / "Dockerfile").write_text(BUILDER + last)
    (rig.root / "Dockerfile.other").write_text(BUILDER + "ENV OTHER=1\n" + last)
    (rig.root / "shared").mkdir()
    (rig.root / "shared" / "code.txt").write_text(rig.name)
    services = dict(rig.port.project.services)
    build = services["web"].build
    assert build is not None
    other = replace(build, dockerfile="Dockerfile.other")
    services["web"] = replace(services["web"], build=other)
    port = WhalesDocker(rig.root, replace(rig.port.project, services=services))
    events: list[BuildEvent] = []
    result = port.build(BuildRequest(SERVICES, binaries=("a", "b")), events.append)
    assert lines(events).count("compiling a b") == 1
    assert [image.service for image in result.images] == sorted(SERVICES)
    assert all(0 < image.seconds <= result.seconds for image in result.images)
    assert all(image.size > 0 for image in result.images)


CACHE_MOUNT = """
ARG BASE
FROM ${BASE}
ARG BINARIES="none"
COPY api.txt /code.txt
RUN --mount=type=cache,id=t-docker-once,target=/cache,sharing=locked \
    echo "binaries: $BINARIES"; echo "saw: $(cat /cache/owner 2>/dev/null)"; \
    cat /code.txt > /cache/owner
"""


def test_two_checkouts_share_no_cache_mount(
    rig: EngineRig, tmp_path_factory: pytest.TempPathFactory, base: str
) -> None:
    with engine_rig(tmp_path_factory.mktemp("second"), base) as second:
        said: dict[str, list[str]] = {}
        for number, clone in enumerate((rig, second, rig)):
            (clone.root / "Dockerfile").write_text(CACHE_MOUNT)
            clone.edit("api", str(number))
            events: list[BuildEvent] = []
            clone.port.build(BuildRequest(("api",), binaries=("one", "two")), events.append)
            said[clone.name] = lines(events)
        assert "binaries: one two" in said[rig.name]
        assert f"saw: 0 {rig.name}" in said[rig.name]
        assert "saw: " in said[second.name]


SLOW = """
ARG BASE
FROM ${BASE}
ARG SECONDS
COPY api.txt /code.txt
RUN --mount=type=cache,id=t-docker-slow,target=/cache,sharing=locked \
    echo started; for i in $(seq ${SECONDS}); do sleep 1; done
"""


def test_a_cancelled_build_ends_on_the_engine_too_and_changes_no_image(rig: EngineRig) -> None:
    rig.port.build(BuildRequest(SERVICES))
    before = rig.port.images(SERVICES)
    (rig.root / "Dockerfile").write_text(SLOW)
    cancel = Cancel()

    def once_started(event: BuildEvent) -> None:
        if isinstance(event, LogLine) and event.text == "started":
            threading.Thread(target=cancel.request).start()

    began = time.monotonic()
    with pytest.raises(Interrupted):
        rig.port.build(BuildRequest(("api",), args={"SECONDS": "300"}), once_started, cancel=cancel)
    assert rig.port.images(SERVICES) == before
    # the lock of the cache mount is free only when the step is gone
    rig.port.build(BuildRequest(("api",), args={"SECONDS": "0"}))
    assert time.monotonic() - began < 60.0


def test_no_cache_runs_every_step_again(rig: EngineRig) -> None:
    rig.port.build(BuildRequest(("api",)))
    assert rig.port.build(BuildRequest(("api",))).cached > 0
    assert rig.port.build(BuildRequest(("api",), no_cache=True)).cached == 0


def test_a_plan_on_the_engine_replaces_one_container_and_survives_a_broken_save(
    rig: EngineRig,
) -> None:
    def plan(*services: str) -> Plan:
        return Plan(
            actions=(
                Action(1, ActionKind.BUILD, services, always=services),
                Action(2, ActionKind.RECREATE, services, (1,)),
            )
        )

    rig.port.build(BuildRequest(SERVICES))
    rig.port.up(SERVICES)
    before = runs(rig.port)
    rig.edit("web", BROKEN)
    broken = execute(plan("api", "web"), Tools(rig.port))
    assert [result.outcome for result in broken.results] == [Outcome.FAILED, Outcome.SKIPPED]
    assert runs(rig.port) == before
    rig.edit("web", "good again")
    mended = execute(plan("api", "web"), Tools(rig.port))
    assert mended.summary() == "2 built, 1 changed, 1 restarted"
    after = runs(rig.port)
    assert {name for name in before if before[name] != after[name]} == {"web"}
    assert execute(plan("api", "web"), Tools(rig.port)).summary() == "2 built, 0 changed"


def test_an_engine_that_is_not_there_is_said_so_by_every_call(tmp_path: Path) -> None:
    environ = os.environ | {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    port = WhalesDocker(tmp_path, project(), environ)
    (tmp_path / "compose.yaml").write_text('{"services": {"api": {"image": "x"}}}')
    for call in (
        port.containers,
        lambda: port.images(["api"]),
        lambda: port.build(BuildRequest(("api",))),
        lambda: port.stop(["api"]),
        port.down,
    ):
        with pytest.raises(EnvironmentLacksError, match="does not answer"):
            call()


def test_a_missing_plugin_leads_to_the_setup(rig: EngineRig) -> None:
    environ = os.environ | {"DOCKER_CONFIG": str(rig.root / "no-plugins")}
    port = WhalesDocker(rig.root, rig.port.project, environ)
    for call in (lambda: port.build(BuildRequest(("api",))), port.down):
        with pytest.raises(EnvironmentLacksError) as failure:
            call()
        assert failure.value.hint == "./inv setup"


def test_steps_are_told_as_data_while_the_build_runs(rig: EngineRig) -> None:
    events: list[BuildEvent] = []
    rig.port.build(BuildRequest(("api",)), events.append)
    names = [event.name for event in events if isinstance(event, Step) and not event.internal]
    assert any("COPY run.sh" in name for name in names)
