"""What the Dockerfiles compile is what the files are: on a workspace that compiles in a second."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCKERFILE = "docker/Dockerfile.pack-binaries"
NAMES = ("api", "common", "executor")
MANIFEST = '[package]\nname = "attune-{name}"\nversion = "0.1.0"\nedition = "2021"\n'
NEEDS_COMMON = '\n[dependencies]\nattune-common = {{ path = "../common" }}\n'
COMMON = 'pub mod part;\npub const TEXT: &str = include_str!("text.txt");\n'
MAIN = """use attune_common::{{part::MARK, TEXT}};
fn main() {{
    println!("{mark} {{MARK}} {{TEXT}}")
}}
"""
# Holds up the compile of api for as long as slow.txt says.
SLOW = """fn main() {
    println!("cargo::rerun-if-changed=slow.txt");
    let seconds = std::fs::read_to_string("slow.txt").unwrap().trim().parse().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(seconds));
}
"""

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


def new_mark(kind: str) -> str:
    """Text that no build on this engine has seen, so that no cached layer answers for it."""
    return f"{kind}-{uuid.uuid4().hex}"


@dataclass
class Toy:
    """A checkout with crates common, api and executor, and this repository's way to compile it."""

    root: Path
    caches: str

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

    def command(self, *options: str) -> list[str]:
        arguments = {
            "BINARIES": "attune-api attune-executor",
            "BUILDKIT_CACHE_MOUNT_NS": self.caches,
            "RUST_IMAGE": rust_image(),
        }
        given = [text for item in arguments.items() for text in ("--build-arg", "=".join(item))]
        out = f"type=local,dest={self.root / 'out'}"
        return ["docker", "buildx", "build", "--progress=plain", "-f", DOCKERFILE, *given,
                "--output", out, *options, "."]  # fmt: skip

    def build(self, *options: str) -> str:
        """Builds both programs and returns the log."""
        shutil.rmtree(self.root / "out", ignore_errors=True)
        done = subprocess.run(
            self.command(*options), cwd=self.root, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def start(self) -> subprocess.Popen[str]:
        """Begins a build and returns when the slow part of its compile has begun."""
        build = subprocess.Popen(
            self.command(), cwd=self.root, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert build.stderr is not None
        assert any("Compiling attune-api" in line for line in build.stderr), "it ended too soon"
        return build

    def marks(self, crate: str) -> bytes:
        return (self.root / f"out/attune-{crate}").read_bytes()

    def assert_ships(self, **marks: str) -> None:
        """Each program holds its own marker and that of common."""
        for crate in ("api", "executor"):
            binary = self.marks(crate)
            for name in {crate, "common"} & set(marks):
                assert marks[name].encode() in binary, f"{crate} lacks {marks[name]}"


def rust_image() -> str:
    env_file = REPOSITORY / ".env"
    lines = env_file.read_text().splitlines() if env_file.exists() else []
    named = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return os.environ.get("RUST_IMAGE") or named.get("RUST_IMAGE", "rust:1.95-bookworm")


def new_toy(root: Path, caches: str) -> Toy:
    toy = Toy(root, caches)
    (root / "docker").mkdir(parents=True)
    for name in (DOCKERFILE, "docker/freshen.sh", ".dockerignore"):
        shutil.copy(REPOSITORY / name, root / name)
    toy.write("Cargo.toml", '[workspace]\nresolver = "2"\nmembers = ["crates/*"]\n')
    lock = "version = 4\n"
    for name in NAMES:
        lock += f'\n[[package]]\nname = "attune-{name}"\nversion = "0.1.0"\n'
        lock += "" if name == "common" else 'dependencies = [\n "attune-common",\n]\n'
        needs = "" if name == "common" else NEEDS_COMMON.format()
        toy.write(f"crates/{name}/Cargo.toml", MANIFEST.format(name=name) + needs)
    toy.write("Cargo.lock", lock)
    toy.write("crates/common/src/lib.rs", COMMON)
    toy.write("crates/common/src/text.txt", new_mark("text"))
    toy.write("crates/api/build.rs", SLOW)
    toy.write("crates/api/slow.txt", "0")
    toy.common(new_mark("common"))
    for crate in ("api", "executor"):
        toy.main(crate, new_mark(crate))
    return toy


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return new_toy(tmp_path / "toy", "attune-dev-test-freshness")


def test_a_reverted_crate_is_compiled_again_with_another_one_edited_between(toy: Toy) -> None:
    first = toy.common(new_mark("common"))
    toy.build()
    toy.assert_ships(common=first)
    second = toy.common(new_mark("common"))
    toy.build()
    toy.assert_ships(common=second)
    toy.common(first)
    executor = toy.main("executor", new_mark("executor"))
    toy.build()
    toy.assert_ships(common=first, executor=executor)


@pytest.mark.parametrize("mtime", [1e9, 4e9], ids=["past", "future"])
def test_times_of_the_files_do_not_matter(toy: Toy, mtime: float) -> None:
    toy.build()
    mark = toy.common(new_mark("common"), mtime)
    toy.build()
    toy.assert_ships(common=mark)
    executor = toy.main("executor", new_mark("executor"))
    for file in toy.root.rglob("crates/**/*.rs"):
        os.utime(file, (mtime, mtime))
    log = toy.build()
    toy.assert_ships(common=mark, executor=executor)
    assert "Compiling attune-common" not in log
    assert "Compiling attune-api" not in log


def test_two_clones_on_one_cache_ship_each_its_own(tmp_path: Path) -> None:
    clones = [new_toy(tmp_path / name, "attune-dev-test-freshness") for name in ("one", "two")]
    marks = [clone.common(new_mark("common")) for clone in clones]
    for turn in range(2):
        for clone, mark in zip(clones, marks, strict=True):
            executor = clone.main("executor", new_mark(f"executor{turn}"))
            clone.build()
            clone.assert_ships(common=mark, executor=executor)


def test_a_module_that_was_gone_in_a_build_is_compiled_when_it_is_back(toy: Toy) -> None:
    mark = toy.common(new_mark("common"))
    toy.build()
    part = toy.root / "crates/common/src/part.rs"
    part.unlink()
    failed = subprocess.run(toy.command(), cwd=toy.root, capture_output=True, text=True)
    assert failed.returncode != 0
    assert "part" in failed.stderr
    toy.common(mark, 1e9)
    executor = toy.main("executor", new_mark("executor"))
    toy.build()
    toy.assert_ships(common=mark, executor=executor)


def test_an_included_file_counts(toy: Toy) -> None:
    toy.build()
    mark = new_mark("text")
    toy.write("crates/common/src/text.txt", mark, 1e9)
    toy.build()
    toy.assert_ships(common=mark)


def test_without_layer_caches_and_after_that_the_right_code_is_shipped(toy: Toy) -> None:
    first = toy.common(new_mark("common"))
    toy.build()
    second = toy.common(new_mark("common"))
    toy.build("--no-cache")
    toy.assert_ships(common=second)
    toy.common(first)
    executor = toy.main("executor", new_mark("executor"))
    toy.build()
    toy.assert_ships(common=first, executor=executor)


def test_a_build_killed_midway_is_made_good_by_the_next(toy: Toy) -> None:
    toy.build()
    mark = toy.common(new_mark("common"))
    toy.write("crates/api/slow.txt", "60")
    build = toy.start()
    os.killpg(build.pid, signal.SIGKILL)
    build.communicate(timeout=30)
    toy.write("crates/api/slow.txt", "0")
    toy.build()
    toy.assert_ships(common=mark)


def test_what_is_saved_while_cargo_runs_is_in_the_next_build(toy: Toy) -> None:
    toy.build()
    early = toy.common(new_mark("common"))
    toy.write("crates/api/slow.txt", "3")
    build = toy.start()
    late = toy.common(new_mark("common"))
    build.communicate(timeout=600)
    assert build.returncode == 0
    toy.assert_ships(common=early)
    toy.build()
    toy.assert_ships(common=late)
