"""A pack that the volume lacks is sent while it is read, and is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from attune_dev.packs.report import PackOutcome
from tests.programs.packs.world import World, tree, wanted


def _at(step: str, act: Callable[[], object]) -> Callable[[str], None]:
    """Acts once, when a step is announced for the first time."""
    todo = [act]

    def on_step(name: str) -> None:
        if name == step and todo:
            todo.pop()()

    return on_step


def test_many_files_equal_ones_empty_ones_and_large_ones_arrive(world: World) -> None:
    for number in range(900):
        world.write(f"core/d{number % 7}/f{number}", f"{number % 300}")
    world.write("core/empty", b"")
    world.write("core/large", os.urandom(20_000_000), 0o755)
    (world.packs / "core/link").symlink_to("d0")
    report = world.sync()
    (core,) = report.packs
    assert core.outcome is PackOutcome.SYNCED
    assert len(core.added) == 900 + 7 + 3
    assert core.bytes == sum(p.stat().st_size for p in world.packs.rglob("*") if p.is_file())
    assert tree(world.volume) == wanted(world.packs)
    assert not world.sync().changed


def test_a_file_that_changes_while_it_is_sent_arrives_as_it_is_then(world: World) -> None:
    world.write("core/a", "old")
    world.write("core/b", "old")
    world.sync(on_step=_at("sending", lambda: (world.packs / "core/b").write_text("newer")))
    assert world.sync().ok
    assert tree(world.volume) == wanted(world.packs)


def test_a_file_that_grows_while_it_is_read_is_sent_again(world: World) -> None:
    file = world.write("core/a", b"x" * 3_000_000)
    seen: list[str] = []

    def on_step(name: str) -> None:
        seen.append(name)
        if name == "sending" and seen.count(name) == 1:  # it is open now, and was looked at
            file.write_bytes(b"y" * 4_000_000)

    assert world.sync(on_step=on_step).ok
    assert seen.count("sending") == 2
    assert tree(world.volume) == wanted(world.packs)
    world.session.close()
    assert world.leftovers() == []


def test_a_file_that_is_gone_before_it_is_read_is_left_out(world: World) -> None:
    world.write("core/a")
    world.write("core/b")

    def remove(name: str) -> None:
        if name == "staging":
            (world.packs / "core/b").unlink()

    assert world.sync(on_step=remove).ok
    assert tree(world.volume) == wanted(world.packs)


def test_a_refused_pack_leaves_nothing_and_stops_no_other(world: World) -> None:
    world.write("core/a")
    (world.packs / "core/out").symlink_to("../../secret")
    world.write("other/a")
    core, other = world.sync().packs
    assert core.outcome is PackOutcome.REFUSED
    assert core.refused == (("out", "the link leaves the pack (../../secret)"),)
    assert other.outcome is PackOutcome.SYNCED
    assert not (world.volume / "core").exists()
    world.session.close()
    assert world.leftovers() == []


def test_what_someone_else_puts_there_meanwhile_is_kept(world: World) -> None:
    world.write("core/a", "ours")
    world.write("core/b", "ours")
    meanwhile = _at("sending", lambda: world.foreign("core/b", "theirs"))
    (core,) = world.sync(on_step=meanwhile).packs
    assert core.outcome is PackOutcome.BLOCKED
    assert core.blocked == ("b",)
    assert (world.volume / "core/b").read_text() == "theirs"
    assert (world.volume / "core/a").read_text() == "ours"


def test_the_same_content_put_there_meanwhile_is_taken_over(world: World) -> None:
    world.write("core/a", "the same")
    meanwhile = _at("sending", lambda: world.foreign("core/a", "the same"))
    (core,) = world.sync(on_step=meanwhile).packs
    assert core.ok
    assert not core.foreign
    world.session.close()
    assert world.leftovers() == []
    assert not world.sync().changed
    assert tree(world.volume) == wanted(world.packs)


@pytest.mark.parametrize("packs", [("core",), ("core", "other")])
def test_a_checkout_that_never_read_its_packs_finds_them_in_sync(
    world: World, packs: tuple[str, ...]
) -> None:
    for name in packs:
        world.write(f"{name}/pack.yaml")
    world.sync()
    (world.root / ".attune-dev" / "packs-digests.json").unlink(missing_ok=True)
    report = world.sync()
    assert not report.changed
    assert report.ok
    assert report.bytes == 0
