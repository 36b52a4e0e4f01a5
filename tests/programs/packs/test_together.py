"""Syncs and readers at the same time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from attune_dev.packs.helper import HelperSession
from tests.programs.packs.world import World, tree, until, wanted

FILES = 6


@pytest.fixture
def other(world: World) -> Iterator[HelperSession]:
    session = HelperSession("volume", directory=world.volume)
    yield session
    session.close()


def test_the_second_of_two_syncs_waits_says_so_and_has_nothing_to_do(
    world: World, other: HelperSession
) -> None:
    world.write("core/a")
    notes: list[str] = []
    reports = []

    def second() -> None:
        reports.append(world.sync(session=other, on_note=notes.append))

    thread = threading.Thread(target=second)

    def start_second(name: str) -> None:
        if name == "ready":
            thread.start()
            until(lambda: bool(notes))

    first = world.sync(on_step=start_second)
    thread.join(10)
    assert first.changed
    assert [report.changed for report in reports] == [False]
    assert len(notes) == 1
    assert notes[0].startswith(f"waiting for the sync of {world.root}")


def test_a_lock_does_not_outlive_its_holder(world: World, other: HelperSession) -> None:
    world.write("core/a")
    for verb, _ in other.talk().ask("lock", b"someone"):
        if verb == "locked":
            break
    other.close(kill=True)
    assert world.sync().changed


def test_two_checkouts_on_one_volume_take_turns(
    world: World, base: Path, other: HelperSession
) -> None:
    clone = World(base / "clone")
    clone.volume = world.volume
    world.write("core/a", "one")
    clone.write("core/a", "two")
    world.sync()
    clone.sync(session=other)
    assert tree(world.volume) == wanted(clone.packs)
    world.sync()
    assert tree(world.volume) == wanted(world.packs)


@contextmanager
def _reading(pack: Path) -> Iterator[list[str]]:
    """Reads the pack over and over with its folder held open; yields what was wrong."""
    wrong: list[str] = []
    passes = 0
    stop = threading.Event()

    def read() -> None:
        nonlocal passes
        while not stop.is_set():
            folder = os.open(pack, os.O_RDONLY)
            try:
                texts = [_read(folder, f"f{number}") for number in range(FILES)]
            except FileNotFoundError as problem:
                wrong.append(f"missing: {problem.filename}")
                continue
            finally:
                os.close(folder)
            if len(set(texts)) != 1:
                wrong.append(f"mixed: {texts}")
            passes += 1

    thread = threading.Thread(target=read)
    thread.start()
    yield wrong
    stop.set()
    thread.join(10)
    assert passes > 20


def _read(folder: int, name: str) -> bytes:
    file = os.open(name, os.O_RDONLY, dir_fd=folder)
    try:
        return os.read(file, 100)
    finally:
        os.close(file)


def test_a_reader_that_holds_the_folder_never_sees_a_mixed_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTUNE_AGENT_GRACE", "0.3")
    session = HelperSession("volume", directory=world.volume)
    try:
        _write_version(world, 0)
        world.sync(session=session)
        with _reading(world.volume / "core") as wrong:
            for version in range(1, 16):
                _write_version(world, version)
                world.sync(session=session)
        assert wrong == []
    finally:
        session.close()


def _write_version(world: World, version: int) -> None:
    for number in range(FILES):
        world.write(f"core/f{number}", f"version {version}")
