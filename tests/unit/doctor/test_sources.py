"""Images that are older than what they are made from."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from attune_dev.doctor.report import Finding, NotKnown
from attune_dev.doctor.sources import of_sources
from attune_dev.history.rows import ActionRow, RunRow, TargetRow
from attune_dev.planning.ledger import Ledger
from attune_dev.state import state_directory
from attune_dev.watching.record import Record
from attune_dev.watching.scope import scope_of
from attune_dev.watching.snapshot import Snapshotter
from tests.unit.planning.repository import MULTI_STAGE, Repository

SERVICES = ("api", "web")


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """Two services with a shared crate, as they were when `inv dev` was idle the last time."""
    made = Repository(tmp_path)
    made.members("crates/*")
    made.crate("crates/common")
    for name in SERVICES:
        made.crate(f"crates/{name}", "crates/common", bins=(name,))
        made.write({f"docker/{name}.Dockerfile": MULTI_STAGE.format(binary=name)})
        made.service(name, build=f"docker/{name}.Dockerfile")
    seen = Snapshotter(tmp_path, scope_of(made.load())).scan()
    assert Record(state_directory(tmp_path)).save(seen, Ledger())
    return made


def _found(repo: Repository, *runs: RunRow) -> list[Finding]:
    return list(of_sources(repo.root, repo.load(), SERVICES, runs))


def _build(*names: str, outcome: str = "succeeded", begun: float) -> RunRow:
    targets = tuple(TargetRow(name, "compiled", changed=True) for name in names)
    return RunRow(
        begun, 1.0, outcome != "failed", (ActionRow("build", outcome, 1.0, targets=targets),)
    )


def test_nothing_changed_nothing_found(repo: Repository) -> None:
    assert _found(repo) == []


def test_what_was_saved_since_is_told_for_whose_image_it_is(repo: Repository) -> None:
    repo.write({"crates/api/src/main.rs": "fn main() { println!() }\n", "README.md": "new\n"})
    assert _found(repo) == [
        Finding("api", "its image is older than crates/api/src/main.rs", "./inv up api")
    ]
    repo.write({"crates/common/src/lib.rs": "pub fn f() {}\n"})
    assert [finding.name for finding in _found(repo)] == ["api", "web"]


def test_a_touch_and_a_change_that_was_taken_back_are_nothing(repo: Repository) -> None:
    file = repo.root / "crates/api/src/main.rs"
    before = file.read_text()
    file.write_text("fn main() { panic!() }\n")
    file.write_text(before)
    os.utime(repo.root / "crates/web/src/main.rs")
    assert _found(repo) == []


def test_a_build_that_began_after_the_save_has_taken_it_up(repo: Repository) -> None:
    repo.write({"crates/common/src/lib.rs": "pub fn f() {}\n"})
    later, earlier = time.time() + 1, time.time() - 60
    assert _found(repo, _build(*SERVICES, begun=later)) == []
    assert [f.name for f in _found(repo, _build("api", begun=later))] == ["web"]
    assert [f.name for f in _found(repo, _build(*SERVICES, begun=earlier))] == ["api", "web"]
    failed = _build(*SERVICES, outcome="failed", begun=later)
    assert [f.name for f in _found(repo, failed)] == ["api", "web"]


def test_a_file_that_is_gone_counts(repo: Repository) -> None:
    repo.write({"crates/api/src/extra.rs": "\n"})
    seen = Snapshotter(repo.root, scope_of(repo.load())).scan()
    Record(state_directory(repo.root)).save(seen, Ledger())
    repo.remove("crates/api/src/extra.rs")
    assert [finding.name for finding in _found(repo)] == ["api"]


def test_many_files_are_counted(repo: Repository) -> None:
    repo.write({f"crates/api/src/m{n}.rs": "\n" for n in range(5)})
    (found,) = _found(repo)
    assert found.what.endswith("src/m0.rs, crates/api/src/m1.rs, crates/api/src/m2.rs and 2 more")


def test_without_a_record_nobody_knows(repo: Repository) -> None:
    Record(state_directory(repo.root)).forget()
    with pytest.raises(NotKnown, match="no record"):
        _found(repo)
