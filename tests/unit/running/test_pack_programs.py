"""Pack binaries and services' programs: one call of cargo for all that a plan compiles."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from attune_dev.docker.builder_image import BuilderLacksError
from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.model.plan import Action, ActionKind, Plan
from attune_dev.packs.compile import Silent
from attune_dev.running.update import ImageUpdate
from tests.unit.planning.repository import Repository
from tests.unit.running.bench import DOES_NOT_COMPILE, STAGE, Bench

DOCKERFILE = "docker/Dockerfile.packs"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A repository with one pack binary, ``timer``, beside the services."""
    made = Repository(tmp_path)
    made.members("crates/*")
    made.crate("crates/timer", bins=("timer",))
    made.write(
        {
            "packs/core/pack.yaml": "ref: core\n",
            "packs/core/sensors/t.yaml": "entry_point: timer\n",
            "packs/core/sensors/timer": "old",
            DOCKERFILE: "FROM rust AS b\nCOPY . .\nRUN cargo build --bin timer\n"
            "FROM scratch\nCOPY --from=b target/debug/timer /\n",
        }
    )
    made.service("init", "./packs:/in:ro", "data:/out", image="debian", restart="no")
    made.service("sensor", "data:/packs:ro", image="sensor")
    found = Bench(tmp_path, made.load())
    found.port.sources["timer"] = "timer"
    return found


def plan(*services: str, binaries: tuple[str, ...] = ("timer",), fit: bool = True) -> Plan:
    """A build of pack binaries, then one of services: both for compiled code alone where fit."""
    kinds = ((ActionKind.BUILD_PACK_BINARIES, binaries), (ActionKind.BUILD, services))
    actions = [
        Action(number, kind, names, compiles=names if fit else ())
        for number, (kind, names) in enumerate(kinds, start=1)
        if names
    ]
    return Plan(actions=tuple(actions))


def compile_timer(bench: Bench, into: Path) -> str:
    """What the action for pack binaries does; gives the profile that it tells."""
    image = bench.workspace.pack_binary_images[DOCKERFILE]
    return bench.fast.binaries(image, ("timer",), into, Silent())


def begin(bench: Bench, chosen: Plan) -> None:
    """Starts a plan as the loop does."""
    bench.fast.begin(chosen, bench.port, ImageUpdate(bench.port))


def test_both_are_compiled_by_one_call_and_told_as_development(
    bench: Bench, tmp_path: Path
) -> None:
    chosen = plan("api", "notifier")
    begin(bench, chosen)
    assert compile_timer(bench, tmp_path / "made") == "dev"
    assert (tmp_path / "made/timer").read_bytes() == b"timer"
    (build,) = chosen.of(ActionKind.BUILD)
    made = bench.update.build(build, bench.talk)
    assert [target.outcome for target in made] == ["compiled", "compiled"]
    assert [request.programs for request in bench.requests] == [("api", "notifier", "timer")]
    assert bench.fast.binaries.placed == {"packs/core/sensors/timer": "dev"}


def test_whoever_asks_first_compiles_for_all(bench: Bench, tmp_path: Path) -> None:
    chosen = plan("api")
    begin(bench, chosen)
    (build,) = chosen.of(ActionKind.BUILD)
    bench.update.build(build, bench.talk)
    compile_timer(bench, tmp_path / "made")
    assert [request.programs for request in bench.requests] == [("api", "timer")]


def test_the_next_plan_compiles_again(bench: Bench, tmp_path: Path) -> None:
    for text in ("one", "two"):
        bench.port.sources["timer"] = text
        begin(bench, plan())
        compile_timer(bench, tmp_path / text)
        bench.fast.end(plan())
        assert (tmp_path / text / "timer").read_text() == text
    assert len(bench.requests) == 2


def test_bytes_that_are_there_already_are_not_brought_again(bench: Bench, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"old").hexdigest()
    bench.port.sources["timer"] = digest
    begin(bench, plan())
    compile_timer(bench, tmp_path / "made")
    assert bench.requests[-1].known == {digest}
    assert (tmp_path / "made/timer").read_bytes() == b"old"


def test_a_service_that_does_not_compile_keeps_no_pack_binary_back(
    bench: Bench, tmp_path: Path
) -> None:
    bench.port.sources["api"] = DOES_NOT_COMPILE
    chosen = plan("api")
    begin(bench, chosen)
    compile_timer(bench, tmp_path / "made")
    assert (tmp_path / "made/timer").read_bytes() == b"timer"
    (build,) = chosen.of(ActionKind.BUILD)
    with pytest.raises(BuildFailed, match="the build of api failed"):
        bench.update.build(build, bench.talk)
    assert [request.programs for request in bench.requests] == [("api", "timer"), ("timer",)]


def test_what_does_not_compile_at_all_is_tried_once(bench: Bench, tmp_path: Path) -> None:
    bench.port.sources |= {"api": DOES_NOT_COMPILE, "timer": DOES_NOT_COMPILE}
    chosen = plan("api")
    begin(bench, chosen)
    with pytest.raises(BuildFailed, match="the build of timer failed") as first:
        compile_timer(bench, tmp_path / "made")
    assert first.value.why == DOES_NOT_COMPILE
    assert not (tmp_path / "made").exists()
    (build,) = chosen.of(ActionKind.BUILD)
    with pytest.raises(BuildFailed, match="the build of api failed") as second:
        bench.update.build(build, bench.talk)
    assert second.value.why.splitlines() == [
        DOES_NOT_COMPILE,
        "in the same call of cargo as told before",
    ]
    assert len(bench.requests) == 1


@pytest.mark.parametrize("why", ["cause", "builder"])
def test_by_their_dockerfile_where_a_cause_reaches_further_or_no_builder_is_to_be_had(
    bench: Bench, tmp_path: Path, why: str
) -> None:
    begin(bench, plan(fit=why != "cause"))
    if why == "builder":
        bench.problem = BuilderLacksError("the builder does not start")
    assert compile_timer(bench, tmp_path / "made") == ""
    assert bench.imaged == ["timer"]
    assert len(bench.requests) == (why == "builder")
    assert bench.fast.binaries.placed == {}


def test_everything_is_compiled_beside_in_one_call_whose_bytes_nobody_wants(bench: Bench) -> None:
    bench.fast.warm(("api", "odd"))
    bench.fast.close()
    assert [(r.programs, r.bring) for r in bench.requests] == [(("api", "timer"), False)]
    assert bench.requests[0].stage == STAGE
    assert bench.rests == 1


def test_nothing_is_compiled_beside_a_plan_that_compiles(bench: Bench) -> None:
    plan = Plan(actions=(Action(1, ActionKind.BUILD, ("api",), compiles=("api",)),))
    bench.fast.begin(plan, bench.port, ImageUpdate(bench.port))
    bench.fast.warm(["api"])
    bench.fast.close()
    assert bench.requests == []
    bench.fast.end(plan)
    bench.fast.warm(["api"])
    bench.fast.close()
    assert len(bench.requests) == 1
