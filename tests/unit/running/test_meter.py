"""How far a build is, by what earlier builds came to."""

from __future__ import annotations

import pytest

from attune_dev.docker.progress import Compiling, LogLine, Step, StepState
from attune_dev.history.rows import ActionRow
from attune_dev.running.meter import BuildFigures, Expected, Meter, Reading, expect

COLD = ("proc-macro2", "serde", "common", "api", "web")
SHARED = ("common", "web", "api")


def earlier(
    *compiled: str, seconds: float = 1.0, profile: str = "", via: str = "image"
) -> ActionRow:
    return ActionRow("build", "succeeded", seconds, via, profile, compiled=compiled)


PAST = (
    earlier("api", seconds=2.0),
    earlier(*SHARED, seconds=6.0),
    earlier("web", seconds=3.0),
    earlier("api", seconds=9.0),
    earlier(*COLD, seconds=90.0),
)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ((), None),
        (("api",), Expected(1, 2.0)),
        (("common",), Expected(3, 6.0)),
        (("proc-macro2",), Expected(5, 90.0)),
        (("serde", "proc-macro2"), Expected(5, 90.0)),
        (("web", "api"), Expected(3, 6.0)),
        (("new",), None),
    ],
)
def test_the_latest_build_of_its_like_decides(
    seen: tuple[str, ...], expected: Expected | None
) -> None:
    assert expect(seen, PAST, via="image") == expected


def test_another_profile_or_way_is_not_its_like() -> None:
    assert expect(("api",), PAST, via="swap") is None
    assert expect(("api",), PAST, profile="dev", via="image") is None
    assert expect(("api",), (earlier("api", profile="dev"), *PAST), profile="dev", via="image")


def test_a_meter_counts_and_reckons() -> None:
    now = [100.0]
    meter = Meter(PAST, via="image", clock=lambda: now[0])
    assert meter.add(LogLine("1", "hello")) is None
    meter.add(Step("1", "[api builder 1/2] RUN cargo", StepState.DONE, 1.0))
    meter.add(Step("2", "[api builder 2/2] COPY", StepState.CACHED))
    meter.add(Step("3", "[internal] load build context", StepState.DONE))
    now[0] += 2.0
    assert meter.add(Compiling("common", 1)) == Reading("compiling common", 1, 3, 4.0)
    now[0] += 100.0
    assert meter.add(Compiling("web", 2)) == Reading("compiling web", 2, 3, 0.0)
    assert meter.figures == BuildFigures(2, 1, ("common", "web"))


def test_without_a_past_nothing_is_reckoned() -> None:
    assert Meter().add(Compiling("common", 1)) == Reading("compiling common", 1)
    assert Meter().figures == BuildFigures()
