from __future__ import annotations

import base64
import json
from typing import Any

from attune_dev.docker.progress import (
    BuildEvent,
    CargoParser,
    Compiling,
    LogLine,
    PlainParser,
    RawJsonParser,
    Step,
    StepState,
    Units,
    is_last_part,
)

RUN = "[api builder 2/3] RUN cargo build"


def vertex(name: str = RUN, digest: str = "sha256:a", **more: Any) -> dict[str, Any]:
    return {"digest": digest, "name": name} | more


def started(**more: Any) -> dict[str, Any]:
    return vertex(started="2026-11-22T12:36:46.5Z", **more)


def ended(**more: Any) -> dict[str, Any]:
    return started(completed="2026-11-22T12:36:48.750000001Z", **more)


def log(text: str, digest: str = "sha256:a", stream: int = 1) -> dict[str, Any]:
    data = base64.b64encode(text.encode()).decode()
    return {"vertex": digest, "stream": stream, "data": data}


def raw(*statuses: dict[str, Any]) -> list[BuildEvent]:
    parser = RawJsonParser()
    return [event for status in statuses for event in parser.feed(json.dumps(status))]


def test_a_step_is_told_once_per_state() -> None:
    told = raw(
        {"vertexes": [vertex()]},
        {"vertexes": [started()]},
        {"vertexes": [started()]},
        {"vertexes": [ended()]},
        {"vertexes": [ended()]},
    )
    assert told == [
        Step("sha256:a", RUN, StepState.STARTED),
        Step("sha256:a", RUN, StepState.DONE, seconds=2.25),
    ]


def test_a_cached_step_takes_no_time() -> None:
    assert raw({"vertexes": [ended(cached=True)]}) == [Step("sha256:a", RUN, StepState.CACHED)]


def test_a_step_that_was_run_is_not_cached_for_the_next_image_that_shares_it() -> None:
    told = raw(
        {"vertexes": [started()]},
        {"vertexes": [ended()]},
        {"vertexes": [started()]},
        {"vertexes": [ended(cached=True)]},
    )
    assert Step("sha256:a", RUN, StepState.DONE, seconds=2.25) in told
    assert StepState.CACHED not in [step.state for step in told if isinstance(step, Step)]


def test_a_failed_step_carries_what_buildkit_says() -> None:
    (step,) = raw({"vertexes": [ended(error="process did not complete")]})
    assert isinstance(step, Step)
    assert (step.state, step.error) == (StepState.FAILED, "process did not complete")


def test_a_line_in_pieces_is_told_whole_and_streams_do_not_mix() -> None:
    told = raw(
        {"logs": [log("warn", stream=2)]},
        {"logs": [log("out\n", stream=1)]},
        {"logs": [log("ing\nnext\n", stream=2)]},
    )
    assert [event.text for event in told if isinstance(event, LogLine)] == [
        "out",
        "warning",
        "next",
    ]


def test_a_last_line_without_its_end_is_told_before_the_step_ends() -> None:
    told = raw(
        {"vertexes": [started()]}, {"logs": [log("no newline")]}, {"vertexes": [ended(error="x")]}
    )
    assert [type(event) for event in told] == [Step, LogLine, Step]


def test_lines_that_come_with_the_end_of_their_step_are_told_before_it() -> None:
    told = raw({"vertexes": [ended(error="x")], "logs": [log("last words\n")]})
    assert isinstance(told[0], LogLine)
    assert isinstance(told[1], Step)


def test_packages_that_cargo_compiles_are_counted_through_colours() -> None:
    told = raw(
        {"logs": [log("\x1b[1m\x1b[32m   Compiling\x1b[0m serde v1.0.1\n")]},
        {"logs": [log("   Compiling attune-api v0.1.0 (/build/crates/api)\n")]},
        {"logs": [log("    Finished release\n")]},
    )
    counted = [event for event in told if isinstance(event, Compiling)]
    assert counted == [Compiling("serde", 1), Compiling("attune-api", 2)]


