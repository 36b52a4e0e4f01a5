"""The tasks on a small stack of their own, as a user of any repository runs them."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attune_dev.bench.sample.clone import REPOSITORY
from attune_dev.docker.labels import HELPER_LABEL
from attune_dev.setup import envfile

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

COMPOSE = """\
services:
  web:
    build: {context: web, args: {DEBIAN_IMAGE: "${DEBIAN_IMAGE:-debian:bookworm-slim}"}}
    init: true
    stop_grace_period: 1s
    healthcheck: {test: ["CMD", "test", "-e", "/etc/greeting"], interval: 5s}
    depends_on: {prepare: {condition: service_completed_successfully}}
  worker:
    image: ${DEBIAN_IMAGE:-debian:bookworm-slim}
    init: true
    stop_grace_period: 1s
    command: ["sh", "-c", "echo worker is up; exec sleep 1000"]
    volumes: ["./conf:/conf:ro"]
  prepare:
    image: ${DEBIAN_IMAGE:-debian:bookworm-slim}
    restart: "no"
    command: ["true"]
  extra:
    image: ${DEBIAN_IMAGE:-debian:bookworm-slim}
    init: true
    profiles: [more]
    command: ["sleep", "1000"]
"""
DOCKERFILE = """\
ARG DEBIAN_IMAGE=debian:bookworm-slim
FROM ${DEBIAN_IMAGE}
COPY greeting /etc/greeting
CMD ["sleep", "1000"]
"""


class Repository:
    """A repository that is not this one, and ``attune-dev`` in it."""

    def __init__(self, root: Path) -> None:
        """Writes it."""
        self.root = root
        self.project = f"t-tasks-{uuid.uuid4().hex[:8]}"
        for name, text in {
            "compose.yaml": COMPOSE,
            "web/Dockerfile": DOCKERFILE,
            "web/greeting": "hello\n",
            "conf/a.conf": "a = 1\n",
        }.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        images = envfile.managed_values(envfile.read(REPOSITORY / ".env"))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COMPOSE_", "ATTUNE_"))}
        self.environ = images | kept | {"COMPOSE_PROJECT_NAME": self.project}

    def run(self, *words: str, status: int = 0) -> str:
        """Runs a task, checks its exit status and returns all that it printed."""
        done = self._run(words, status)
        return done.stdout + done.stderr

    def document(self, *words: str, status: int = 0) -> dict[str, Any]:
        """Runs a task with ``--json`` and returns the one document on standard output."""
        told: dict[str, Any] = json.loads(self._run((*words, "--json"), status).stdout)
        return told

    def _run(self, words: tuple[str, ...], status: int) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "attune_dev.cli.main", *words],
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == status, f"{words}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def ids(self) -> dict[str, str]:
        """Service to id and start time of its container."""
        told = subprocess.run(
            ["docker", "compose", "ps", "-a", "-q"],
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            text=True,
        ).stdout.split()
        listed = json.loads(
            subprocess.run(["docker", "inspect", *told], capture_output=True, text=True).stdout
        )
        return {
            each["Config"]["Labels"]["com.docker.compose.service"]: each["Id"]
            + each["State"]["StartedAt"]
            for each in listed
        }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """A repository whose stack is up."""
    made = Repository(tmp_path_factory.mktemp("foreign"))
    try:
        made.run("up")
        yield made
    finally:
        made.run("clean", "--all", "--yes")


def rows(repository: Repository) -> dict[str, dict[str, object]]:
    """What ``ps --json`` tells, by service."""
    return {row["name"]: row for row in repository.document("ps")["targets"]}


def test_up_starts_what_is_on_and_a_second_one_changes_nothing(repository: Repository) -> None:
    told = rows(repository)
    assert {name: row["state"] for name, row in told.items()} == {
        "prepare": "done",
        "web": "running",
        "worker": "running",
    }
    before = repository.ids()
    repository.run("up")
    assert repository.ids() == before


def test_restart_restarts_exactly_the_named_services(repository: Repository) -> None:
    before = repository.ids()
    repository.run("restart", "worker")
    after = repository.ids()
    assert {name for name in before if before[name] != after[name]} == {"worker"}


def test_build_alone_leaves_the_container_and_up_brings_the_new_image(
    repository: Repository,
) -> None:
    before = repository.ids()
    (repository.root / "web/greeting").write_text(f"{uuid.uuid4()}\n")
    document = repository.document("build", "web")
    assert [target["name"] for target in document["targets"]] == ["web"]
    assert repository.ids() == before
    assert rows(repository)["web"]["stale"] is True
    repository.run("up")
    after = repository.ids()
    assert {name for name in before if before[name] != after[name]} == {"web"}


def test_images_that_builds_superseded_do_not_pile_up(repository: Repository) -> None:
    def images() -> set[str]:
        label = f"label=com.docker.compose.project={repository.project}"
        listed = ["docker", "image", "ls", "-q", "--no-trunc", "--filter", label]
        told = subprocess.run(listed, capture_output=True, text=True, check=True)
        return set(told.stdout.split())

    seen: list[set[str]] = []
    for _ in range(4):
        (repository.root / "web/greeting").write_text(f"{uuid.uuid4()}\n")
        repository.run("up")
        seen.append(images())
    # the present one, and the one before to go back to
    assert len(seen[-1]) == len(seen[-2]) == 2
    assert not seen[-1] & seen[0]


SLOW = """
ARG DEBIAN_IMAGE=debian:bookworm-slim
FROM ${DEBIAN_IMAGE}
ARG TURN=TURN_VALUE
RUN --mount=type=cache,id=t-tasks-slow,target=/cache,sharing=locked \\
    echo step begun; for i in $(seq SECONDS_VALUE); do sleep 1; done
