"""The sample workspace with one more file of each class, so that every class can be edited."""

from __future__ import annotations

import shutil
from pathlib import Path

from attune_dev.docker import process
from tests.ground_truth.edit import Step, add, put, relock, swap

PROJECT = "attune-truth"

_CRATE = """\
[package]
name = "{name}"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
{needs}"""


def crate(folder: str, name: str, needs: str = "", code: str = "") -> tuple[Step, ...]:
    """A library."""
    return (
        put(f"crates/{folder}/Cargo.toml", _CRATE.format(name=name, needs=needs)),
        put(f"crates/{folder}/src/lib.rs", code or 'pub fn name() -> &\'static str { "one" }\n'),
    )


SUPPLEMENTS: tuple[Step, ...] = (
    swap("docker-compose.yaml", "name: attune\n", f"name: {PROJECT}\n"),
    # a file that a source includes, and one that a build script reads
    put("crates/api/assets/banner.txt", "banner one\n"),
    put(
        "crates/api/src/marker.rs",
        'pub const MARKER: &str = concat!("api-1", include_str!("../assets/banner.txt"));\n',
    ),
    put("crates/executor/limits.txt", "limit-one"),
    put(
        "crates/executor/build.rs",
        "fn main() {\n"
        '    println!("cargo:rerun-if-changed=limits.txt");\n'
        '    let text = std::fs::read_to_string("limits.txt").unwrap();\n'
        '    println!("cargo:rustc-env=LIMITS={}", text.trim());\n'
        "}\n",
    ),
    put(
        "crates/executor/src/marker.rs",
        'pub const MARKER: &str = concat!("executor-1", env!("LIMITS"));\n',
    ),
    # a binary in no service, a source that no module names
    put("crates/notifier/src/bin/notify-tool.rs", 'fn main() {\n    println!("one");\n}\n'),
    put("crates/worker/src/unused.rs", "pub const NOTHING: u8 = 1;\n"),
    # packages that nothing ships: by an optional dependency, for tests, and by nobody
    *crate("extra", "attune-extra"),
    *crate("fixtures", "attune-fixtures"),
    *crate("lonely", "attune-lonely", 'either = "=1.13.0"\n'),
    add(
        "crates/sensor/Cargo.toml",
        'attune-extra = { path = "../extra", optional = true }\n',
    ),
    add(
        "crates/api/Cargo.toml",
        '\n[dev-dependencies]\nattune-fixtures = { path = "../fixtures" }\n',
    ),
    relock,
    # what is beside the code
    put("crates/api/README.md", "# api\n"),
    put("crates/api/docs/routes.md", "# routes\n"),
    put("crates/api/tests/smoke.rs", "#[test]\nfn one() {}\n"),
    put("crates/api/benches/load.rs", "fn main() {}\n"),
    put("crates/api/examples/ask.rs", "fn main() {}\n"),
    # a second pack, documents
    put("packs/extra/pack.yaml", "ref: extra\nlabel: Extra\nversion: 1.0.0\n"),
    put("packs/extra/actions/hello.sh", "#!/bin/sh\necho hello\n"),
    put("packs/extra/README.md", "# extra\n"),
    put("packs.dev/examples/README.md", "# examples\n"),
    put(".github/workflows/ci.yaml", "on: push\n"),
)


def make_sample(source: Path, place: Path) -> None:
    """Makes the workspace.

    Args:
        source: the repository.
        place: where; what is there is removed.
    """
    shutil.rmtree(place, ignore_errors=True)
    listed = process.run(["git", "ls-files", "-z"], cwd=source).stdout
    for path in filter(None, listed.split("\0")):
        if path.startswith("tests/") or not (source / path).is_file():
            continue
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / path, place / path)
    shutil.copy2(source / ".env", place / ".env")
    put("tests/unit/test_one.py", "def test_one() -> None: ...\n")(place)
    for step in SUPPLEMENTS:
        step(place)
