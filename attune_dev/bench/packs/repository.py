"""A repository of packs alone, with services that do nothing but read them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attune_dev.bench.sample.stack import Stack
from attune_dev.docker import process
from attune_dev.errors import ActionError
from attune_dev.setup.base_images import base_images

READERS = ("reader-1", "reader-2", "reader-3", "reader-4")
PLACE = "/opt/attune/packs"
MANY = 10_000
BYTES = 50_000
ANSWER_SECONDS = 60.0

# Starts as a service does that loads packs: reads every YAML, then says that it is ready.
_SERVICE = (
    "$SIG{TERM} = sub { exit 0 }; my @all = glob q(/opt/attune/packs/*/*.yaml); "
    "open my $ready, q(>), q(/tmp/ready); print $ready scalar @all; close $ready; sleep 9 while 1"
)
# Answers as soon as a file has the text that is asked for.
_LOOK = (
    "$| = 1; while (<STDIN>) { chomp; my ($path, $want) = split /\\t/; while (1) { "
    "if (open my $f, q(<), $path) { local $/; last if (<$f> // q()) eq $want } "
    "select undef, undef, undef, 0.002 } print qq(ok\\n) }"
)
_COMPOSE = """
x-reader: &reader
  image: ${DEBIAN_IMAGE}
  init: true
  command: ["perl", "-e", "SERVICE"]
  healthcheck: {test: ["CMD", "cat", "/tmp/ready"], interval: 60s}
services:
  fill:
    profiles: [fill]
    image: ${DEBIAN_IMAGE}
    restart: "no"
    command: ["sh", "-c", "rm -rf /volume/* && cp -a /source/. /volume/"]
    volumes: ["./packs:/source:ro", "packs_data:/volume"]
"""
_READER = '  {name}: {{<<: *reader, volumes: ["packs_data:/opt/attune/packs:ro"]}}\n'
_WATCHED = """  {name}:
    <<: *reader
    image: ${{COMPOSE_PROJECT_NAME}}-{name}
    build: {{context: ., dockerfile: docker/Dockerfile, args: {{DEBIAN_IMAGE: "${{DEBIAN_IMAGE}}"}}}}
    develop: {{watch: [{{action: sync, path: ./packs, target: /opt/attune/packs}}]}}
"""


class Repository:
    """Packs, a volume and readers, in a project of its own.

    Args:
        folder: an empty one.
        project: name of the Compose project.
        source: the repository that tells the base image.
        readers: names of the services.
        watched: whether they have no volume, and Compose copies into their containers.
    """

    def __init__(
        self,
        folder: Path,
        project: str,
        source: Path,
        *,
        readers: Sequence[str] = READERS,
        watched: bool = False,
    ) -> None:
        self.stack = Stack(folder, project)
        self.packs = folder / "packs"
        self.readers = tuple(readers)
        self.image = {i.variable: i.in_use for i in base_images(source)}["DEBIAN_IMAGE"]
        self.volume = f"{project}_packs_data"
        service = _SERVICE.replace("$", "$$").replace('"', '\\"')
        text = _COMPOSE.replace("SERVICE", service)
        form = _WATCHED if watched else _READER
        text += "".join(form.format(name=name) for name in readers) + "volumes: {packs_data: {}}\n"
        for path, content in {
            "compose.yaml": text,
            ".env": f"DEBIAN_IMAGE={self.image}\n",
            "docker/Dockerfile": "ARG DEBIAN_IMAGE=debian:bookworm-slim\nFROM ${DEBIAN_IMAGE}\n"
            f"RUN mkdir -p {PLACE}\n",
        }.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        self.write("core/pack.yaml", "ref: core\n")

    def write(self, path: str, text: str) -> Path:
        """Writes a file of a pack."""
        file = self.packs / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def fill_big(self) -> None:
        """A pack of 10,000 files, 500 MB, none like another."""
        for number in range(MANY):
            file = self.packs / "big" / f"d{number // 200}" / f"f{number}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(os.urandom(BYTES))
        self.write("big/pack.yaml", "ref: big\n")

    def compose(self, *words: str) -> str:
        """Runs Compose and returns what it prints.

        Raises:
            ActionError: it failed.
        """
        done = process.run(
            ["docker", "compose", *words],
            cwd=self.stack.root,
            env=self.stack.environ,
            timeout=300,
            check=False,
        )
        if not done.ok:
            raise ActionError(f"docker compose {words[0]} failed", why=done.stderr[-2000:])
        return done.stdout

    def start(self) -> None:
        """Has the readers running."""
        self.compose("up", "--detach", "--build", *self.readers)

    def remove(self) -> None:
        """Removes all that was made on the engine."""
        self.compose("down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "1")

    @contextmanager
    def looking(self) -> Iterator[Lookers]:
        """Someone who looks, in each reader."""
        lookers = Lookers(self)
        try:
            yield lookers
        finally:
            lookers.close()


class Lookers:
    """A process in each reader that answers as soon as a file has a text.

    Args:
        repository: whose readers.
    """

    def __init__(self, repository: Repository) -> None:
        containers = repository.compose("ps", "--quiet", *repository.readers).split()
        look = ("perl", "-e", _LOOK)
        self._children = [
            process.pipe(["docker", "exec", "--interactive", container, *look])
            for container in containers
        ]

    @property
    def alive(self) -> bool:
        """Whether all of them still look."""
        return all(child.poll() is None for child in self._children)

    def until(self, path: str, text: str, act: object) -> float:
        """Seconds from a save, through an action, until every reader finds the text.

        Args:
            path: relative to the folder of packs.
            text: one line, without tabs.
            act: called first; it saves, and brings the file to the readers.

        Raises:
            ActionError: a reader did not find it.
        """
        started = time.monotonic()
        if callable(act):
            act()
        for child in self._children:
            assert child.stdin is not None  # noqa: S101 - it is a pipe
            child.stdin.write(f"{PLACE}/{path}\t{text}\n".encode())
            child.stdin.flush()
        for child in self._children:
            assert child.stdout is not None  # noqa: S101 - it is a pipe
            if child.stdout.readline() != b"ok\n":
                raise ActionError(f"a reader never found {path}")
        return time.monotonic() - started

    def close(self) -> None:
        """Ends them."""
        for child in self._children:
            process.end_group(child, grace=0.5)
