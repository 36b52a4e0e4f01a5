"""Which way code takes to its container, and that a user is told when it is another than usual."""

from __future__ import annotations

import json
import socket
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from attune_dev.bench.sample.loop import developing
from attune_dev.bench.sample.stack import eventually
from attune_dev.setup.base_images import base_images
from tests.docker.small import (
    MANIFEST,
    REPOSITORY,
    Small,
    new_mark,
    settle,
    small_repository,
    ways,
)

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

SOCKET = "/var/run/docker.sock"
PROFILED = """\
ARG RUST
ARG DEBIAN
FROM $RUST AS build
WORKDIR /src
COPY . .
ARG CARGO_PROFILE=release
RUN WAIT=yes cargo build --profile $CARGO_PROFILE --bin web && cp target/*/web /web
FROM $DEBIAN
COPY --from=build /web /usr/local/bin/web
CMD ["web"]
"""


OTHER = """\
  other:
    build: {{context: ., dockerfile: Dockerfile.other, args: {{RUST: {rust}, DEBIAN: {debian}}}}}
    stop_signal: SIGKILL
  waiting:
    image: {debian}
    command: [sleep, infinity]
    stop_signal: SIGKILL
    depends_on: [web]
"""
SLEEPS = "{{image: {debian}, command: [sleep, infinity], stop_signal: SIGKILL}}\n"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """A small repository, removed afterwards with all that was made of it."""
    with small_repository(tmp_path / "small") as made:
        yield made


def test_a_read_only_root_file_system_gets_images_and_is_told_once(small: Small) -> None:
    compose = small.root / "compose.yaml"
    compose.write_text(compose.read_text().replace("  web:\n", "  web:\n    read_only: true\n"))
    with developing(small, timeout=600) as dev:
        for _ in range(2):
            mark = small.web(new_mark("web"))
            assert ways(settle(dev)) == ["image"]
            assert small.answer()[0] == mark
        why = "web gets its code through its image: its root file system is read-only"
        assert dev.text().count(why) == 1
    assert "swapped" not in small.inv("ps").stdout


def test_a_manifest_edit_brings_the_lock_file_up_to_date_once(small: Small) -> None:
    lock = small.root / "Cargo.lock"
    small.write("extra/Cargo.toml", MANIFEST.format(name="extra"))
    small.write("extra/src/lib.rs", 'pub const MARK: &str = "extra";\n')
    small.write("Cargo.toml", '[workspace]\nresolver = "2"\nmembers = ["common", "extra", "web"]\n')
    with lock.open("a") as text:
        text.write('\n[[package]]\nname = "extra"\nversion = "0.1.0"\n')
    with developing(small, timeout=600) as dev:
        before = lock.read_text()
        with (small.root / "web/Cargo.toml").open("a") as manifest:
            manifest.write('extra = { path = "../extra" }\n')
        events = settle(dev)
        assert ways(events) == ["swap"]
        after = lock.read_text()
        packages = {each["name"]: each for each in tomllib.loads(before)["package"]}
        packages["web"]["dependencies"] = ["common", "extra"]
        assert {each["name"]: each for each in tomllib.loads(after)["package"]} == packages
        assert "Cargo.lock is brought up to date with the manifests" in dev.text()
        [change] = [event for event in events if event["event"] == "change"]
        assert [each["path"] for each in change["changes"]] == ["web/Cargo.toml"]
        mark = small.web(new_mark("web"))
        assert ways(settle(dev)) == ["swap"]
        assert small.answer()[0] == mark
        assert lock.read_text() == after


def test_a_profile_that_is_asked_for_is_what_the_image_holds(small: Small) -> None:
    small.write("Dockerfile", PROFILED)
    for words, debug in (((), "false"), (("--cargo-profile", "dev"), "true")):
        small.web(new_mark("web") + ' {} ", cfg!(debug_assertions)); let _ = write!(stream, "')
        document = json.loads(small.inv("build", *words, "--json").stdout)
        assert [target["outcome"] for target in document["targets"]] == ["compiled"]
        small.docker("compose", "up", "-d")
        assert eventually(small.answer)[1] == debug
    unknown = small.inv("build", "--cargo-profile", "deev", check=False)
    assert unknown.returncode == 2
    assert "dev, release" in unknown.stderr


def test_what_is_rolled_back_stays_while_a_loop_runs(small: Small) -> None:
    with developing(small, "--images", timeout=600) as dev:
        first = small.answer()[0]
        second = small.web(new_mark("web"))
        assert ways(settle(dev)) == ["image"]
        assert small.answer()[0] == second
        assert "until its sources change" in small.inv("rollback", "web").stdout
        assert eventually(small.answer)[0] == first
        eventually(lambda: "web was put back, until its sources change" in dev.text(), 30)
        small.write("README.md", "nothing reads this")
        settle(dev)
        assert small.answer()[0] == first
        third = small.web(new_mark("web"))
        settle(dev)
        assert small.answer()[0] == third


