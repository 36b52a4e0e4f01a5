"""The script that runs in a builder, in a shell of this machine, with something else than cargo."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from attune_dev.docker import builder, process
from attune_dev.docker.builder_run import BuilderRun, CompileResult
from attune_dev.docker.cargo_call import CompileRequest, header
from attune_dev.docker.diagnostics import BuildRecord
from attune_dev.docker.feeding import Record, make_feed
from attune_dev.docker.progress import BuildEvent, LogLine
from attune_dev.docker.tar import TarWriter
from attune_dev.loading.feed import FedFile
from attune_dev.model.swap import CompileStage

BYTES = b"\0\nattune-dev: exit 3\nattune-dev: go\n"


def run(
    folder: Path, request: CompileRequest, cargo: str
) -> tuple[BuilderRun, CompileResult, list[str]]:
    """Gives a call that waits what to do; what came of it, and what cargo was heard to say."""
    heard: list[BuildEvent] = []
    child = process.pipe(["sh", "-c", builder.script(), "builder"])
    tar = TarWriter()
    tar.file(f"{folder}/src/new.rs", b"source")
    given = header(request, "number", (), ("sh", "-c", cargo, "cargo")) + tar.bytes()
    running = BuilderRun(child, given, BuildRecord(), heard.append)
    result = running.result()
    return running, result, [each.text for each in heard if isinstance(each, LogLine)]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """What cargo makes: bytes that look like the script's own words."""
    file = tmp_path / "web"
    file.write_bytes(BYTES)
    (tmp_path / "Cargo.lock").write_text("locked")
    return file


def made_by(folder: Path, **more: str | bool | frozenset[str]) -> CompileRequest:
    """A request for ``web``, with an environment that no shell may take apart."""
    odd = ("ODD=it's $HOME `id`\nsecond line", "PLAIN=1")
    stage = CompileStage("Dockerfile", "", "build", "", directory=str(folder), environment=odd)
    return CompileRequest(stage, {}, ("web",), **more)  # type: ignore[arg-type]


def test_sources_go_in_and_programs_come_out_byte_by_byte(tmp_path: Path, program: Path) -> None:
    cargo = (
        f"""cat src/new.rs >&2; echo "|$ODD|$PLAIN|$1" >&2; echo '{{"executable":"{program}"}}'"""
    )
    running, result, heard = run(tmp_path, made_by(tmp_path), cargo)
    assert (running.synced, running.status) == (True, 0)
    assert [(each.name, each.content) for each in result.programs] == [("web", BYTES)]
    assert result.programs[0].digest == hashlib.sha256(BYTES).hexdigest()
    assert result.lock == b"locked"
    assert heard == ["source|it's $HOME `id`", "second line|1|build"]


def test_bytes_that_are_known_or_wanted_by_nobody_stay_there(tmp_path: Path, program: Path) -> None:
    cargo = f"""echo '{{"executable":"{program}","fresh":true}}'"""
    known = frozenset({hashlib.sha256(BYTES).hexdigest()})
    _, result, _ = run(tmp_path, made_by(tmp_path, known=known), cargo)
    assert [(each.content, each.digest) for each in result.programs] == [(None, min(known))]
    made = cargo.replace("true", "false")
    _, result, _ = run(tmp_path, made_by(tmp_path, known=known), made)
    assert [(each.content, each.digest) for each in result.programs] == [(BYTES, min(known))]
    _, result, _ = run(tmp_path, made_by(tmp_path, bring=False), cargo)
    assert result.programs == ()


def test_what_cargo_ends_with_is_told(tmp_path: Path, program: Path) -> None:
    running, result, heard = run(tmp_path, made_by(tmp_path), "echo 'error: no' >&2; exit 101")
    assert (running.status, result.programs, heard) == (101, (), ["error: no"])


def test_a_call_that_is_never_given_anything_ends_by_itself() -> None:
    child = process.pipe(["sh", "-c", builder.script(), "builder"])
    out, problem = child.communicate(timeout=10)
    assert (child.returncode, out, problem) == (0, b"", b"")


def test_folders_files_and_links_take_each_others_place(tmp_path: Path, program: Path) -> None:
    source, elsewhere = tmp_path / "src", tmp_path / "elsewhere"
    for file in (source / "part", source / "deep/in/mod.rs", elsewhere / "a.txt"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("before")
    (source / "data").symlink_to(elsewhere)
    there = (source / "part", source / "deep/in/mod.rs", source / "data")
    now = {f"{source}/{name}": source / name for name in ("part/mod.rs", "deep", "data/a.txt")}
    (new := tmp_path / "new").write_text("after")
    files = {path: FedFile(str(new), "new", 0o644) for path in now}
    feed = make_feed(files, Record({str(path): "old" for path in there}), str(tmp_path))
    given = header(made_by(tmp_path), "n", (), ("sh", "-c", ":"), early=feed.early) + feed.archive
    child = process.pipe(["sh", "-c", builder.script(), "builder"])
    running = BuilderRun(child, given, BuildRecord(), lambda _: None)
    running.result()
    assert (running.synced, running.status) == (True, 0)
    assert [path.read_text() for path in now.values()] == ["after"] * 3
    assert (elsewhere / "a.txt").read_text() == "before"
    record = (tmp_path / "target/.attune-dev/record").read_text()
    assert Record.parse(record).digests == feed.record.digests


def test_a_toolchain_of_another_user_is_called_in_the_home_of_that_user(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "home/user/.cargo/bin"
    folder.mkdir(parents=True)
    (folder / "cargo").write_text('#!/bin/sh\necho "$HOME" >&2\n')
    (folder / "cargo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    assert call(tmp_path, "cargo") == (0, [str(tmp_path / "home/user")])
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert call(tmp_path, "cargo") == (0, [str(tmp_path / "home")])


def test_a_builder_without_cargo_says_so(tmp_path: Path) -> None:
    status, heard = call(tmp_path, "no-such-cargo")
    assert status == builder.NOT_FOUND
    assert "not found" in heard[0]


def call(folder: Path, cargo: str) -> tuple[int | None, list[str]]:
    """Status and words of another program in cargo's place."""
    heard: list[BuildEvent] = []
    child = process.pipe(["sh", "-c", builder.script(), "builder"])
    tar = TarWriter()
    tar.file(f"{folder}/src/new.rs", b"source")
    given = header(made_by(folder), "number", (), (cargo,)) + tar.bytes()
    running = BuilderRun(child, given, BuildRecord(), heard.append)
    running.result()
    return running.status, [each.text for each in heard if isinstance(each, LogLine)]
