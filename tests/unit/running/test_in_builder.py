"""A lock file that does not fit the manifests: recognised, mended once, and told."""

from __future__ import annotations

import pytest

from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.running.in_builder import lock_difference, lock_is_stale
from attune_dev.running.ports import Talk
from attune_dev.running.update import mended

STALE = "error: cannot update the lock file /build/Cargo.lock because --locked was passed"


def locked(*packages: str) -> bytes:
    entries = (f'[[package]]\nname = "{n}"\nversion = "{v}"\n' for n, v in map(str.split, packages))
    return "".join(["version = 4\n", *entries]).encode()


@pytest.mark.parametrize(
    ("why", "stale"),
    [
        (STALE + " to prevent this", True),
        ("error: the lock file needs to be updated but --locked was passed", True),
        ("error[E0308]: mismatched types", False),
    ],
)
def test_a_stale_lock_file_is_told_from_other_failures(why: str, stale: bool) -> None:
    assert lock_is_stale(BuildFailed(["api"], why=why)) is stale


def test_what_an_update_changed() -> None:
    before = locked("a 1.0.0", "b 1.0.0")
    assert lock_difference(before, locked("a 1.0.0", "b 2.0.0")) == "adds b 2.0.0, removes b 1.0.0"
    many = locked("a 1.0.0", "b 1.0.0", *(f"c{n} 1.0.0" for n in range(6)))
    assert lock_difference(before, many).endswith("c3 1.0.0 and 2 more")
    assert lock_difference(before, before) == "the same packages, with other dependencies"


def attempts(*, mends: bool, failures: int) -> list[str]:
    """What happens to a build that fails so often."""
    told: list[str] = []

    def build() -> str:
        told.append("build")
        if len(told) - told.count("mend") <= failures:
            raise BuildFailed(["api"], why=STALE)
        return "built"

    def mend(_failure: BuildFailed, _talk: Talk) -> bool:
        told.append("mend")
        return mends

    try:
        told.append(mended(build, mend, Talk()))
    except BuildFailed:
        told.append("failed")
    return told


def test_a_build_is_tried_once_more_where_that_helps() -> None:
    assert attempts(mends=True, failures=0) == ["build", "built"]
    assert attempts(mends=True, failures=1) == ["build", "mend", "build", "built"]
    assert attempts(mends=True, failures=2) == ["build", "mend", "build", "failed"]
    assert attempts(mends=False, failures=1) == ["build", "mend", "failed"]
