"""Killed at any point, a sync leaves whole packs, and the next one leaves nothing to be seen."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count

import pytest

from attune_dev.errors import ActionError
from tests.programs.packs.world import World, tree, until, wanted

TO_THE_END = "the sync came to its end"


def _prepare(world: World) -> None:
    world.write("core/a", "old")
    world.write("core/b", "old")
    world.write("core/dir/c", "old")
    world.write("core/gone", "old")
    world.foreign("core/installed", "theirs")
    world.sync()


def _edit(world: World) -> None:
    world.write("core/a", "new")
    world.write("core/b", "new", 0o755)
    (world.packs / "core/gone").unlink()
    (world.packs / "core/dir/c").rename(world.packs / "core/moved")
    world.write("core/fresh", "new")


def _expected(world: World) -> dict[bytes, tuple[str, int, bytes]]:
    return wanted(world.packs) | {b"core/installed": ("file", 0o644, b"theirs")}


@contextmanager
def _killed_at(world: World, number: int) -> Iterator[list[str]]:
    """Syncs and kills the agent at its nth step."""
    steps: list[str] = []

    def on_step(name: str) -> None:
        steps.append(name)
        if len(steps) == number:
            os.kill(world.session.pid, signal.SIGKILL)

    try:
        world.sync(on_step=on_step)
    except ActionError:
        pass
    else:
        steps.append(TO_THE_END)
    yield steps


@pytest.mark.full
def test_whatever_the_step_the_pack_is_old_or_new_and_then_new(world: World) -> None:
    seen: set[str] = set()
    for number in count(1):
        world.reset()
        _prepare(world)
        old = tree(world.volume)
        _edit(world)
        with _killed_at(world, number) as steps:
            assert tree(world.volume) in (old, _expected(world)), steps
        world.sync()
        assert tree(world.volume) == _expected(world), steps
        seen |= set(steps)
        world.session.close()
        assert world.leftovers() == [], steps
        if steps[-1] == TO_THE_END:
            break
    assert seen >= {
        *("scanned", "locked", "planned", "staging", "sending", "sent", "verified", "built"),
        *("ready", "switched", "rescued", "recorded", "kept"),
    }


@pytest.mark.full
def test_without_exchange_every_file_is_old_or_new_and_then_new(plain_world: World) -> None:
    world = plain_world
    seen: set[str] = set()
    for number in count(1):
        world.reset()
        _prepare(world)
        old = set(tree(world.volume).items())
        _edit(world)
        with _killed_at(world, number) as steps:
            assert set(tree(world.volume).items()) <= old | set(_expected(world).items()), steps
        world.write("core/fresh", "newer still")
        (world.packs / "core/moved").unlink()
        world.sync()
        assert tree(world.volume) == _expected(world), steps
        seen |= set(steps)
        world.session.close()
        assert world.leftovers() == [], steps
        if steps[-1] == TO_THE_END:
            break
    assert seen >= {"ready", "deleted", "renamed"}


def _removal(world: World) -> None:
    shutil.rmtree(world.packs / "core")


def _arrival(world: World) -> None:
    world.write("second/pack.yaml")


@pytest.mark.full
@pytest.mark.parametrize("edit", [_removal, _arrival])
def test_a_pack_comes_and_goes_whole(world: World, edit: Callable[[World], None]) -> None:
    seen: set[str] = set()
    for number in count(1):
        world.reset()
        world.write("core/a")
        world.write("core/b")
        world.sync()
        old = tree(world.volume)
        edit(world)
        with _killed_at(world, number) as steps:
            assert tree(world.volume) in (old, wanted(world.packs)), steps
        world.sync()
        assert tree(world.volume) == wanted(world.packs)
        seen |= set(steps)
        if steps[-1] == TO_THE_END:
            break
    assert "switched" in seen


@pytest.mark.parametrize("step", ["sending", "ready", "switched", "recorded"])
def test_killed_at_a_step_the_pack_is_old_or_new_and_then_new(world: World, step: str) -> None:
    _prepare(world)
    old = tree(world.volume)
    _edit(world)
    with pytest.raises(ActionError):
        world.sync(on_step=partial(_kill_at, world, step))
    assert tree(world.volume) == (old if step in {"sending", "ready"} else _expected(world))
    world.sync()
    assert tree(world.volume) == _expected(world)
    world.session.close()
    assert world.leftovers() == []


def test_killed_between_two_files_the_rest_follows(plain_world: World) -> None:
    _prepare(plain_world)
    _edit(plain_world)
    with pytest.raises(ActionError):
        plain_world.sync(on_step=partial(_kill_at, plain_world, "renamed"))
    half = tree(plain_world.volume)
    assert half != _expected(plain_world)
    plain_world.write("core/fresh", "newer still")
    (plain_world.packs / "core/moved").unlink()
    plain_world.sync()
    assert tree(plain_world.volume) == _expected(plain_world)


def test_a_repair_that_is_killed_is_repaired(world: World) -> None:
    _prepare(world)
    _edit(world)

    for fatal in ("switched", "rescued", "recorded", "kept"):
        with pytest.raises(ActionError):
            world.sync(on_step=partial(_kill_at, world, fatal))
    world.sync()
    assert tree(world.volume) == _expected(world)
    world.session.close()
    assert world.leftovers() == []


def test_a_repair_is_told(world: World) -> None:
    _prepare(world)
    _edit(world)
    with pytest.raises(ActionError, match="interrupted"):
        world.sync(on_step=partial(_kill_at, world, "ready"))
    notes: list[str] = []
    report = world.sync(on_note=notes.append)
    assert notes == ["dropped the interrupted sync of core"] == list(report.notes)


def _kill_at(world: World, fatal: str, name: str) -> None:
    if name == fatal:
        os.kill(world.session.pid, signal.SIGKILL)


@pytest.mark.parametrize("step", ["scanned", "locked", "sending", "sent", "ready", "switched"])
def test_a_tool_that_ends_at_any_step_leaves_a_whole_pack(world: World, step: str) -> None:
    _prepare(world)
    old = tree(world.volume)
    _edit(world)

    def stop(name: str) -> None:
        if name == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.sync(on_step=stop)
    assert tree(world.volume) in (old, _expected(world))
    world.sync()
    assert tree(world.volume) == _expected(world)
    world.session.close()
    assert world.leftovers() == []


def test_an_agent_without_a_tool_ends_and_drops_what_it_prepared(world: World) -> None:
    _prepare(world)
    _edit(world)
    talk = world.session.talk()
    for verb, _ in talk.ask("lock", b"a test"):
        if verb == "locked":
            break
    for verb, _ in talk.ask("plan", b"core", b"-", b"0", b"f 0644 3 " + b"0" * 64 + b"\0x\0\0"):
        if verb == "need":
            break
    talk.send("file", b"0")
    talk.send("data", b"abc")
    until(lambda: world.leftovers() != [])
    world.session.close()
    assert world.leftovers() == []
    assert (world.volume / "core/a").read_text() == "old"
