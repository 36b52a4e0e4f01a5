"""The sync engine on a real engine: volumes, helpers, readers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from attune_dev.docker.labels import HELPER_LABEL as LABEL
from attune_dev.errors import ActionError, EnvironmentLacksError
from attune_dev.model.cargo import CargoModel
from attune_dev.model.compose import ComposeProject
from attune_dev.model.workspace import Workspace
from attune_dev.packs import quick
from attune_dev.packs.report import PackOutcome, SyncReport
from attune_dev.packs.status import PackState, packs_status, volume_status
from tests.contract.rigs import base_image
from tests.docker.packs_volume import FOLDER, PLACE, PacksVolume, docker
from tests.programs.packs.world import World, until, wanted

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def image() -> str:
    name = base_image()
    if name is None:
        pytest.skip("the engine has no Debian image")
    return name


@pytest.fixture
def engine(tmp_path: Path, image: str) -> Iterator[PacksVolume]:
    made = PacksVolume(tmp_path, image)
    yield made
    made.remove()


@contextmanager
def _small_volume(base: Path, image: str, megabytes: int) -> Iterator[PacksVolume]:
    options = ("type=tmpfs", "device=tmpfs", f"o=size={megabytes}m")
    made = PacksVolume(base, image, tuple(w for option in options for w in ("--opt", option)))
    try:
        yield made
    finally:
        made.remove()


def _fill(world: World) -> None:
    world.write("core/pack.yaml", "ref: core\n", 0o600)
    world.write("core/actions/run.sh", "#!/bin/sh\necho old\n", 0o755)
    world.write("core/actions/.run.sh.swp", "vim")
    (world.packs / "core/empty").mkdir()
    (world.packs / "core/link").symlink_to("actions/run.sh")
    (world.packs / "core" / os.fsdecode(b"\xff\xfe")).write_bytes(b"not UTF-8")
    world.write("core/large", os.urandom(3_000_000))
    world.write("other/pack.yaml")


def test_services_find_exactly_what_the_packs_hold(engine: PacksVolume) -> None:
    world = engine.world
    _fill(world)
    assert engine.sync(kept=False).changed
    reader = engine.start("sleep", "600")
    assert engine.tree(reader) == wanted(world.packs)
    world.write("core/pack.yaml", "ref: core\nversion: 2\n")
    (world.packs / "core/large").rename(world.packs / "core/actions/large")
    (world.packs / "core/link").unlink()
    (world.packs / "core/actions/run.sh").chmod(0o644)
    report = engine.sync(kept=False)
    assert report.bytes == len("ref: core\nversion: 2\n")
    assert engine.tree(reader) == wanted(world.packs)
    assert engine.helpers() == []


def test_a_running_service_tells_that_there_is_nothing_to_do(engine: PacksVolume) -> None:
    _fill(engine.world)
    engine.sync(kept=False)
    nowhere = "t-packs-no-such-image:1"
    with pytest.raises(EnvironmentLacksError):
        engine.sync(kept=False, image=nowhere)
    engine.start("sleep", "600")
    report = engine.sync(kept=False, image=nowhere)
    assert (report.ok, report.changed) == (True, False)
    assert volume_status(engine.world.root, FOLDER, engine.volume) == "in sync"
    engine.world.write("core/pack.yaml", "new")
    assert volume_status(engine.world.root, FOLDER, engine.volume) == "core differs"


def test_nobody_running_means_that_the_state_is_unknown(engine: PacksVolume) -> None:
    engine.world.write("core/a")
    engine.sync(kept=False)
    assert volume_status(engine.world.root, FOLDER, engine.volume) == "unknown"
    found = packs_status(engine.world.root, FOLDER, engine.volume, image=engine.image, deep=True)
    assert found is not None
    assert [status.state for status in found] == [PackState.IN_SYNC]


def test_a_look_at_a_volume_that_is_not_there_makes_none(engine: PacksVolume) -> None:
    engine.world.write("core/a")
    found = packs_status(engine.world.root, FOLDER, engine.volume, image=engine.image, files=True)
    assert found is not None
    assert [(status.name, status.state) for status in found] == [("core", PackState.MISSING)]
    assert engine.volume not in docker("volume", "ls", "--quiet").split()


def test_the_last_sync_is_remembered_as_long_as_all_stays(engine: PacksVolume) -> None:
    world = engine.world
    _fill(world)
    compose = world.root / "compose.yaml"
    compose.write_text("volumes: {packs_data: {}}\n")
    project = ComposeProject(
        engine.project, {}, volumes={"packs_data": engine.volume}, files=("compose.yaml",)
    )
    workspace = Workspace(CargoModel(), project, packs_folders=(FOLDER,))
    engine.sync(kept=False)
    quick.remember(world.root, workspace)
    assert quick.nothing_to_do(world.root) is None  # nobody can tell
    reader = engine.start("sleep", "600")
    assert quick.nothing_to_do(world.root) == ("core", "other")
    assert quick.nothing_to_do(world.root, ["other"]) == ("core", "other")
    assert quick.nothing_to_do(world.root, ["missing"]) is None

    world.write("core/pack.yaml", "changed")
    assert quick.nothing_to_do(world.root) is None
    world.write("core/pack.yaml", "ref: core\n")
    assert quick.nothing_to_do(world.root) is not None

    compose.write_text("volumes: {packs_data: {name: other}}\n")
    assert quick.nothing_to_do(world.root) is None
    quick.remember(world.root, workspace)
    assert quick.nothing_to_do(world.root) is not None
    (world.root / "compose.override.yaml").write_text("{}")
    assert quick.nothing_to_do(world.root) is None
    quick.remember(world.root, workspace)

    docker("rm", "--force", reader)
    second = engine.start("sleep", "600")
    assert quick.nothing_to_do(world.root) is not None
    writer = engine.start("sleep", "600", place=PLACE)
    docker("exec", "--user", "0", writer, "rm", f"{PLACE}/core/pack.yaml")
    assert quick.nothing_to_do(world.root) is None
    assert docker("inspect", "--format", "{{.State.Running}}", second) == "true"
    quick.forget(world.root)
    engine.sync()
    assert quick.nothing_to_do(world.root) is None


def test_the_helper_can_reach_nothing_but_the_volume(engine: PacksVolume) -> None:
    engine.session.start()
    (helper,) = engine.helpers()
    shown = json.loads(docker("inspect", helper))[0]
    host = shown["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    added = sorted(name.removeprefix("CAP_") for name in host["CapAdd"])
    assert added == ["CHOWN", "DAC_OVERRIDE", "FOWNER"]
    assert "no-new-privileges" in host["SecurityOpt"]
    assert [(m["Type"], m["Name"]) for m in shown["Mounts"]] == [("volume", engine.volume)]
    labels = shown["Config"]["Labels"]
    assert labels[f"{LABEL}.owner"].endswith(f":{os.getpid()}")
    engine.session.close()
    assert engine.helpers() == []


def test_a_volume_that_we_make_is_one_of_composes(engine: PacksVolume) -> None:
    engine.world.write("core/a")
    engine.sync(kept=False)
    labels = json.loads(docker("volume", "inspect", engine.volume))[0]["Labels"]
    assert labels == {
        "com.docker.compose.project": engine.project,
        "com.docker.compose.volume": "packs_data",
    }


@pytest.mark.parametrize("step", ["locked", "sending", "built", "ready", "switched", "recorded"])
def test_a_helper_that_is_killed_leaves_a_whole_pack(engine: PacksVolume, step: str) -> None:
    world = engine.world
    _fill(world)
    engine.sync()
    reader = engine.start("sleep", "600")
    old = engine.tree(reader)
    world.write("core/pack.yaml", "new")
    world.write("core/new", "new")
    world.write("core/large", os.urandom(1_000_000))

    def kill(name: str) -> None:
        if name == step:
            docker("kill", "--signal", "KILL", *engine.helpers())

    with pytest.raises(ActionError, match="interrupted"):
        engine.sync(on_step=kill)
    assert engine.tree(reader) in (old, wanted(world.packs))
    engine.sync()
    engine.session.close()
    assert engine.tree(reader) == wanted(world.packs)
    home = f"{PLACE}/.attune-dev"
    assert docker("exec", "--user", "0", reader, "ls", home).split() == ["lock", "packs", "stats"]


_ONE_SYNC = """
import sys
from pathlib import Path
from attune_dev.model.packs import PacksFolder
from attune_dev.packs.helper import HelperSession
from attune_dev.packs.sync import sync_packs
root, volume, image, project, stop = sys.argv[1:]
def on_step(name):
    if name == stop:
        print("stopped", flush=True)
        sys.stdin.read()