COPY greeting /etc/greeting
CMD ["sleep", "1000"]
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_build_that_is_stopped_leaves_nothing_behind(
    repository: Repository, number: signal.Signals, status: int
) -> None:
    dockerfile = repository.root / "web/Dockerfile"
    before = dockerfile.read_text()
    slow = SLOW.replace("TURN_VALUE", uuid.uuid4().hex)
    image = ["docker", "image", "inspect", "-f", "{{.Id}}", f"{repository.project}-web"]
    old = subprocess.run(image, capture_output=True, text=True).stdout
    files = sorted(p for p in repository.root.rglob("*") if ".attune-dev" not in p.parts)
    try:
        dockerfile.write_text(slow.replace("SECONDS_VALUE", "300"))
        child = subprocess.Popen(
            [sys.executable, "-m", "attune_dev.cli.main", "build", "web"],
            cwd=repository.root,
            env=repository.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert child.stdout is not None
        assert any("step begun" in line for line in child.stdout), "it ended too soon"
        child.send_signal(number)
        rest = child.communicate(timeout=60)[0]
        assert child.returncode == status, rest
        assert "nothing half-made is left" in rest
        assert subprocess.run(image, capture_output=True, text=True).stdout == old
        assert files == sorted(
            p for p in repository.root.rglob("*") if ".attune-dev" not in p.parts
        )
        assert [p for p in Path("/proc").glob("[0-9]*/cwd") if _leads_to(p, repository.root)] == []
        # the lock of the cache mount is free only when the step on the engine is gone
        dockerfile.write_text(slow.replace("SECONDS_VALUE", "0"))
        repository.run("build", "web")
    finally:
        dockerfile.write_text(before)


def _leads_to(link: Path, folder: Path) -> bool:
    try:
        return link.readlink().is_relative_to(folder)
    except OSError:
        return False


def faults(document: dict[str, Any]) -> set[tuple[str, str, str]]:
    """What ``doctor --json`` found: check, what it is about and what is the matter."""
    return {
        (check["name"], found["name"], found["what"])
        for check in document["targets"]
        for found in check["findings"]
        if found["level"] == "fault"
    }


def test_a_doctor_finds_what_is_wrong_and_changes_nothing(repository: Repository) -> None:
    repository.run("dev", "--until-idle", "--images")
    well = repository.document("doctor")
    assert faults(well) == set()
    assert {check["outcome"] for check in well["targets"]} == {"ok"}

    (repository.root / "web/greeting").write_text(f"{uuid.uuid4()}\n")
    told = repository.document("doctor", status=1)
    assert faults(told) == {("sources", "web", "its image is older than web/greeting")}
    repository.run("build", "web")
    label = "label=com.docker.compose.service=worker"
    listed = ["docker", "ps", "-q", "--filter", label, "--filter"]
    listed.append(f"label=com.docker.compose.project={repository.project}")
    worker = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["docker", "kill", worker], capture_output=True, check=True)
    helper = f"{repository.project}-helper"
    owner = f"{HELPER_LABEL}.owner={platform.node()}:{2**22 + 1}"  # above the largest process id
    of = f"{HELPER_LABEL}.project={repository.project}"
    image = repository.environ.get("DEBIAN_IMAGE", "debian:bookworm-slim")
    create = ["docker", "create", "--name", helper, "--label", owner, "--label", of, image, "true"]
    subprocess.run(create, capture_output=True, check=True)
    try:
        before = repository.ids()
        told = repository.document("doctor", status=1)
        assert repository.ids() == before
        assert told["ok"] is False
        assert faults(told) == {
            ("services", "web", "its container is older than its image"),
            ("services", "worker", "does not run (it ended with status 137)"),
            ("remains", helper, f"is a helper of process {2**22 + 1}, which is gone"),
        }
        lines = repository.run("doctor", status=1)
        assert "fix: ./inv up web" in lines
        assert f"fix: docker rm --force {helper}" in lines
    finally:
        subprocess.run(["docker", "rm", "--force", helper], capture_output=True)
        repository.run("up")
    assert faults(repository.document("doctor")) == set()


def test_exec_passes_words_and_the_exit_status(repository: Repository) -> None:
    assert "a = 1" in repository.run("exec", "worker", "cat", "/conf/a.conf")
    assert "a.conf" in repository.run("exec", "worker", "--", "ls", "-la", "/conf")
    repository.run("exec", "worker", "--", "sh", "-c", "exit 7", status=7)
    repository.run("exec", status=2)


def test_logs_shows_the_named_service(repository: Repository) -> None:
    assert "worker is up" in repository.run("logs", "worker")


def test_a_wrong_name_is_refused_with_the_near_one(repository: Repository) -> None:
    for verb in ("build", "restart", "logs", "exec", "up"):
        told = repository.run(verb, "wroker", status=2)
        assert "did you mean `worker`?" in told


def test_a_profile_brings_its_services(repository: Repository) -> None:
    repository.run("up", "--profile", "more")
    assert rows(repository)["extra"]["state"] == "running"


def test_clean_shows_first_and_asks_where_it_can(repository: Repository) -> None:
    told = repository.run("clean", status=2)
    assert "web" in told
    assert "add --yes" in told
    assert rows(repository)["web"]["state"] == "running"


def test_down_removes_the_containers(repository: Repository) -> None:
    repository.run("down")
    assert {row["state"] for row in rows(repository).values()} == {"absent"}