def test_every_export_of_one_solve_is_told_although_they_share_a_digest() -> None:
    told = raw(
        {"vertexes": [ended(name="[api] exporting to image")]},
        {"vertexes": [ended(name="[web] exporting to image")]},
    )
    assert [event.name for event in told if isinstance(event, Step)] == [
        "[api] exporting to image",
        "[web] exporting to image",
    ]


def test_objects_that_are_indented_over_many_lines_are_read_too() -> None:
    parser = RawJsonParser()
    text = "\n".join(
        json.dumps(status, indent=2)
        for status in ({"vertexes": [started()]}, {"logs": [log("line\n")]})
    )
    told = [event for line in [*text.splitlines(), "ERROR: plain"] for event in parser.feed(line)]
    assert told == [
        Step("sha256:a", RUN, StepState.STARTED),
        LogLine("sha256:a", "line"),
        LogLine("", "ERROR: plain"),
    ]


def test_what_is_no_json_is_buildx_speaking() -> None:
    parser = RawJsonParser()
    assert parser.feed("ERROR: unknown flag") == [LogLine("", "ERROR: unknown flag")]
    assert parser.feed("") == []
    assert parser.feed("[1, 2]") == [LogLine("", "[1, 2]")]


def test_data_that_is_not_utf8_or_no_base64_does_not_end_the_build() -> None:
    parser = RawJsonParser()
    data = base64.b64encode(b"caf\xe9\n").decode()
    (event,) = parser.feed(json.dumps({"logs": [{"vertex": "a", "stream": 1, "data": data}]}))
    assert event == LogLine("a", "caf\ufffd")
    assert parser.feed(json.dumps({"logs": [{"vertex": "a", "stream": 1, "data": "x"}]})) == []


def test_only_what_the_dockerfile_asks_for_counts_as_a_step() -> None:
    def internal(name: str) -> bool:
        return Step("a", name, StepState.DONE).internal

    assert not internal(RUN)
    assert not internal("[2/3] COPY a b")
    assert internal("[internal] load local bake definitions")
    assert internal("[api internal] load build context")
    assert internal("[api builder 1/3] FROM docker.io/library/debian:bookworm-slim")
    assert internal("[api] exporting to image")
    assert internal("exporting to image")
    assert not internal("[internal-api 2/3] RUN make")


PLAIN = """\
#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 2B done
#1 DONE 0.1s

#5 [builder 2/3] RUN cargo build
#5 0.512    Compiling attune-api v0.1.0 (/build/crates/api)
#5 1.018 error: expected `;`
#5 CANCELED

#6 [builder 3/3] COPY a b
#6 CACHED

#7 [stage-1 2/2] RUN false
#7 ERROR: process "/bin/sh -c false" did not complete successfully: exit code: 1
------
"""


def test_plain_progress_tells_the_same() -> None:
    parser = PlainParser()
    told = [event for line in PLAIN.splitlines() for event in parser.feed(line)]
    run = "[builder 2/3] RUN cargo build"
    assert Step("5", run, StepState.STARTED) in told
    assert LogLine("5", "error: expected `;`") in told
    assert Compiling("attune-api", 1) in told
    assert Step("6", "[builder 3/3] COPY a b", StepState.CACHED) in told
    assert (
        Step("1", "[internal] load build definition from Dockerfile", StepState.DONE, 0.1) in told
    )
    failed = [e for e in told if isinstance(e, Step) and e.state is StepState.FAILED]
    assert [step.name for step in failed] == ["[stage-1 2/2] RUN false"]
    assert "exit code: 1" in failed[0].error


def test_cargos_progress_bar_tells_units_and_when_only_programs_are_left() -> None:
    parser = CargoParser()
    [early] = parser.feed("    Building [====>      ] 3/85: serde(build), syn")
    assert early == Units(3, 85, ("serde(build)", "syn"))
    [late] = parser.feed("    Building [=========> ] 83/85: attune-api(bin), attune-executor(bin)")
    assert [is_last_part(early), is_last_part(late)] == [False, True]
    assert parser.feed("   Compiling syn v2.0.1")[1] == Compiling("syn", 1)