def test_a_first_start_brings_up_what_builds(small: Small) -> None:
    images = {image.variable: image.in_use for image in base_images(REPOSITORY)}
    text = OTHER.format(rust=images["RUST_IMAGE"], debian=images["DEBIAN_IMAGE"])
    compose = small.root / "compose.yaml"
    compose.write_text(compose.read_text() + text)
    dockerfile = (small.root / "Dockerfile").read_text()
    small.write(
        "Dockerfile.other",
        dockerfile.replace("bin web", "bin other")
        .replace("release/web", "release/other")
        .replace("bin/web", "bin/other")
        .replace('"web"', '"other"'),
    )
    small.write("Cargo.toml", '[workspace]\nresolver = "2"\nmembers = ["common", "other", "web"]\n')
    small.write("other/Cargo.toml", MANIFEST.format(name="other"))
    small.write("other/src/main.rs", "fn main() { loop { std::thread::park(); } }\n")
    with (small.root / "Cargo.lock").open("a") as lock:
        lock.write('\n[[package]]\nname = "other"\nversion = "0.1.0"\n')
    small.write("web/src/main.rs", "fn main() { nonsense }\n")
    done = small.inv("up", check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "web/src/main.rs:1" in done.stdout + done.stderr
    assert "waiting waits for web, whose build failed" in done.stdout + done.stderr
    assert sorted(small.inspect()) == ["other"]
    mark = small.web(new_mark("web"))
    small.inv("up")
    assert sorted(small.inspect()) == ["other", "waiting", "web"]
    assert eventually(small.answer)[0] == mark


class Remote(Small):
    """The small repository, driven by a client that is told of an engine at a TCP port."""

    port = 0

    @property
    def environ(self) -> dict[str, str]:
        """See :class:`Small`."""
        return super().environ | {"DOCKER_HOST": f"tcp://127.0.0.1:{self.port}"}


def test_an_engine_that_is_not_local_gets_images_and_is_told(tmp_path: Path) -> None:
    with forwarded() as port:
        Remote.port = port
        small = Remote.create(tmp_path / "small")
        assert isinstance(small, Remote)
        try:
            with developing(small, timeout=600) as dev:
                mark = small.web(new_mark("web"))
                assert ways(settle(dev)) == ["image"]
                assert small.answer()[0] == mark
                told = f"the engine is not local (tcp://127.0.0.1:{port})"
                assert dev.text().count(told) == 1
        finally:
            small.inv("clean", "--all", "--yes", check=False)
            small.remove()


@contextmanager
def forwarded() -> Iterator[int]:
    """A TCP port of the loopback interface behind which the engine answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=forward, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(server.getsockname()[1])


def forward(client: socket.socket) -> None:
    """Joins a client and the engine until both are done."""
    with client, socket.socket(socket.AF_UNIX) as engine:
        engine.connect(SOCKET)
        back = threading.Thread(target=pump, args=(engine, client), daemon=True)
        back.start()
        pump(client, engine)
        back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Hands on what comes, and its end: ``exec`` and builds close one direction first."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def test_a_service_that_is_defined_no_more_stays_until_it_is_asked_to_go(small: Small) -> None:
    images = {image.variable: image.in_use for image in base_images(REPOSITORY)}
    service = SLEEPS.format(debian=images["DEBIAN_IMAGE"])
    plain = f"name: {small.project}\nservices:\n  kept: {service}"

    def there() -> list[str]:
        label = f"label=com.docker.compose.project={small.project}"
        return small.docker("ps", "--filter", label, "--format", "{{.Names}}").split()

    def both() -> None:
        small.write("compose.yaml", f"{plain}  gone: {service}")

    kept, gone = f"{small.project}-kept-1", f"{small.project}-gone-1"
    both()
    with developing(small) as dev:
        assert {kept, gone} <= {*there()}
        small.write("compose.yaml", plain)
        eventually(lambda: "--remove-orphans" in dev.text(), 60)
        assert f"{gone} stays, though the Compose file no longer defines it" in dev.text()
        assert gone in there()
    assert f"removed {gone}" in small.inv("up", "--remove-orphans").stderr
    assert kept in there()
    assert gone not in there()
    both()
    with developing(small, "--remove-orphans"):
        assert gone in there()
        small.write("compose.yaml", plain)
        eventually(lambda: gone not in there(), 60)
