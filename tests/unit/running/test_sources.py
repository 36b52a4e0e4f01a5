"""What a repository says about compiling its programs, on a real folder."""

from __future__ import annotations

from pathlib import Path

from attune_dev.model.cargo import CargoModel
from attune_dev.model.compose import ComposeProject
from attune_dev.model.swap import CompileStage, Feed
from attune_dev.model.workspace import Workspace
from attune_dev.running.sources import RepositorySources

STAGE = CompileStage("Dockerfile", "", "build", "", directory="/app", feeds=(Feed("", "", "/app"),))


def test_a_lock_file_that_was_saved_while_cargo_ran_is_not_written_over(tmp_path: Path) -> None:
    lock = tmp_path / "Cargo.lock"
    told: list[tuple[str, bytes]] = []
    lock.write_text("as cargo got it")
    sources = RepositorySources(
        tmp_path,
        lambda: Workspace(CargoModel(), ComposeProject("p", {})),
        on_lock=lambda path, content: told.append((path, content)),
    )
    given = dict(sources.read(STAGE))
    lock.write_text("saved meanwhile")
    assert "changed meanwhile" in sources.keep_lock(STAGE, b"by cargo", given)
    assert (lock.read_text(), told) == ("saved meanwhile", [])
    given = dict(sources.read(STAGE))
    assert "brought up to date" in sources.keep_lock(STAGE, b"by cargo", given)
    assert (lock.read_text(), told) == ("by cargo", [("Cargo.lock", b"by cargo")])
    assert sources.keep_lock(STAGE, b"by cargo", sources.read(STAGE)) == ""
