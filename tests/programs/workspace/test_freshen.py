"""docker/freshen.sh: cargo sees content, whatever times the sources came with."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "docker" / "freshen.sh"
MANIFEST = '[package]\nversion = "1.0.0"\nname = "attune-api"\n\n[[bin]]\nname = "other"\n'

pytestmark = pytest.mark.skipif(
    shutil.which("flock") is None or shutil.which("sha256sum") is None,
    reason="runs in Debian images; this machine lacks its tools",
)


class Workspace:
    """A folder with sources and the target folder that outlives builds."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root.with_name(f"{root.name}-cargo-home")
        self.write("crates/api/Cargo.toml", MANIFEST)
        self.write("crates/api/src/main.rs", "A")
        self.write("crates/api/src/other.rs", "other")

    def write(self, name: str, text: str, mtime: float | None = None) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if mtime is not None:
            os.utime(file, (mtime, mtime))

    def time(self, name: str) -> int:
        """Modification time in nanoseconds, which is what cargo compares."""
        return (self.root / name).stat().st_mtime_ns

    def build(self, absent: str = "") -> str:
        """What a build does before cargo, and an artefact as cargo leaves it; what was said."""
        said = f'absent="{absent}"; ' if absent else ""
        done = subprocess.run(
            ["sh", "-c", f'set -eu; {said}. "{SCRIPT}"; echo compiled > target/artefact'],
            cwd=self.root,
            env=os.environ | {"CARGO_HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


MAIN = "crates/api/src/main.rs"


def test_cargo_locks_the_registry_that_builds_share(workspace: Workspace) -> None:
    workspace.home.mkdir()
    (workspace.home / ".package-cache").touch()  # of a cargo that ran while the image was made
    for _ in range(2):
        workspace.build()
    for name in (".package-cache", ".package-cache-mutate"):
        (workspace.home / name).write_text(name)
        assert (workspace.home / "registry" / name).read_text() == name


def test_a_source_is_older_than_what_was_compiled_from_it(workspace: Workspace) -> None:
    workspace.build()
    assert workspace.time(MAIN) < workspace.time("target/artefact")


@pytest.mark.parametrize("mtime", [1.0, 4_000_000_000.0], ids=["past", "future"])
def test_unchanged_content_gets_its_time_back(workspace: Workspace, mtime: float) -> None:
    workspace.build()
    first = workspace.time(MAIN)
    workspace.write(MAIN, "A", mtime)
    assert "0 of 3" in workspace.build()
    assert workspace.time(MAIN) == first


@pytest.mark.parametrize("mtime", [1.0, 4_000_000_000.0], ids=["past", "future"])
def test_changed_content_is_newer_than_all_that_was_compiled(
    workspace: Workspace, mtime: float
) -> None:
    workspace.build()
    workspace.write(MAIN, "B", mtime)
    compiled = workspace.time("target/artefact")
    other = workspace.time("crates/api/src/other.rs")
    assert "1 of 3" in workspace.build()
    assert compiled < workspace.time(MAIN) < workspace.time("target/artefact")
    assert workspace.time("crates/api/src/other.rs") == other


def test_content_that_comes_back_after_another_build_is_new_again(workspace: Workspace) -> None:
    workspace.build()
    workspace.write(MAIN, "B")
    workspace.build()
    compiled = workspace.time("target/artefact")
    workspace.write(MAIN, "A", 1.0)
    workspace.build()
    assert workspace.time(MAIN) > compiled


def test_content_that_comes_back_without_a_build_between_is_not_new(workspace: Workspace) -> None:
    workspace.build()
    workspace.write(MAIN, "B")
    workspace.write(MAIN, "A")
    assert "0 of 3" in workspace.build()


def test_a_file_that_was_gone_in_a_build_is_new_when_it_is_back(workspace: Workspace) -> None:
    workspace.build()
    (workspace.root / MAIN).unlink()
    workspace.build()
    compiled = workspace.time("target/artefact")
    workspace.write(MAIN, "A", 1.0)
    workspace.build()
    assert workspace.time(MAIN) > compiled


def test_a_build_killed_while_it_wrote_its_record_is_made_good(workspace: Workspace) -> None:
    workspace.build()
    (workspace.root / "target/.freshness/record.new").write_text("0" * 64 + " 1")
    workspace.write(MAIN, "B", 1.0)
    compiled = workspace.time("target/artefact")
    assert "1 of 3" in workspace.build()
    assert workspace.time(MAIN) > compiled


def test_names_of_any_kind_are_handled_and_those_with_escapes_are_always_new(
    workspace: Workspace,
) -> None:
    names = ["with space.rs", "trailing ", "-dash", "$(touch oops)", "ünï.rs"]
    odd = ["new\nline.rs", "back\\slash.rs"]
    for name in names + odd:
        workspace.write(f"crates/api/src/{name}", name)
    workspace.build()
    before = {name: workspace.time(f"crates/api/src/{name}") for name in names + odd}
    workspace.build()
    after = {name: workspace.time(f"crates/api/src/{name}") for name in names + odd}
    moved = {name for name in names + odd if after[name] != before[name]}
    assert set(odd) <= moved <= {*odd, "trailing "}
    assert not list(workspace.root.rglob("oops"))


def test_many_files_of_many_times_get_each_its_own_back(workspace: Workspace) -> None:
    for step in range(3):
        for number in range(step * 250, step * 250 + 250):
            workspace.write(f"crates/api/src/f{number}.rs", str(number))
        workspace.build()
    files = [f"crates/api/src/f{number}.rs" for number in range(750)]
    before = [workspace.time(file) for file in files]
    assert len(set(before)) == 3
    for file in files:
        os.utime(workspace.root / file, (1, 1))
    assert "0 of 753" in workspace.build()
    assert [workspace.time(file) for file in files] == before


def test_after_the_clock_was_set_back_the_workspace_is_compiled_again(
    workspace: Workspace,
) -> None:
    workspace.build()
    fingerprints = workspace.root / "target/release/.fingerprint"
    for unit in ("attune-api-0123", "other-4567", "serde-89ab"):
        workspace.write(f"target/release/.fingerprint/{unit}/dep", unit, 4_000_000_000.0)
    told = workspace.build()
    assert "clock was set back" in told
    assert "3 of 3" in told
    assert sorted(unit.name for unit in fingerprints.iterdir()) == ["other-4567", "serde-89ab"]
    assert workspace.time("target/release/.fingerprint/serde-89ab/dep") <= workspace.time(MAIN)
    assert "0 of 3" in workspace.build()


def test_the_first_build_does_not_take_its_own_files_for_a_clock_set_back(
    workspace: Workspace,
) -> None:
    assert "clock" not in workspace.build()


def test_builds_with_one_target_folder_take_turns(workspace: Workspace) -> None:
    command = f'set -eu; . "{SCRIPT}" >/dev/null; echo held; read line; echo done'
    with subprocess.Popen(
        ["sh", "-c", command],
        cwd=workspace.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        lock = str(workspace.root / "target/.freshness/lock")
        taken = subprocess.run(["flock", "-n", lock, "true"], timeout=10)
        assert taken.returncode == 1
        first.communicate("go\n", timeout=10)
    assert subprocess.run(["flock", "-n", lock, "true"], timeout=10).returncode == 0


def test_a_build_without_a_package_leaves_what_is_known_of_it(workspace: Workspace) -> None:
    workspace.write("crates/executor/src/main.rs", "B")
    workspace.build()
    first = workspace.time("crates/executor/src/main.rs")
    shutil.rmtree(workspace.root / "crates/executor")
    workspace.build(absent="crates/executor crates/gone")
    workspace.write("crates/executor/src/main.rs", "B")
    workspace.build(absent="crates/api")
    assert workspace.time("crates/executor/src/main.rs") == first


def test_a_source_that_was_gone_with_its_package_here_is_new(workspace: Workspace) -> None:
    workspace.build()
    first = workspace.time("crates/api/src/other.rs")
    (workspace.root / "crates/api/src/other.rs").unlink()
    workspace.build(absent="crates/executor crates/ap")
    workspace.write("crates/api/src/other.rs", "other", 1.0)
    workspace.build()
    assert workspace.time("crates/api/src/other.rs") > first


TEMPLATES = "crates/api/templates"


def test_a_folder_is_new_when_a_name_in_it_came_or_went_whatever_time_it_came_with(
    workspace: Workspace,
) -> None:
    workspace.write(f"{TEMPLATES}/a.html", "a")
    workspace.write(f"{TEMPLATES}/deep/b.html", "b")
    workspace.build()
    first, deep = workspace.time(TEMPLATES), workspace.time(f"{TEMPLATES}/deep")
    assert first < workspace.time("target/artefact")
    workspace.write(f"{TEMPLATES}/c.html", "c")
    workspace.build()
    assert workspace.time(TEMPLATES) > first
    # a cached layer brings the folder back as it was
    (workspace.root / TEMPLATES / "c.html").unlink()
    os.utime(workspace.root / TEMPLATES, ns=(first, first))
    compiled = workspace.time("target/artefact")
    workspace.build()
    gone = workspace.time(TEMPLATES)
    assert gone > compiled
    # and so it stays, for a build may have been killed before it went by that
    os.utime(workspace.root / TEMPLATES, ns=(first, first))
    workspace.build()
    assert workspace.time(TEMPLATES) == gone
    assert workspace.time(f"{TEMPLATES}/deep") == deep


def test_a_folder_that_was_emptied_is_new(workspace: Workspace) -> None:
    workspace.write(f"{TEMPLATES}/a.html", "a")
    workspace.build()
    (workspace.root / TEMPLATES / "a.html").unlink()
    os.utime(workspace.root / TEMPLATES, (1, 1))
    compiled = workspace.time("target/artefact")
    workspace.build()
    assert workspace.time(TEMPLATES) > compiled


def test_folders_of_a_package_that_is_not_here_stay_as_they_are_known(
    workspace: Workspace,
) -> None:
    workspace.write("crates/executor/src/main.rs", "B")
    workspace.build()
    first = workspace.time("crates/executor/src")
    shutil.rmtree(workspace.root / "crates/executor")
    workspace.build(absent="crates/executor/src")
    workspace.write("crates/executor/src/main.rs", "B")
    workspace.build()
    assert workspace.time("crates/executor/src") == first


def test_a_link_is_what_it_leads_to(workspace: Workspace) -> None:
    workspace.write("crates/api/dev.toml", "dev")
    workspace.write("crates/api/prod.toml", "prod")
    link = workspace.root / "crates/api/active.toml"
    link.symlink_to("dev.toml")
    (workspace.root / "crates/api/dangling").symlink_to("nowhere")
    (workspace.root / "crates/api/folder").symlink_to("src")
    workspace.build()
    compiled = workspace.time("target/artefact")
    link.unlink()
    link.symlink_to("prod.toml")
    assert "1 of 6" in workspace.build()
    there = workspace.time("crates/api/active.toml")
    assert there > compiled
    assert "0 of 6" in workspace.build()
    assert workspace.time("crates/api/active.toml") == there
