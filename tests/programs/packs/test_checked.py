"""A pack with errors stays in the volume as it was; the others are synced."""

from __future__ import annotations

from attune_dev.packs.check.run import Checker, faults
from attune_dev.packs.report import PackOutcome, SyncReport
from attune_dev.packs.sync import sync_packs
from tests.programs.packs.world import FOLDER, World


def _sync(world: World) -> tuple[SyncReport, list[str]]:
    asked: list[str] = []

    def check(names: object) -> dict[str, tuple[tuple[str, str], ...]]:
        assert isinstance(names, list)
        asked.extend(names)
        found = Checker(world.root, "packs").check(names)
        return {pack.name: faults(pack) for pack in found if pack.errors}

    report = sync_packs(
        world.root, FOLDER, "volume", image="", session=world.session, check=check
    )
    return report, asked


def test_only_packs_that_differ_are_checked_and_errors_stop_their_own_sync_alone(
    world: World,
) -> None:
    world.write("a/pack.yaml", "ref: a\n")
    world.write("b/pack.yaml", "ref: b\n")
    report, asked = _sync(world)
    assert report.ok
    assert asked == ["a", "b"]

    world.write("a/pack.yaml", "ref: a\nref: b\n")
    world.write("c/pack.yaml", "ref: c\n")
    report, asked = _sync(world)
    assert asked == ["a", "c"]
    assert [(p.name, p.outcome) for p in report.packs] == [
        ("a", PackOutcome.REFUSED),
        ("b", PackOutcome.UNCHANGED),
        ("c", PackOutcome.SYNCED),
    ]
    assert (world.volume / "a/pack.yaml").read_text() == "ref: a\n"
    failure = report.failure()
    assert failure is not None
    assert failure.what == "not synced: a"
    assert failure.why == (
        "packs/a/pack.yaml:2:1: duplicate key `ref`: line 1 has it too; one of the two would be lost"
    )
    assert (failure.file, failure.line, failure.column) == ("packs/a/pack.yaml", 2, 1)
    assert (world.volume / "c/pack.yaml").exists()

    world.write("a/pack.yaml", "ref: a\nlabel: A\n")
    report, asked = _sync(world)
    assert report.ok
    assert asked == ["a"]
    assert (world.volume / "a/pack.yaml").read_text() == "ref: a\nlabel: A\n"
