"""A small repository of another shape than this one, whose service compiles in a second."""

from __future__ import annotations

import shutil
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attune_dev.bench.sample.loop import Dev
from attune_dev.bench.sample.stack import Stack
from attune_dev.setup.base_images import base_images

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSE = """\
name: {project}
services:
  web:
    build: {{context: ., args: {{RUST: {rust}, DEBIAN: {debian}}}}}
    environment: {{PLACE: here}}
    stop_signal: SIGKILL
    restart: unless-stopped
    ports: ["127.0.0.1:{port}:8080"]
    healthcheck: {{test: [CMD, web, check], interval: 1s, retries: 2}}
"""
DOCKERFILE = """\
ARG RUST
ARG DEBIAN
FROM $RUST AS build
WORKDIR /src
COPY . .
RUN WAIT=yes cargo build --release --bin web
FROM $DEBIAN
COPY --from=build /src/target/release/web /usr/local/bin/web
CMD ["web"]
"""
MAIN = """\
use std::io::{Read, Write};
fn main() {
    let address = std::env::args().nth(1).map_or("0.0.0.0:8080", |_| "127.0.0.1:8080");
    if address.starts_with("127") {
        std::process::exit(std::net::TcpStream::connect(address).is_err() as i32);
    }
    // START
    for stream in std::net::TcpListener::bind(address).unwrap().incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let (mark, text) = (common::part::MARK, common::TEXT);
        let _ = write!(stream, "HTTP/1.0 200 OK\\r\\n\\r\\nWEB {mark} {text} {}", env!("WAIT"));
    }
}
"""
COMMON = 'pub mod part;\npub const TEXT: &str = include_str!("text.txt");\n'
PACKS = """
  init:
    image: {debian}
    restart: "no"
    command: [cp, -r, /in/., /packs]
    volumes: ["./packs:/in:ro", "data:/packs"]
  sensor:
    image: {debian}
    command: [sleep, infinity]
    stop_signal: SIGKILL
    depends_on: {{init: {{condition: service_completed_successfully}}}}
    volumes: ["data:/packs:ro"]
volumes: {{data: {{}}}}
"""
PACKS_DOCKERFILE = """\
ARG RUST={rust}
ARG DEBIAN_IMAGE={debian}
FROM $RUST AS build
WORKDIR /src
COPY . .
RUN WAIT=yes cargo build --release --bin timer
FROM scratch
COPY --from=build /src/target/release/timer /
"""
TIMER = 'fn main() {{ print!("{mark} {{}}", common::part::MARK); }}\n'
MANIFEST = '[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n'


def new_mark(kind: str) -> str:
    """Text that nothing has been compiled with yet."""
    return f"{kind}-{uuid.uuid4().hex[:12]}"


class Small(Stack):
    """The repository and what runs from it."""

    @classmethod
    def create(cls, root: Path) -> Small:
        """Writes it."""
        made = cls(root, f"t-small-{uuid.uuid4().hex[:8]}")
        images = {image.variable: image.in_use for image in base_images(REPOSITORY)}
        made.write(
            "compose.yaml",
            COMPOSE.format(
                project=made.project,
                port=made.ports["API"],
                rust=images["RUST_IMAGE"],
                debian=images["DEBIAN_IMAGE"],
            ),
        )
        made.write("Dockerfile", DOCKERFILE)
        made.write("Cargo.toml", '[workspace]\nresolver = "2"\nmembers = ["common", "web"]\n')
        made.write(
            "Cargo.lock",
            'version = 4\n\n[[package]]\nname = "common"\nversion = "0.1.0"\n\n[[package]]\n'
            'name = "web"\nversion = "0.1.0"\ndependencies = [\n "common",\n]\n',
        )
        made.write("common/Cargo.toml", MANIFEST.format(name="common"))
        made.write("common/src/lib.rs", COMMON)
        made.write("common/src/text.txt", "text")
        made.common("first")
        needs = '\n[dependencies]\ncommon = { path = "../common" }\n'
        made.write("web/Cargo.toml", MANIFEST.format(name="web") + needs)
        made.web("first")
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        return made

    def add_packs(self) -> None:
        """Adds a pack with a binary of its own, ``timer``, and a service that can run it."""
        images = {image.variable: image.in_use for image in base_images(REPOSITORY)}
        compose = (self.root / "compose.yaml").read_text()
        self.write(
            "compose.yaml", compose + PACKS.format(debian=images["DEBIAN_IMAGE"]).lstrip("\n")
        )
        self.write(
            "Dockerfile.packs",
            PACKS_DOCKERFILE.format(rust=images["RUST_IMAGE"], debian=images["DEBIAN_IMAGE"]),
        )
        self.write(".dockerignore", "packs\n.attune-dev\n")
        self.write(
            "Cargo.toml", '[workspace]\nresolver = "2"\nmembers = ["common", "web", "timer"]\n'
        )
        with (self.root / "Cargo.lock").open("a") as lock:
            lock.write('\n[[package]]\nname = "timer"\nversion = "0.1.0"\n')
            lock.write('dependencies = [\n "common",\n]\n')
        needs = '\n[dependencies]\ncommon = { path = "../common" }\n'
        self.write("timer/Cargo.toml", MANIFEST.format(name="timer") + needs)
        self.timer("first")
        shutil.copytree(REPOSITORY / "packs/core", self.root / "packs/core")
        (self.root / "packs/core/sensors/attune-core-timer-sensor").unlink(missing_ok=True)
        sensor = self.root / "packs/core/sensors/timer.yaml"
        sensor.write_text(sensor.read_text().replace("attune-core-timer-sensor", "timer"))

    def timer(self, mark: str) -> str:
        """Gives the pack binary a marker of its own."""
        self.write("timer/src/main.rs", TIMER.format(mark=mark))
        return mark

    def sensor_says(self) -> list[str]:
        """What the pack binary in the volume says: its marker, and that of the shared crate."""
        said = self.docker("compose", "exec", "-T", "sensor", "/packs/core/sensors/timer")
        return said.split()

    def write(self, name: str, text: str) -> Path:
        """Writes a file."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def common(self, mark: str) -> str:
        """Gives the shared crate a marker."""
        self.write("common/src/part.rs", f'pub const MARK: &str = "{mark}";\n')
        return mark

    def web(self, mark: str, start: str = "") -> str:
        """Gives the service's own crate a marker, and a statement to start with."""
        self.write("web/src/main.rs", MAIN.replace("WEB", mark).replace("// START", start))
        return mark

    def answer(self) -> list[str]:
        """What the service answers: its marker, that of the shared crate, the included text."""
        url = f"http://127.0.0.1:{self.ports['API']}/"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return str(answer.read().decode()).split()


@contextmanager
def small_repository(root: Path) -> Iterator[Small]:
    """The small repository, removed afterwards with all that was made of it."""
    made = Small.create(root)
    try:
        yield made
    finally:
        made.inv("clean", "--all", "--yes", check=False)
        made.remove()


def settle(dev: Dev) -> list[dict[str, Any]]:
    """The events up to the next idle, which must be a good one."""
    events = dev.wait_idle(300)
    assert events[-1]["ok"], f"{events[-1]}\n{dev.text()[-4000:]}"
    return events


def ways(events: list[dict[str, Any]]) -> list[str]:
    """How the builds among events were done."""
    return [event["via"] for event in events if event["event"] == "end" and "via" in event]
