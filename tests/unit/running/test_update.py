from __future__ import annotations

from attune_dev.docker.progress import LogLine, Step, StepState
from attune_dev.running.update import build_line


def step(name: str, state: StepState, *, internal: bool = False) -> Step:
    return Step("sha256:1", ("[internal] " if internal else "") + name, state)


def test_a_step_is_one_line_whatever_its_command() -> None:
    told = build_line(step("[builder 3/3] RUN set -eu;\n    cargo build", StepState.STARTED))
    assert told == "=> [builder 3/3] RUN set -eu; cargo build"


def test_a_long_command_is_known_by_its_beginning() -> None:
    told = build_line(step("[builder 3/3] RUN " + "x" * 500, StepState.CACHED))
    assert told.startswith("=> [builder 3/3] RUN xxx")
    assert told.endswith("x… (cached)")
    assert len(told) < 115


def test_what_a_step_prints_is_told_as_it_is() -> None:
    line = LogLine("sha256:1", "   Compiling attune-api v0.1.0")
    assert build_line(line) == "   Compiling attune-api v0.1.0"


def test_internal_steps_and_ends_are_not_told() -> None:
    assert not build_line(step("load build definition", StepState.STARTED, internal=True))
    assert not build_line(step("[builder 1/3] FROM rust", StepState.DONE))