with HelperSession(volume, image=image, project=project) as session:
    report = sync_packs(Path(root), PacksFolder("packs", "packs_data", ""), volume, image=image,
        session=session, on_step=on_step, on_note=lambda text: print(text, flush=True))
    print("changed" if report.changed else "nothing to do", flush=True)
"""


def _process(engine: PacksVolume, stop: str = "") -> subprocess.Popen[str]:
    arguments = [str(engine.world.root), engine.volume, engine.image, engine.project, stop]
    return subprocess.Popen(
        [sys.executable, "-c", _ONE_SYNC, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("step", ["sending", "ready", "switched"])
def test_a_tool_that_is_killed_takes_its_helper_with_it(engine: PacksVolume, step: str) -> None:
    engine.world.write("core/a", "old")
    engine.sync()
    engine.session.close()
    engine.world.write("core/a", "new")
    tool = _process(engine, step)
    assert tool.stdout is not None
    assert tool.stdout.readline() == "stopped\n"
    assert engine.helpers() != []
    os.kill(tool.pid, signal.SIGKILL)
    tool.communicate()
    until(lambda: engine.helpers() == [], seconds=30)
    engine.sync()
    reader = engine.start("sleep", "600")
    assert engine.tree(reader) == wanted(engine.world.packs)


def test_two_processes_take_turns_and_the_second_has_nothing_to_do(engine: PacksVolume) -> None:
    engine.world.write("core/a")
    first = _process(engine, "ready")
    assert first.stdout is not None
    assert first.stdout.readline() == "stopped\n"
    second = _process(engine)
    assert second.stdout is not None
    assert second.stdout.readline().startswith("waiting for the sync of ")
    assert first.communicate("go on\n", timeout=60)[0] == "changed\n"
    assert second.communicate(timeout=60)[0] == "nothing to do\n"


def test_a_full_disk_changes_nothing_and_is_said(tmp_path: Path, image: str) -> None:
    with _small_volume(tmp_path, image, 4) as engine:
        engine.world.write("core/a", "old")
        engine.sync()
        reader = engine.start("sleep", "600")
        engine.world.write("core/a", "new")
        engine.world.write("core/large", os.urandom(6_000_000))
        with pytest.raises(ActionError, match="no space left") as caught:
            engine.sync()
        assert "free some space" in caught.value.hint
        assert {p: e[2] for p, e in engine.tree(reader).items()}[b"core/a"] == b"old"
        (engine.world.packs / "core/large").unlink()
        assert engine.sync().ok
        assert engine.tree(reader) == wanted(engine.world.packs)


def test_a_first_sync_that_fills_the_disk_leaves_nothing(tmp_path: Path, image: str) -> None:
    with _small_volume(tmp_path, image, 4) as engine:
        engine.world.write("core/a")
        engine.world.write("core/large", os.urandom(6_000_000))
        with pytest.raises(ActionError, match="no space left"):
            engine.sync()
        reader = engine.start("sleep", "600")
        assert engine.tree(reader) == {}
        (engine.world.packs / "core/large").unlink()
        assert engine.sync().ok
        assert engine.tree(reader) == wanted(engine.world.packs)
        home = f"{PLACE}/.attune-dev"
        engine.session.close()
        left = docker("exec", "--user", "0", reader, "ls", home).split()
        assert left == ["lock", "packs", "stats"]


def test_a_running_binary_is_replaced(engine: PacksVolume) -> None:
    sleep = subprocess.run(
        ["docker", "run", "--rm", "--entrypoint", "cat", engine.image, "/bin/sleep"],
        capture_output=True,
        check=True,
    ).stdout
    engine.world.write("core/sensors/binary", sleep, 0o755)
    engine.sync()
    sensor = engine.start(f"{PLACE}/core/sensors/binary", "600")
    engine.world.write("core/sensors/binary", sleep + b"another build", 0o755)
    assert engine.sync().packs[0].changed == ("sensors/binary",)
    assert docker("inspect", "--format", "{{.State.Running}}", sensor) == "true"
    engine.session.close()
    assert docker("inspect", "--format", "{{.State.Running}}", sensor) == "true"


def test_what_a_service_wrote_keeps_its_owner_and_mode(engine: PacksVolume) -> None:
    engine.world.write("core/a")
    engine.sync()
    writer = engine.start("sleep", "600", place=PLACE)
    script = f"mkdir -m 700 {PLACE}/core/theirs && echo x > {PLACE}/core/theirs/x"
    give = f"{script} && chmod 600 {PLACE}/core/theirs/x && chown -R 1000:1000 {PLACE}/core/theirs"
    docker("exec", "--user", "0", writer, "sh", "-c", give)
    engine.world.write("core/a", "new")
    assert engine.sync().packs[0].foreign == ("theirs/x",)
    shown = docker(
        "exec", writer, "stat", "-c", "%u %a", f"{PLACE}/core/theirs", f"{PLACE}/core/theirs/x"
    )
    assert shown.split("\n") == ["1000 700", "1000 600"]


_READER = r"""
my ($place, $files) = @ARGV;
my ($passes, %wrong) = (0);
$SIG{TERM} = sub { print "$passes passes\n"; print "$_ $wrong{$_}\n" for sort keys %wrong; exit 0 };
$| = 1;
sub slurp { open my $file, '<', $_[0] or return; local $/; return scalar <$file> }
while (1) {
    print "ready\n" if ++$passes == 20;
    for (1 .. $files) {    # by path: each file is whole, whichever version it is
        my $text = slurp("$place/core/f$_") // do { $wrong{missing}++; next };
        $wrong{torn}++ unless $text =~ /\A((\d+)\n)\1*\z/;
    }
    chdir "$place/core" or do { $wrong{gone}++; next };    # the folder held open: one version
    my %seen = map { (slurp("f$_") // 'missing') => 1 } 1 .. $files;
    $wrong{mixed}++ if keys %seen != 1 || $seen{missing};
    chdir '/';
}
"""


def _read_while_syncing(engine: PacksVolume, syncs: int) -> list[str]:
    def version(number: int) -> None:
        for file in range(1, 6):
            engine.world.write(f"core/f{file}", f"{number}\n" * 5000)

    version(1000)
    engine.sync()
    reader = engine.start("perl", "-e", _READER, PLACE, "5")
    until(lambda: "ready" in docker("logs", reader), seconds=30)
    for number in range(1001, 1001 + syncs):
        version(number)
        engine.sync()
    docker("kill", "--signal", "TERM", reader)
    docker("wait", reader)
    told = docker("logs", reader).splitlines()
    assert told[1].endswith(" passes")
    return told[2:]


def test_a_reader_never_sees_a_torn_file_nor_a_mixed_version(engine: PacksVolume) -> None:
    assert _read_while_syncing(engine, 40) == []


@pytest.mark.full
@pytest.mark.timeout(900)
def test_a_reader_of_500_syncs_never_sees_a_torn_file_nor_a_mixed_version(
    engine: PacksVolume,
) -> None:
    assert _read_while_syncing(engine, 500) == []


def test_a_kept_helper_answers_while_another_volume_is_synced(
    engine: PacksVolume, tmp_path: Path, image: str
) -> None:
    other = PacksVolume(tmp_path / "other", image)
    try:
        engine.world.write("core/a")
        other.world.write("core/a", "b")
        done: list[SyncReport] = []
        thread = threading.Thread(target=lambda: done.append(other.sync()))
        thread.start()
        assert engine.sync().changed
        thread.join(60)
        assert [report.packs[0].outcome for report in done] == [PackOutcome.SYNCED]
    finally:
        other.remove()
