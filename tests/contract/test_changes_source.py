"""The watcher on the real file system: what editors and tools do must come out as changes.

Each test waits for the watcher's own proof that everything before now was heard, not for time.
"""

from __future__ import annotations

import ctypes
import errno
import inspect
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from attune_dev.model.event import Notice
from attune_dev.planning.ledger import Edit, describe
from attune_dev.state import state_directory
from attune_dev.watching.inbox import Inbox, Message, Rescan, Told, Touched
from attune_dev.watching.scope import Scope
from attune_dev.watching.snapshot import Snapshotter, edits_between
from attune_dev.watching.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCOPE = Scope(pruned=frozenset({"target", "src/target"}))
CONTENT = "fn main() {}\n"


class Bench:
    """A folder, a watcher on it, and what became known through the watcher alone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inbox = Inbox()
        self.looker = Snapshotter(root, SCOPE)
        self.watcher = Watcher(root, SCOPE, self.inbox)
        self.watcher.start()
        self.snapshot = self.looker.scan()
        self.messages: list[Message] = []

    def heard(self) -> set[str]:
        """The paths hinted at since the last call."""
        assert self.watcher.synchronise(5.0), "the watcher is deaf"
        paths: set[str] = set()
        while (message := self.inbox.get(0)) is not None:
            self.messages.append(message)
            if isinstance(message, Touched):
                paths |= message.paths
        return paths

    def changes(self) -> list[tuple[str, str]]:
        """What the hints lead to, as kind and path."""
        new = self.looker.refresh(self.snapshot, self.heard())
        edits = edits_between(self.snapshot, new)
        assert edits == edits_between(self.snapshot, self.looker.scan()), "a change was not heard"
        self.snapshot = new
        return [(change.kind.value, change.path) for change in describe(edits)]

    def notices(self) -> list[str]:
        """What people were told."""
        self.drain()
        events = [m.event for m in self.messages if isinstance(m, Told)]
        return [event.text for event in events if isinstance(event, Notice)]

    def rescans(self) -> list[str]:
        """Why everything was to be looked at."""
        self.drain()
        return [m.reason for m in self.messages if isinstance(m, Rescan)]

    def drain(self) -> None:
        while (message := self.inbox.get(0)) is not None:
            self.messages.append(message)

    def edits(self) -> tuple[Edit, ...]:
        """The difference to the last look, by the disk alone."""
        return edits_between(self.snapshot, self.looker.scan(self.snapshot))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    root = tmp_path / "root"
    (root / "src").mkdir(parents=True)
    (root / "src/main.rs").write_text(CONTENT)
    (root / "target/debug").mkdir(parents=True)
    state_directory(root)
    made = Bench(root)
    yield made
    made.watcher.stop()


def vim_by_rename(file: Path) -> None:
    probe = file.with_name("4913")
    probe.touch()
    probe.unlink()
    backup = file.with_name(file.name + "~")
    file.rename(backup)
    file.write_text("vim")
    file.chmod(0o644)
    backup.unlink()


def vim_in_place(file: Path) -> None:
    shutil.copy(file, file.with_name(file.name + "~"))
    file.write_text("vim in place")
    file.with_name(file.name + "~").unlink()


def jetbrains(file: Path) -> None:
    new, old = file.with_name("main.rs___jb_tmp___"), file.with_name("main.rs___jb_old___")
    new.write_text("jetbrains")
    file.rename(old)
    new.rename(file)
    old.unlink()


def vscode(file: Path) -> None:
    with file.open("w") as stream:
        stream.flush()
        stream.write("vs code")


def sed(file: Path) -> None:
    new = file.with_name("sedQx1Yz2")
    new.write_text("sed")
    new.rename(file)


def emacs(file: Path) -> None:
    lock = file.with_name(".#main.rs")
    lock.symlink_to("me@machine.1:1")
    file.rename(file.with_name("main.rs~"))
    file.write_text("emacs")
    lock.unlink()


def rustfmt(file: Path) -> None:
    subprocess.run(["sed", "-i", "s/main/MAIN/", str(file)], check=True)


@pytest.mark.parametrize(
    "save", [vim_by_rename, vim_in_place, jetbrains, vscode, sed, emacs, rustfmt]
)
def test_a_save_of_any_editor_is_one_modification(
    bench: Bench, save: Callable[[Path], None]
) -> None:
    save(bench.root / "src/main.rs")
    assert bench.changes() == [("modified", "src/main.rs")]


@pytest.mark.parametrize(
    "save", [vim_by_rename, vim_in_place, jetbrains, vscode, sed, emacs, rustfmt]
)
def test_the_watch_outlives_the_save(bench: Bench, save: Callable[[Path], None]) -> None:
    save(bench.root / "src/main.rs")
    bench.changes()
    (bench.root / "src/main.rs").write_text("again")
    assert bench.changes() == [("modified", "src/main.rs")]


def test_a_chmod_is_heard(bench: Bench) -> None:
    (bench.root / "src/main.rs").chmod(0o755)
    assert bench.changes() == [("modified", "src/main.rs")]


def test_a_touch_is_heard_and_changes_nothing(bench: Bench) -> None:
    os.utime(bench.root / "src/main.rs")
    assert bench.changes() == []


def test_reading_is_not_heard(bench: Bench) -> None:
    (bench.root / "src/main.rs").read_text()
    list((bench.root / "src").iterdir())
    assert bench.heard() == set()


def test_what_is_left_out_is_not_heard(bench: Bench) -> None:
    (bench.root / "target/debug/api").write_text("ELF")
    (bench.root / "src/target").mkdir()
    (bench.root / "src/target/x").write_text("x")
    (bench.root / "node_modules").mkdir()
    (bench.root / "node_modules/x").write_text("x")
    (bench.root / "src/main.rs.swp~").write_text("x")
    (bench.root / ".attune-dev/record.json").write_text("{}")
    assert bench.heard() == set()


def test_new_folders_are_listened_to_with_all_that_is_in_them(bench: Bench) -> None:
    (bench.root / "src/a/b/c").mkdir(parents=True)
    (bench.root / "src/a/b/c/deep.rs").write_text("1")
    assert bench.changes() == [("created", "src/a/b/c/deep.rs")]
    (bench.root / "src/a/b/c/deep.rs").write_text("2")
    (bench.root / "src/a/b/other.rs").write_text("x")
    assert bench.changes() == [("modified", "src/a/b/c/deep.rs"), ("created", "src/a/b/other.rs")]


def test_a_moved_folder_is_listened_to_at_its_new_place(bench: Bench) -> None:
    (bench.root / "src").rename(bench.root / "lib")
    assert bench.changes() == [("moved", "lib/main.rs")]
    (bench.root / "lib/main.rs").write_text("edited")
    assert bench.changes() == [("modified", "lib/main.rs")]


def test_a_folder_that_is_moved_away_is_deleted_and_listened_to_when_it_is_back(
    bench: Bench,
) -> None:
    away = bench.root.parent / "away"
    (bench.root / "src").rename(away)
    assert bench.changes() == [("deleted", "src/main.rs")]
    (away / "main.rs").write_text("edited outside")
    assert bench.changes() == []
    away.rename(bench.root / "back")
    assert bench.changes() == [("created", "back/main.rs")]
    (bench.root / "back/main.rs").write_text("edited inside")
    assert bench.changes() == [("modified", "back/main.rs")]


def test_a_folder_that_is_removed_and_made_again_is_listened_to(bench: Bench) -> None:
    for round_ in range(3):
        shutil.rmtree(bench.root / "src")
        (bench.root / "src").mkdir()
        (bench.root / "src/main.rs").write_text(f"round {round_}")
        assert bench.changes() == [("modified", "src/main.rs")]
    (bench.root / "src/main.rs").write_text("after")
    assert bench.changes() == [("modified", "src/main.rs")]


def test_a_folder_moved_out_of_what_is_left_out_comes_into_view(bench: Bench) -> None:
    (bench.root / "target/debug/gen.rs").write_text("x")
    (bench.root / "target/debug").rename(bench.root / "gen")
    assert bench.changes() == [("created", "gen/gen.rs")]
    (bench.root / "gen/gen.rs").write_text("y")
    assert bench.changes() == [("modified", "gen/gen.rs")]


def test_links_are_told_and_not_followed(bench: Bench) -> None:
    (bench.root / "src/loop").symlink_to("..")
    assert bench.changes() == [("created", "src/loop")]
    (bench.root / "src/loop").unlink()
    (bench.root / "src/loop").symlink_to("../target")
    assert bench.changes() == [("modified", "src/loop")]


def test_names_that_are_no_utf8_are_heard(bench: Bench) -> None:
    name = os.fsdecode(b"src/caf\xe9\n.rs")
    (bench.root / name).write_text("x")
    assert bench.changes() == [("created", name)]


def test_a_file_moved_away_holds_up_no_other_event(bench: Bench) -> None:
    for number in range(20):
        (bench.root / f"src/{number}").write_text("x")
    bench.changes()
    started = time.monotonic()
    for number in range(20):
        (bench.root / f"src/{number}").rename(bench.root.parent / f"gone{number}")
    (bench.root / "src/main.rs").write_text("edited")
    assert "src/main.rs" in bench.heard()
    assert time.monotonic() - started < 0.4  # watchdog by itself holds each for half a second


def test_a_burst_is_heard_whole_and_takes_little_room(bench: Bench) -> None:
    for number in range(2000):
        path = bench.root / f"src/d{number % 40}/f{number}.rs"
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    changes = bench.changes()
    assert len(changes) == 2000
    assert not bench.rescans()


def test_a_root_that_is_renamed_and_replaced_is_looked_at_again(bench: Bench) -> None:
    bench.root.rename(bench.root.parent / "old")
    bench.watcher.check()
    (bench.root / "src").mkdir(parents=True)
    (bench.root / "src/main.rs").write_text("another checkout")
    bench.watcher.check()
    assert bench.rescans() == ["the project folder was replaced"]
    bench.snapshot = bench.looker.scan()
    (bench.root / "src/main.rs").write_text("edited")
    assert bench.changes() == [("modified", "src/main.rs")]


def test_a_dead_observer_is_noticed_and_replaced(bench: Bench) -> None:
    assert bench.watcher.observation is not None
    bench.watcher.observation.stop()
    (bench.root / "src/main.rs").write_text("unheard")
    bench.watcher.check()
    assert bench.rescans() == ["the watcher died"]
    assert [edit.path for edit in bench.edits()] == ["src/main.rs"]
    bench.snapshot = bench.looker.scan()
    (bench.root / "src/main.rs").write_text("heard")
    assert bench.changes() == [("modified", "src/main.rs")]


def test_again_and_again_leads_to_polling(bench: Bench) -> None:
    for _ in range(4):
        assert bench.watcher.observation is not None
        bench.watcher.observation.stop()
        bench.watcher.check()
    assert bench.watcher.polling
    assert "again and again" in bench.notices()[0]
    bench.watcher.check()
    assert bench.rescans()[-1] == ""


def test_polling_asks_for_a_look_by_the_clock(tmp_path: Path) -> None:
    now = [0.0]
    inbox = Inbox()
    watcher = Watcher(tmp_path, SCOPE, inbox, poll=True, clock=lambda: now[0])
    watcher.start()
    for second in range(5):
        now[0] = float(second)
        watcher.check()
    looks = []
    while (message := inbox.get(0)) is not None:
        looks.append(message)
    assert looks == [Rescan(), Rescan(), Rescan()]
    watcher.stop()


def test_another_scope_can_be_listened_to(bench: Bench) -> None:
    (bench.root / "docs").mkdir()
    narrow = Scope(trees=frozenset({"docs"}), flat=frozenset({""}))
    bench.looker.scope = narrow
    bench.watcher.retarget(narrow)
    bench.snapshot = bench.looker.scan()
    (bench.root / "src/main.rs").write_text("not ours any more")
    (bench.root / "docs/a.md").write_text("ours now")
    assert bench.changes() == [("created", "docs/a.md")]


def test_an_exhausted_limit_of_instances_leads_to_polling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchdog.observers.inotify_c import InotifyFD

    def refuse() -> int:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    monkeypatch.setattr(InotifyFD, "_create_inotify_fd", staticmethod(refuse))
    state_directory(tmp_path)
    bench = Bench(tmp_path)
    assert bench.watcher.polling
    assert "max_user_instances" in bench.notices()[0]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")
def test_an_exhausted_limit_of_watches_is_told_and_leads_to_polling(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchdog.observers import inotify_c

    real, made = inotify_c.inotify_add_watch, []

    def limited(handle: int, path: bytes, mask: int) -> int:
        made.append(path)
        if len(made) > 3:
            ctypes.set_errno(errno.ENOSPC)
            return -1
        return int(real(handle, path, mask))

    monkeypatch.setattr(inotify_c, "inotify_add_watch", limited)
    (bench.root / "src/a/b/c/d/e").mkdir(parents=True)
    bench.heard()
    bench.watcher.check()
    assert bench.watcher.polling
    assert "max_user_watches" in bench.notices()[0]


SUSPENDED = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.contract.test_changes_source import Bench
bench = Bench(Path(sys.argv[1]))
print("listening", flush=True)
sys.stdin.readline()
deadline = time.monotonic() + 20
while not bench.rescans() and time.monotonic() < deadline:
    bench.watcher.check()
    time.sleep(0.05)
print(bench.rescans(), flush=True)
print(len(bench.edits()), flush=True)
bench.snapshot = bench.looker.scan()
(bench.root / "src/main.rs").write_text("later")
print(bench.changes(), flush=True)
used = time.process_time()
time.sleep(1)
print(time.process_time() - used < 0.3, flush=True)
bench.watcher.stop()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")
def test_an_overflow_while_suspended_is_healed_and_the_ears_still_work(tmp_path: Path) -> None:
    """The watcher's process is stopped while more happens than the kernel's queue can hold."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.rs").write_text(CONTENT)
    for number in range(400):
        (tmp_path / f"src/d{number}").mkdir()
    state_directory(tmp_path)
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", SUSPENDED, str(tmp_path), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "listening\n"
        os.kill(child.pid, signal.SIGSTOP)
        files = limit // 3 + 400  # created, modified and closed: three events each
        for number in range(files):
            with (tmp_path / f"src/d{number % 400}/f{number}").open("w") as file:
                file.write("x")
        os.kill(child.pid, signal.SIGCONT)
        out, _ = child.communicate("go\n", timeout=60)
    finally:
        child.kill()
        child.wait()
    rescans, edits, later, quiet = out.splitlines()
    assert rescans == "['too many changes at once']"
    assert edits == str(files)
    assert later == "[('modified', 'src/main.rs')]"
    assert quiet == "True"


