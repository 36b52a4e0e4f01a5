"""What git, editors, agents and mishaps do to a tree, as the loop takes it."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune_dev.model.event import Idle, Planned, Stopped, Unchanged
from attune_dev.watching.inbox import Request
from tests.programs.watching.real import GIT, Real, looping

FILES = 5_000


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    for name in ("services/api", "packs/core"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "services/api/main.rs").write_text("one")
    (tmp_path / "packs/core/a.yaml").write_text("one")
    (tmp_path / ".gitignore").write_text(".attune-dev\n")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run([*GIT, *words], cwd=tmp_path, check=True)
    with looping(tmp_path) as running:
        yield running


def commit(real: Real, text: str) -> None:
    for number in range(FILES):
        file = real.root / f"packs/core/d{number // 100}/f{number}"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{text} {number}")
    real.git("add", "-A")
    real.git("commit", "-qm", text)


def test_a_branch_switch_of_5000_files_is_one_batch_and_one_plan(real: Real) -> None:
    commit(real, "one")
    real.git("checkout", "-qb", "other")
    commit(real, "two")
    assert real.settle()["ok"]
    mark = len(real.events)
    real.git("checkout", "-q", "-")
    assert real.settle()["ok"]
    plans = real.plans(mark)
    assert len(plans) == 1, [len(plan.changes) for plan in plans]
    assert len(plans[0].changes) == FILES
    assert real.differing("packs") == []


def test_a_rebase_of_many_commits_ends_with_what_is_on_disk(real: Real) -> None:
    real.git("checkout", "-qb", "work")
    for number in range(15):
        (real.root / "packs/core/b.yaml").write_text(f"{number}\n")
        real.git("add", "-A")
        real.git("commit", "-qm", f"{number}")
    real.git("checkout", "-q", "-")
    (real.root / "packs/core/c.yaml").write_text("main")
    real.git("add", "-A")
    real.git("commit", "-qm", "main")
    real.settle()
    mark = len(real.events)
    real.git("checkout", "-q", "work")
    real.git("rebase", "-q", "-")
    assert real.settle()["ok"]
    assert real.differing("packs") == []
    assert len(real.plans(mark)) <= 3, "a plan for each commit"


def test_an_agent_that_writes_200_files_is_one_batch(real: Real) -> None:
    mark = len(real.events)
    for number in range(200):
        (real.root / f"packs/core/{number}.yaml").write_text("x")
    assert real.settle()["ok"]
    assert len(real.plans(mark)) == 1
    assert real.differing("packs") == []


def test_writes_that_never_stop_are_taken_at_the_cap_and_all_live_at_the_end(real: Real) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.wait(0.02):
            number += 1
            (real.root / "packs/core/a.yaml").write_text(f"{number}")

    mark = len(real.events)
    writer = threading.Thread(target=write)
    writer.start()
    real.until(lambda: len(real.plans(mark)) >= 2, "starved")
    stop.set()
    writer.join()
    assert real.settle()["ok"]
    assert real.differing("packs") == []


def test_a_file_that_vanishes_at_once_is_never_told(real: Real) -> None:
    mark = len(real.events)
    for number in range(50):
        file = real.root / f"packs/core/tmp{number}"
        file.write_text("x")
        file.unlink()
    (real.root / "packs/core/a.yaml").write_text("two")
    assert real.settle()["ok"]
    assert real.changed(mark) == [("modified", "packs/core/a.yaml")]


def test_a_failed_file_stays_pending_until_it_changes_and_never_spins(real: Real) -> None:
    real.fails = lambda path: real.content(path) == b"broken"
    (real.root / "services/api/main.rs").write_text("broken")
    answer = real.settle()
    assert (answer["ok"], answer["pending"]) == (False, ["services/api/main.rs"])
    count = len(real.plans())
    (real.root / "packs/core/a.yaml").write_text("two")
    assert not real.settle()["ok"]
    assert len(real.plans()) == count + 1, "failed work was done again for an unrelated change"
    (real.root / "services/api/main.rs").write_text("one")
    assert real.settle()["ok"]
    assert real.live["services/api/main.rs"] == b"one"


def test_work_that_writes_into_the_tree_ends(real: Real) -> None:
    made = real.root / "docs/generated.md"
    made.parent.mkdir()

    def write() -> None:
        made.write_text("always the same")

    real.during = write
    (real.root / "packs/core/a.yaml").write_text("two")
    assert real.settle()["ok"]
    assert real.settle()["ok"]  # what the work wrote has been seen, too
    count = len(real.of(Planned))
    assert real.settle()["ok"]
    assert len(real.of(Planned)) == count


def test_work_that_writes_its_own_cause_is_named_and_stopped(real: Real) -> None:
    count = 0

    def write() -> None:
        nonlocal count
        count += 1
        (real.root / "services/api/version.rs").write_text(f"{count}")

    real.during = write
    (real.root / "services/api/main.rs").write_text("two")
    real.until(lambda: real.problems, "never named")
    answer = real.settle()
    assert answer["pending"] == ["services/api/version.rs"]
    what = "services/api/version.rs changes each time because of the work that it causes"
    assert real.problems == [what]
    assert [error["message"] for error in answer["errors"]] == [what]
    real.during = lambda: None
    (real.root / "services/api/main.rs").write_text("three")
    assert real.settle()["ok"]
    assert real.differing("services") == []


def test_a_root_that_is_removed_and_made_again_is_followed(real: Real, tmp_path: Path) -> None:
    aside = tmp_path.with_name(f"{tmp_path.name}-aside")
    real.root.rename(aside)
    shutil.copytree(aside, real.root)
    (real.root / "packs/core/a.yaml").write_text("two")
    real.until(lambda: real.live.get("packs/core/a.yaml") == b"two", "not followed")
    assert "the project folder was replaced; looking at everything again" in real.notices
    (real.root / "packs/core/a.yaml").write_text("three")
    real.until(lambda: real.live.get("packs/core/a.yaml") == b"three", "deaf")
    shutil.rmtree(aside)


def test_a_dead_watcher_is_replaced_and_nothing_is_lost(real: Real) -> None:
    observation = real.watcher.observation
    assert observation is not None
    observation.stop()
    (real.root / "packs/core/a.yaml").write_text("two")
    real.until(lambda: real.live.get("packs/core/a.yaml") == b"two", "lost")
    assert "the watcher died; looking at everything again" in real.notices


def test_a_pause_holds_and_the_next_key_goes_on(real: Real) -> None:
    real.request(Request.PAUSE)
    (real.root / "packs/core/a.yaml").write_text("two")
    answer = real.settle()
    assert (answer["ok"], answer["held"]) == (False, "paused")
    real.request(Request.PAUSE)
    assert real.settle()["ok"]
    assert real.live["packs/core/a.yaml"] == b"two"


def test_saves_of_names_that_are_no_utf8_are_followed(real: Real) -> None:
    name = os.fsdecode(b"packs/core/caf\xe9\n.yaml")
    (real.root / name).write_text("x")
    assert real.settle()["ok"]
    assert real.live[name] == b"x"


@pytest.mark.usefixtures("modes_bind")
def test_an_unreadable_file_is_named_and_the_others_go_on(real: Real) -> None:
    (real.root / "services/api/main.rs").chmod(0)
    (real.root / "packs/core/a.yaml").write_text("two")
    real.settle()
    assert real.live["packs/core/a.yaml"] == b"two"
    assert real.problems == ["cannot read services/api/main.rs"]
    (real.root / "services/api/main.rs").chmod(0o644)


def test_a_save_that_changes_no_byte_is_told_and_plans_nothing(real: Real) -> None:
    mark = len(real.of(Planned))
    (real.root / "packs/core/a.yaml").write_text("one")
    real.until(lambda: real.of(Unchanged), "not told")
    assert len(real.of(Planned)) == mark


def test_polling_finds_all_that_events_would(tmp_path: Path) -> None:
    (tmp_path / "packs/core").mkdir(parents=True)
    with looping(tmp_path, poll=True) as real:
        (tmp_path / "packs/core/a.yaml").write_text("two")
        assert real.settle()["ok"]
        assert real.live["packs/core/a.yaml"] == b"two"


def test_the_end_is_told_with_its_code(real: Real) -> None:
    assert real.stop() == 0
    assert real.of(Stopped) == [Stopped(0, "")]
    assert real.of(Idle)[-1].ok
