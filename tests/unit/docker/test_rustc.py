"""What rustc and cargo say, as data."""

from __future__ import annotations

from attune_dev.docker.rustc import Diagnostic, diagnostics

API = "crates/api/src/main.rs"
SAID = """\
   Compiling attune-api v0.1.0 (/build/crates/api)
warning: function `unused` is never used
   --> crates/api/src/main.rs:181:4
    |
181 | fn unused() {}
    |    ^^^^^^
    |
    = note: `#[warn(dead_code)]` on by default

error[E0308]: mismatched types
   --> crates/executor/src/main.rs:164:21
    |
    = note: expected `u8`
       --> crates/common/src/lib.rs:1:1

error: linking with `cc` failed: exit status: 1

warning: `attune-api` (bin "attune-api") generated 1 warning
warning: function `unused` is never used
   --> crates/api/src/main.rs:181:4
error: could not compile `attune-executor` (bin "attune-executor") due to 2 previous errors
"""


def test_each_complaint_once_with_the_place_it_is_about() -> None:
    assert diagnostics(SAID.splitlines()) == (
        Diagnostic("warning", "function `unused` is never used", "", API, 181, 4),
        Diagnostic("error", "mismatched types", "E0308", "crates/executor/src/main.rs", 164, 21),
        Diagnostic("error", "linking with `cc` failed: exit status: 1"),
    )


def test_it_is_told_as_compilers_do() -> None:
    mismatch, link = diagnostics(SAID.splitlines())[1:]
    assert str(mismatch) == "crates/executor/src/main.rs:164:21: error[E0308]: mismatched types"
    assert str(link) == "error: linking with `cc` failed: exit status: 1"
    assert "file" not in link.to_dict()
    assert mismatch.to_dict()["line"] == 164


def test_output_without_a_complaint_has_none() -> None:
    assert diagnostics(["    Finished `release` profile", "   --> src/main.rs:1:1"]) == ()
