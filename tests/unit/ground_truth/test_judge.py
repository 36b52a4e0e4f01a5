"""How plans are held against builds: what counts as missed, and what as done beyond need."""

from __future__ import annotations

from dataclasses import replace

from attune_dev.model.plan import Action, ActionKind, Plan
from tests.ground_truth.edit import Edit
from tests.ground_truth.edits import EDITS
from tests.ground_truth.judge import judge
from tests.ground_truth.observe import Observation
from tests.ground_truth.table import against_bytes, against_cargo, page

BEFORE = Observation(
    images={"api": "1", "web": "1"},
    binaries={"timer": "1"},
    packs={"core": "1"},
    definitions={"api": "1", "web": "1"},
    mounts={"api": {"config": {"a.yaml": "1", "README.md": "1"}}},
)
SHIPPED = {"api": ("api",), "web": ("web",)}
BUILD = Action(1, ActionKind.BUILD, ("api", "web"))
RECREATE = Action(2, ActionKind.RECREATE, ("api", "web"), needs=(1,))


def plan(*actions: Action) -> Plan:
    return Plan((), actions, ())


def test_an_image_that_differs_and_is_not_built_is_missed() -> None:
    after = replace(BEFORE, images={"api": "2", "web": "1"})
    told = judge(BEFORE, after, plan(), ["api"], SHIPPED)
    assert told.missed == {("image", "api"), ("start", "api")}
    told = judge(BEFORE, after, plan(BUILD), ["api"], SHIPPED)
    assert told.missed == {("start", "api")}


def test_what_is_made_and_comes_out_as_it_was_is_beyond_need() -> None:
    after = replace(BEFORE, images={"api": "2", "web": "1"})
    told = judge(BEFORE, after, plan(BUILD, RECREATE), ["api"], SHIPPED)
    assert not told.missed
    assert told.beyond == {("image", "web")}
    edit = Edit("x", "row", (), cargo=True)
    assert str(against_bytes([(edit, told)])) == "1 of 2 (50.0 %)"
    assert str(against_cargo([(edit, told)])) == "1 of 2 (50.0 %)"
    assert "| x | images api | images web | api | api, web |" in page([(edit, told)], {})


def test_packs_binaries_definitions_and_mounts_are_compared() -> None:
    after = Observation(
        images=BEFORE.images,
        binaries={"timer": "2"},
        packs={"core": "2", "net": "1"},
        definitions={"api": "1", "web": "2"},
        mounts={"api": {"config": {"a.yaml": "2", "README.md": "1"}}},
    )
    assert judge(BEFORE, after, plan(), [], SHIPPED).missed == {
        ("binary", "timer"),
        ("pack", "core"),
        ("pack", "net"),
        ("start", "api"),
        ("start", "web"),
    }


def test_what_no_service_reads_at_its_start_needs_none() -> None:
    after = replace(BEFORE, mounts={"api": {"config": {"a.yaml": "1", "README.md": "2"}}})
    assert judge(BEFORE, after, plan(), [], SHIPPED).missed == {("start", "api")}
    told = judge(BEFORE, after, plan(), [], SHIPPED, unread=("config/README.md",))
    assert told.missed == set()


def test_edits_have_names_of_their_own_and_are_more_than_forty() -> None:
    assert len({edit.name for edit in EDITS}) == len(EDITS) >= 40
