from __future__ import annotations

import pytest

from attune_dev.docker.diagnostics import BuildRecord, compiler_error
from attune_dev.docker.progress import Compiling, LogLine, Step, StepState

RUSTC = """\
   Compiling attune-api v0.1.0 (/build/crates/api)
warning: unused variable: `x`
 --> crates/api/src/main.rs:3:9

error[E0425]: cannot find value `port` in this scope
  --> crates/api/src/main.rs:10:5
   |
10 |     port
   |     ^^^^ not found in this scope

error: expected `;`, found `}`
  --> crates/api/src/routes.rs:20:1
   |

For more information about this error, try `rustc --explain E0425`.
error: could not compile `attune-api` (bin "attune-api") due to 2 previous errors
""".splitlines()

MANIFEST = """\
error: failed to parse manifest at `/build/crates/api/Cargo.toml`

Caused by:
  TOML parse error at line 3, column 1
  unclosed table
""".splitlines()


def test_the_compilers_errors_are_told_and_nothing_around_them() -> None:
    found = compiler_error(RUSTC)
    assert found is not None
    assert found.text.splitlines() == [
        "error[E0425]: cannot find value `port` in this scope",
        "  --> crates/api/src/main.rs:10:5",
        "   |",
        "10 |     port",
        "   |     ^^^^ not found in this scope",
        "",
        "error: expected `;`, found `}`",
        "  --> crates/api/src/routes.rs:20:1",
        "   |",
    ]
    assert (found.file, found.line) == ("crates/api/src/main.rs", 10)


def test_a_cause_that_cargo_tells_after_an_empty_line_belongs_to_its_error() -> None:
    found = compiler_error(MANIFEST)
    assert found is not None
    assert "unclosed table" in found.text
    assert found.file is None


def test_many_errors_are_cut_and_counted() -> None:
    found = compiler_error([line for n in range(5) for line in (f"error: number {n}", "")])
    assert found is not None
    assert found.text.splitlines()[-1] == "… and 2 more"
    assert "number 2" in found.text
    assert "number 3" not in found.text


def test_output_without_an_error_block_is_no_compiler_error() -> None:
    assert compiler_error(["warning: x", "error: could not compile `a`", "errors: 3"]) is None


def failed(
    *lines: str, error: str = "exit code: 101", name: str = "[builder 2/3] RUN x"
) -> BuildRecord:
    record = BuildRecord()
    record.add(Step("a", name, StepState.STARTED))
    for line in lines:
        record.add(LogLine("a", line))
    record.add(Step("a", name, StepState.FAILED, error=error))
    return record


def test_a_failed_build_points_at_the_file_and_line_of_the_first_error() -> None:
    error = failed(*RUSTC).error(["api", "web"])
    assert (error.what, error.where) == (
        "the build of api, web failed",
        "crates/api/src/main.rs:10",
    )
    assert error.why.startswith("error[E0425]")
    assert error.step == "[builder 2/3] RUN x"


def test_a_failed_step_that_is_no_compile_tells_its_last_lines() -> None:
    error = failed("line one", "sh: 1: nope: not found", error="exit code: 127").error(["api"])
    assert error.why.splitlines() == [
        "[builder 2/3] RUN x",
        "line one",
        "sh: 1: nope: not found",
        "exit code: 127",
    ]


def test_steps_that_buildkit_cancelled_are_not_the_cause() -> None:
    record = failed("the cause")
    record.steps = {"b": Step("b", "other", StepState.FAILED, error="context canceled")} | dict(
        record.steps
    )
    assert record.error(["api"]).step == "[builder 2/3] RUN x"


def test_without_a_failed_step_buildx_itself_is_heard() -> None:
    record = BuildRecord()
    record.add(LogLine("", "ERROR: failed to read Dockerfile: no such file"))
    assert "no such file" in record.error(["api"]).why


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("write /x: no space left on device", "docker system df"),
        ("debian: pull access denied, repository does not exist", "./inv setup"),
        ("failed to resolve source metadata for docker.io/library/rust", "./inv setup"),
        ("dial tcp: lookup example.org: no such host", "network"),
        ("something else", "build again"),
    ],
)
def test_the_hint_fits_what_went_wrong(said: str, hint: str) -> None:
    assert hint in failed(error=said).error(["api"]).hint


def test_cached_steps_and_packages_are_counted() -> None:
    record = BuildRecord()
    record.add(Step("a", "[b 1/3] FROM x", StepState.DONE))
    record.add(Step("b", "[b 2/3] RUN x", StepState.CACHED))
    assert record.all_cached
    record.add(Step("c", "[b 3/3] RUN y", StepState.STARTED))
    record.add(Step("c", "[b 3/3] RUN y", StepState.DONE, 1.0))
    record.add(Compiling("serde", 1))
    assert (len(record.counted), record.cached, record.compiled) == (2, 1, 1)
    assert not record.all_cached