def test_the_insides_of_watchdog_that_are_leant_on_have_their_shape() -> None:
    from watchdog.observers.api import BaseObserver
    from watchdog.observers.inotify import InotifyEmitter, InotifyWatchGroup
    from watchdog.observers.inotify_c import InotifyFD
    from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

    def names(function: Callable[..., object]) -> list[str]:
        return list(inspect.signature(function).parameters)

    assert names(InotifyFD.handle_event) == ["self", "event"]
    assert names(InotifyFD._add_callback) == ["self", "path", "mask", "callback", "id_"]
    assert names(InotifyFD._get_or_create_watch) == ["self", "path", "mask"]
    assert names(InotifyWatchGroup._add_all_callbacks) == ["self", "path"]
    assert names(InotifyWatchGroup.on_event) == ["self", "event"]
    assert names(InotifyWatchGroup._build_event_source_path) == ["self", "event"]
    assert names(InotifyWatchGroup._add_callback) == ["self", "path"]
    assert names(InotifyWatchGroup._recursive_simulate) == ["self", "src_path"]
    assert names(InotifyWatchGroup._remove_watch_internally) == ["self", "wd"]
    assert names(InotifyEmitter.build_and_queue_event) == ["self", "event", "full_events"]
    assert names(InotifyMoveEventGrouper.__init__) == ["self"]
    assert names(BaseObserver.__init__) == ["self", "emitter_class", "timeout", "kwargs"]
    assert "_inotify_fd" in inspect.getsource(InotifyFD.__init__)
