"""What runs was compiled from the files as they are: on a workspace that compiles in a second.

Two services are built by this repository's own Dockerfile, in each strategy, by plain ``docker
compose build``: no runner helps. What counts is what the running services report.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import pytest

from attune_dev.bench.sample.clone import free_ports
from attune_dev.docker.identity import checkout_identity
from attune_dev.loading.rendered import render_dockerfiles, write_change
from attune_dev.loading.workspace import load_workspace
from attune_dev.planning.rendered import Strategy
from attune_dev.settings import Settings
from attune_dev.setup.base_images import base_images

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = f"attune-test-fresh-{os.getpid()}"
CACHES = f"attune-dev-test-freshness-{checkout_identity(REPOSITORY)}"
FILES = ("docker/Dockerfile.optimized", "docker/freshen.sh", ".dockerignore")
NAMES = ("api", "common", "executor")
SERVICES = ("api", "executor")
MANIFEST = '[package]\nname = "attune-{name}"\nversion = "0.1.0"\nedition = "2021"\n'
NEEDS_COMMON = '\n[dependencies]\nattune-common = { path = "../common" }\n'
COMMON = """pub mod part;
pub const TEXT: &str = include_str!("text.txt");
pub fn serve(marker: &str) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("0.0.0.0:8080").unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let (common, text) = (part::MARK, TEXT);
        let body = format!(r#"{{"marker":"{marker}","common":"{common}","text":"{text}"}}"#);
        let _ = write!(stream, "HTTP/1.0 200 OK\\r\\n\\r\\n{body}");
    }
}
"""
MAIN = """fn main() {{
    attune_common::serve("{mark}")
}}
"""
# Holds up the compile of api for as long as slow.txt says.
SLOW = """fn main() {
    println!("cargo::rerun-if-changed=slow.txt");
    let seconds = std::fs::read_to_string("slow.txt").unwrap().trim().parse().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(seconds));
}
"""
# What `rsync -a` does, which not every machine has: beside, with the old time, and renamed.
BESIDE_AND_RENAMED = ("sh", "-c", 'cp -p "$1" "$2.part" && mv "$2.part" "$2"', "sh")

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


def new_mark(kind: str) -> str:
    """Text that no build on this engine has seen, so that no cached layer answers for it."""
    return f"{kind}-{uuid.uuid4().hex}"


@dataclass
class Toy:
    """A checkout with crates common, api and executor, and this repository's way to compile it."""

    root: Path
    ports: tuple[int, ...]

    def write(self, name: str, text: str, mtime: float | None = None) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if mtime is not None:
            os.utime(file, (mtime, mtime))

    def common(self, mark: str, mtime: float | None = None) -> str:
        self.write("crates/common/src/part.rs", f'pub const MARK: &str = "{mark}";\n', mtime)
        return mark

    def main(self, crate: str, mark: str) -> str:
        self.write(f"crates/{crate}/src/main.rs", MAIN.format(mark=mark))
        return mark

    @property
    def environ(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("COMPOSE_")}
        return kept | {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "COMPOSE_PROGRESS": "plain"}

    def compose(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", "compose", "-p", PROJECT, *words],
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def build(self, *options: str) -> str:
        """Builds both images and returns the log."""
        done = self.compose("build", *options)
        log = done.stdout + done.stderr
        assert done.returncode == 0, log
        return log

    def start(self, until: str) -> subprocess.Popen[str]:
        """Begins a build and returns when it says this."""
        build = subprocess.Popen(
            ["docker", "compose", "-p", PROJECT, "build"],
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert build.stdout is not None
        assert any(until in line for line in build.stdout), "it ended too soon"
        return build

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        subprocess.run(["git", *who, *words], cwd=self.root, check=True, capture_output=True)

    def assert_runs(self, **marks: str) -> None:
        """Starts what was built last; each running service reports its own marker and the others.

        Args:
            marks: ``api`` and ``executor`` for one service each, ``common`` and ``text`` for both.
        """
        self._up("--no-build")
        self._ask(marks)

    def ship(self, **marks: str) -> str:
        """Builds both images and starts them, as :meth:`assert_runs`; returns the log."""
        log = self._up("--build")
        self._ask(marks)
        return log

    def _up(self, how: str) -> str:
        done = self.compose("up", "-d", how)
        log = done.stdout + done.stderr
        assert done.returncode == 0, log
        return log

    def _ask(self, marks: dict[str, str]) -> None:
        for service, port in zip(SERVICES, self.ports, strict=True):
            told = ask(port)
            expected = {name: mark for name, mark in marks.items() if name not in SERVICES}
            if service in marks:
                expected["marker"] = marks[service]
            assert expected.items() <= told.items(), f"{service} runs {told}"


def ask(port: int) -> dict[str, str]:
    """What a service answers, once its program listens."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                told: dict[str, str] = json.loads(answer.read())
                return told
        except (OSError, HTTPException, ValueError):
            assert time.monotonic() < deadline, f"nothing answers on port {port}"


def compose_file(ports: tuple[int, ...]) -> str:
    images = {image.variable: image.in_use for image in base_images(REPOSITORY)}
    services = {
        service: {
            "build": {
                "context": ".",
                "dockerfile": FILES[0],
                "args": images | {"SERVICE": service, "BUILDKIT_CACHE_MOUNT_NS": CACHES},
            },
            "ports": [f"127.0.0.1:{port}:8080"],
            "network_mode": "bridge",
            "stop_signal": "SIGKILL",
        }
        for service, port in zip(SERVICES, ports, strict=True)
    }
    return json.dumps({"services": services})


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, ...]]:
    """Ports of the one project whose containers show what was built."""
    yield tuple(free_ports(len(SERVICES)))
    down = ["docker", "compose", "-p", PROJECT, "-f", "-", "down", "-t", "0", "--rmi", "local"]
    services = {"services": {name: {"build": "."} for name in SERVICES}}
    subprocess.run(down, input=json.dumps(services), capture_output=True, text=True)


def new_toy(root: Path, strategy: str, ports: tuple[int, ...]) -> Toy:
    toy = Toy(root, ports)
    for name in FILES:
        toy.write(name, (REPOSITORY / name).read_text())
    toy.write("compose.yaml", compose_file(ports))
    toy.write("Cargo.toml", '[workspace]\nresolver = "2"\nmembers = ["crates/*"]\n')
    lock = "version = 4\n"
    for name in NAMES:
        lock += f'\n[[package]]\nname = "attune-{name}"\nversion = "0.1.0"\n'
        lock += "" if name == "common" else 'dependencies = [\n "attune-common",\n]\n'
        needs = "" if name == "common" else NEEDS_COMMON
        toy.write(f"crates/{name}/Cargo.toml", MANIFEST.format(name=name) + needs)
    toy.write("Cargo.lock", lock)
    toy.write("crates/common/src/lib.rs", COMMON)
    toy.write("crates/common/src/text.txt", new_mark("text"))
    toy.write("crates/api/build.rs", SLOW)
    toy.write("crates/api/slow.txt", "0")
    toy.common(new_mark("common"))
    for crate in SERVICES:
        toy.main(crate, new_mark(crate))
    for change in render_dockerfiles(root, load_workspace(root, Settings()), Strategy(strategy)):
        write_change(root, change)
    return toy


NewToy = Callable[[str], Toy]


@pytest.fixture
def new(request: pytest.FixtureRequest, tmp_path: Path, ports: tuple[int, ...]) -> NewToy:
    """Makes checkouts that compile by the strategy of the test's parameter."""
    return lambda name: new_toy(tmp_path / name, request.param, ports)


@pytest.fixture
def toy(new: NewToy) -> Toy:
    return new("toy")


def _strategies(*mark: pytest.MarkDecorator) -> pytest.MarkDecorator:
    others = [pytest.param(name, marks=mark) for name in ("shared", "locked")]
    return pytest.mark.parametrize("new", ["once", *others], indirect=True)


in_all = _strategies()
in_once = _strategies(pytest.mark.full)


@in_all
def test_a_reverted_crate_is_compiled_again_with_another_one_edited_between(toy: Toy) -> None:
    first = toy.common(new_mark("common"))
    toy.ship(common=first)
    second = toy.common(new_mark("common"))
    toy.ship(common=second)
    toy.common(first)
    executor = toy.main("executor", new_mark("executor"))
    toy.ship(common=first, executor=executor)


@in_once
@pytest.mark.parametrize("mtime", [1e9, 4e9], ids=["past", "future"])
def test_times_of_the_files_do_not_matter(toy: Toy, mtime: float) -> None:
    toy.build()
    mark = toy.common(new_mark("common"), mtime)
    toy.ship(common=mark)
    executor = toy.main("executor", new_mark("executor"))
    for file in toy.root.rglob("crates/**/*.rs"):
        os.utime(file, (mtime, mtime))
    log = toy.ship(common=mark, executor=executor)
    assert log.count("Compiling attune-executor") == 1
    assert "Compiling attune-common" not in log
    assert "Compiling attune-api" not in log


@in_once
@pytest.mark.parametrize("copy", [("cp", "-p"), BESIDE_AND_RENAMED], ids=["cp", "rsync"])
def test_older_files_that_keep_their_times_count(toy: Toy, copy: tuple[str, ...]) -> None:
    part = toy.root / "crates/common/src/part.rs"
    first = toy.common(new_mark("common"), 1e9)
    subprocess.run([*copy, part, toy.root / "older.rs"], check=True)
    toy.build()
    toy.common(new_mark("common"))
    toy.build()
    subprocess.run([*copy, toy.root / "older.rs", part], check=True)
    executor = toy.main("executor", new_mark("executor"))
    toy.ship(common=first, executor=executor)


@in_once
def test_checking_an_older_commit_out_and_back(toy: Toy) -> None:
    toy.git("init", "-q")
    older = toy.common(new_mark("common"))
    toy.git("add", ".")
    toy.git("commit", "-qm", "older")
    newer = toy.common(new_mark("common"))
    toy.git("commit", "-qam", "newer")
    toy.build()
    # there and back without a build: cargo, which an edit elsewhere brings on, finds nothing new
    toy.git("checkout", "-q", "HEAD~")
    toy.git("checkout", "-q", "-")
    executor = toy.main("executor", new_mark("executor"))
    log = toy.ship(common=newer, executor=executor)
    assert log.count("Compiling") == 1
    toy.git("commit", "-qam", "newest")
    toy.git("checkout", "-q", "HEAD~2")
    toy.ship(common=older)
    toy.git("checkout", "-q", "-")
    assert "Compiling" not in toy.ship(common=newer, executor=executor)


@in_all
def test_two_clones_on_one_cache_ship_each_its_own(new: NewToy) -> None:
    clones = [new("one"), new("two")]
    marks = [clone.common(new_mark("common")) for clone in clones]
    for turn in range(2):
        for clone, mark in zip(clones, marks, strict=True):
            executor = clone.main("executor", new_mark(f"executor{turn}"))
            clone.ship(common=mark, executor=executor)


@in_all
def test_a_module_that_was_gone_in_a_build_is_compiled_when_it_is_back(toy: Toy) -> None:
    mark = toy.common(new_mark("common"))
    toy.build()
    part = toy.root / "crates/common/src/part.rs"
    part.unlink()
    failed = toy.compose("build")
    assert failed.returncode != 0
    assert "part" in failed.stdout + failed.stderr
    toy.common(mark, 1e9)
    executor = toy.main("executor", new_mark("executor"))
    toy.ship(common=mark, executor=executor)


@in_once
def test_an_included_file_counts(toy: Toy) -> None:
    toy.build()
    text = new_mark("text")
    toy.write("crates/common/src/text.txt", text, 1e9)
    toy.ship(text=text)


@in_once
def test_without_layer_caches_and_after_that_the_right_code_is_shipped(toy: Toy) -> None:
    first = toy.common(new_mark("common"))
    toy.build()
    second = toy.common(new_mark("common"))
    toy.build("--no-cache")
    toy.assert_runs(common=second)
    toy.common(first)
    executor = toy.main("executor", new_mark("executor"))
    toy.ship(common=first, executor=executor)


@in_once
def test_a_build_killed_midway_is_made_good_by_the_next(toy: Toy) -> None:
    toy.build()
    mark = toy.common(new_mark("common"))
    toy.write("crates/api/slow.txt", "60")
    build = toy.start(until="Compiling attune-api")
    os.killpg(build.pid, signal.SIGKILL)
    build.communicate(timeout=30)
    toy.write("crates/api/slow.txt", "0")
    toy.ship(common=mark)


@in_once
@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_what_is_saved_while_a_build_runs_is_in_the_next(toy: Toy, when: str) -> None:
    """Before, while and after cargo runs in it."""
    toy.build()
    first: subprocess.Popen[str] | None = None
    toy.write("crates/api/slow.txt", "2")
    early = toy.common(new_mark("common"))
    if when == "before":
        # the target folder is in use, so the second build has its context and waits
        first = toy.start(until="Compiling attune-api")
        early = toy.common(new_mark("common"))
    until = {"before": "] RUN", "during": "Compiling attune-api", "after": "Finished"}[when]
    build = toy.start(until)
    late = toy.common(new_mark("common"))
    for running in filter(None, (first, build)):
        running.communicate(timeout=600)
        assert running.returncode == 0
    toy.assert_runs(common=early)
    toy.ship(common=late)


NAMES_OF_A_FOLDER = """fn main() {
    println!("cargo::rerun-if-changed=src/texts");
    let mut names: Vec<String> = std::fs::read_dir("src/texts").unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    println!("cargo::rustc-env=NAMES={}", names.concat());
}
"""


@in_all
def test_a_folder_that_a_build_script_reads_counts_by_the_names_in_it(toy: Toy) -> None:
    toy.write("crates/common/build.rs", NAMES_OF_A_FOLDER)
    lib = toy.root / "crates/common/src/lib.rs"
    lib.write_text(lib.read_text().replace('include_str!("text.txt")', 'env!("NAMES")'))
    (toy.root / "crates/common/src/texts").mkdir()
    for change in render_dockerfiles(toy.root, load_workspace(toy.root, Settings())):
        write_change(toy.root, change)
    toy.ship(text="")
    toy.write("crates/common/src/texts/one", "")
    toy.ship(text="one")
    executor = toy.main("executor", new_mark("executor"))
    assert "Compiling attune-common" not in toy.ship(text="one", executor=executor)
    # the folder's own layer comes out of the cache, with the time that it had
    (toy.root / "crates/common/src/texts/one").unlink()
    executor = toy.main("executor", new_mark("executor"))
    toy.ship(text="", executor=executor)
