"""Whether pack binaries are those that their sources would give."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.errors import ConfigError
from attune_dev.packs.binaries import build_pack_binaries
from attune_dev.packs.built import MOST, MadeFrom, known_builds, remember
from attune_dev.packs.digest import file_digest
from attune_dev.packs.sources import Sources
from attune_dev.packs.stale import BinaryState, binary_states
from attune_dev.planning.graph import build_graph
from tests.unit.planning.repository import Repository

PLACE = "packs/core/sensors/timer"
LOCK = """
version = 4
[[package]]
name = "common"
version = "0.1.0"
dependencies = ["serde"]
[[package]]
name = "timer"
version = "0.1.0"
dependencies = ["common"]
[[package]]
name = "web"
version = "0.1.0"
dependencies = ["hyper"]
[[package]]
name = "serde"
version = "1.0.1"
source = "registry+x"
[[package]]
name = "hyper"
version = "1.0.1"
source = "registry+x"
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.members("crates/*")
    made.crate("crates/common")
    made.crate("crates/timer", "crates/common", bins=("timer",))
    made.crate("crates/web", bins=("web",))
    made.write(
        {
            "Cargo.lock": LOCK,
            "packs/core/pack.yaml": "ref: core\n",
            "packs/core/sensors/t.yaml": "entry_point: timer\n",
            "docker/Dockerfile.packs": "FROM rust AS b\nCOPY crates crates\nCOPY x.sh /\n"
            "RUN cargo build --bin timer\nFROM scratch\nCOPY --from=b target/debug/timer /\n",
            "x.sh": "",
        }
    )
    made.service("init", "./packs:/in:ro", "data:/out", image="debian", restart="no")
    made.service("api", "data:/packs:ro", image="api")
    return made


def digest(repo: Repository) -> str:
    return Sources(repo.root, build_graph(repo.load())).digest("timer")


@pytest.mark.parametrize(
    ("path", "text", "other"),
    [
        ("crates/timer/src/main.rs", "fn main() {} // x", True),
        ("crates/common/src/lib.rs", "// x", True),
        ("crates/common/Cargo.toml", None, True),
        ("docker/Dockerfile.packs", None, True),
        ("x.sh", "true", True),
        ("crates/timer/src/deep/new.rs", "", True),
        ("Cargo.lock", LOCK.replace('"serde"\nversion = "1.0.1"', '"serde"\nversion = "1.0.2"'), True),
        ("Cargo.lock", LOCK.replace('"hyper"\nversion = "1.0.1"', '"hyper"\nversion = "1.0.2"'), False),
        ("crates/web/src/main.rs", "fn main() {} // x", False),
        ("crates/timer/README.md", "x", False),
        ("crates/timer/tests/a.rs", "x", False),
        ("crates/timer/target/debug/x.rs", "x", False),
        ("crates/timer/src/.main.rs.swp", "x", False),
    ],
)  # fmt: skip
def test_the_digest_is_of_what_cargo_compiles_the_binary_from(
    repo: Repository, path: str, text: str | None, other: bool
) -> None:
    before = digest(repo)
    if text is None:
        text = (repo.root / path).read_text() + "\n# another line\n"
    repo.write({path: text})
    assert (digest(repo) != before) is other


def test_a_binary_is_missing_unknown_current_or_stale(repo: Repository) -> None:
    def state() -> BinaryState:
        (found,) = binary_states(repo.root, repo.load())
        assert (found.name, found.path) == ("timer", PLACE)
        return found.state

    assert state() is BinaryState.MISSING
    repo.write({PLACE: "program"})
    assert state() is BinaryState.UNKNOWN
    remember(repo.root, {repo.root / PLACE: MadeFrom(digest(repo), "dev")})
    assert state() is BinaryState.DEVELOPMENT
    remember(repo.root, {repo.root / PLACE: MadeFrom(digest(repo))})
    assert state() is BinaryState.CURRENT
    main = repo.root / "crates/timer/src/main.rs"
    old = main.read_text()
    main.write_text("fn main() {} // x")
    assert state() is BinaryState.STALE
    main.write_text(old)
    assert state() is BinaryState.CURRENT
    repo.write({PLACE: "another program"})
    assert state() is BinaryState.UNKNOWN


def test_what_the_volume_remembers_counts_where_this_machine_does_not(repo: Repository) -> None:
    def state(binary: str, sources: str) -> tuple[BinaryState, str]:
        in_volume = {PLACE: (binary, sources)}
        (found,) = binary_states(repo.root, repo.load(), in_volume=in_volume)
        return found.state, found.place

    now = digest(repo)
    assert state("any", now) == (BinaryState.CURRENT, "volume")
    assert state("any", "other") == (BinaryState.STALE, "volume")
    assert state("any", f"{now} dev") == (BinaryState.DEVELOPMENT, "volume")
    assert state("any", "other dev") == (BinaryState.STALE, "volume")
    repo.write({PLACE: "program"})
    assert state(file_digest(repo.root / PLACE), now) == (BinaryState.CURRENT, "disk")
    assert state("another program", now) == (BinaryState.UNKNOWN, "disk")


def test_only_the_last_builds_are_remembered(tmp_path: Path) -> None:
    place = tmp_path / "program"
    for number in range(MOST + 3):
        place.write_text(str(number))
        remember(tmp_path, {place: MadeFrom(f"sources{number}", "dev")})
    known = known_builds(tmp_path)
    assert len(known) == MOST
    assert known[file_digest(place)] == MadeFrom(f"sources{MOST + 2}", "dev")
    (tmp_path / ".attune-dev/pack-binaries.json").write_text('{"version": 1, "built": []}')
    assert known_builds(tmp_path) == {}


def test_a_crate_outside_of_the_workspace_needs_a_dockerfile_of_its_own(repo: Repository) -> None:
    repo.members("crates/*", exclude=("extra",))
    repo.crate("extra", bins=("mail",))
    with (repo.root / "extra/Cargo.toml").open("a") as manifest:
        manifest.write("\n[workspace]\n")
    repo.write({"packs/core/sensors/m.yaml": "entry_point: mail\n"})
    with pytest.raises(ConfigError, match="no Dockerfile compiles mail") as caught:
        build_pack_binaries(repo.root, repo.load(), ["mail"])
    assert "extra is outside of the workspace" in caught.value.why
    dockerfile = "FROM rust AS b\nCOPY . .\nRUN cargo build --bin mail\nFROM scratch\n"
    repo.write({"extra/Dockerfile": f"{dockerfile}COPY --from=b target/debug/mail /\n"})
    loaded = repo.load()
    assert loaded.pack_binary_images["extra/Dockerfile"].context == "extra"
    assert len(binary_states(repo.root, loaded)) == 2
