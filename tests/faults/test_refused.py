"""What a user may not do: the tool says so, and goes on with all else."""

from __future__ import annotations

import copy
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune_dev.setup.places import plugin_folder
from tests.faults.with_pack import ACTION, WithPack
from tests.powers import STRANGER, as_stranger, bound_by_modes

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithPack]:
    made = WithPack(tmp_path_factory.mktemp("refused") / "small")
    made.prefix = bound_by_modes()
    made.write_pack()
    (made.root / "packs/other").mkdir()
    (made.root / "packs/other/pack.yaml").write_text("ref: other\nlabel: Other\nversion: 1.0.0\n")
    made.start()
    try:
        yield made
    finally:
        made.close()


def other(project: WithPack, label: str) -> None:
    text = f"ref: other\nlabel: {label}\nversion: 1.0.0\n"
    (project.root / "packs/other/pack.yaml").write_text(text)


def test_a_pack_with_an_unreadable_file_is_left_whole_and_the_others_go_on(
    project: WithPack,
) -> None:
    file = project.root / ACTION
    script = project.root / "packs/core/actions/a.sh"
    file.chmod(0)
    project.says(f"cannot read {ACTION}")
    script.write_text("#!/bin/sh\necho new\n")
    project.idle(ok=False)
    assert project.in_volume("core/actions/a.sh") == "#!/bin/sh", "half of the pack was synced"
    other(project, "Beside")
    project.until(lambda: "Beside" in project.in_volume("other/pack.yaml"), "others wait")
    project.save("beside")
    project.until(lambda: project.code() == "beside", "services wait")
    assert project.read() == "First"
    synced = project.run("packs.sync")
    assert synced.returncode == 1
    assert "actions/a.yaml" in synced.stdout + synced.stderr
    file.chmod(0o644)
    project.label("Second")
    project.idle(ok=True)
    assert project.in_volume("core/actions/a.sh") == "#!/bin/sh\necho new"
    assert project.read() == "Second"


def test_an_image_with_an_unreadable_source_is_left_and_packs_go_on(project: WithPack) -> None:
    before, code = project.container(), project.root / "code"
    hidden = project.root / ".code.new"
    hidden.write_text("hidden\n")
    hidden.chmod(0)
    hidden.rename(code)
    project.says("cannot read code")
    dockerfile = project.root / "Dockerfile"
    dockerfile.write_text(f"{dockerfile.read_text()}LABEL new=1\n")
    failed = project.idle(ok=False)
    assert failed["failed"] == ["web"]
    project.says("permission denied; the images would have it empty")
    assert "saved, no change: code" not in project.text()
    asked = project.run("build", "web")
    assert asked.returncode == 1
    assert "cannot read code" in asked.stdout + asked.stderr
    assert project.container() == before
    project.label("Third")
    project.until(lambda: project.read() == "Third", "packs wait")
    code.chmod(0o644)
    project.idle(ok=True)
    assert project.docker("exec", project.container(), "cat", "/code") == "hidden"
    assert "Traceback" not in project.text()


@pytest.mark.parametrize("task", ["ps", "dev --until-idle", "build web", "packs.sync"])
def test_who_may_not_open_the_socket_is_told_how_to_be_let_in(
    project: WithPack, tmp_path: Path, task: str
) -> None:
    before = project.container()
    stranger = copy.copy(project)
    stranger.root, stranger.prefix = tmp_path / "theirs", as_stranger()
    shutil.copytree(project.root, stranger.root, ignore=shutil.ignore_patterns(".attune-dev"))
    plugins = tmp_path / "home/.docker/cli-plugins"
    plugins.mkdir(parents=True)
    for plugin in plugin_folder().iterdir():
        (plugins / plugin.name).symlink_to(plugin.resolve())
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    stranger.environ = project.environ | {"HOME": str(tmp_path / "home")}
    done = stranger.run(*task.split())
    assert done.returncode == 3, done.stdout
    assert "error: no permission on /" in done.stderr
    assert "fix: join the group docker" in done.stderr
    assert not re.search(r"\bsudo\b|chmod|666|Traceback", done.stdout + done.stderr)
    assert project.container() == before
