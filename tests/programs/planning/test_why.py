"""What ``inv why`` can be asked, as a user types it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.programs.planning.shapes import SHAPES

ROOT = SHAPES / "crate-of-pack-binaries-and-services"


def why(word: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "attune_dev.cli.main", "why", word],
        cwd=ROOT,
        env=os.environ | {"ATTUNE_DEV_ROOT": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["common", "core-pulse", "core"])
def test_a_package_a_binary_and_a_pack_are_known_by_name(name: str) -> None:
    told = why(name)
    assert told.returncode == 0, told.stderr
    folder, *lines = told.stdout.splitlines()
    assert why(folder).stdout == told.stdout
    assert any("→ service" in line for line in lines)
    assert not any("nobody" in line for line in lines)


def test_a_word_that_is_nothing_is_refused_with_the_near_ones() -> None:
    told = why("gatewayy")
    assert told.returncode == 2
    assert "no file, service, package, binary or pack `gatewayy`" in told.stderr
    assert "did you mean `gateway`?" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_file_that_is_not_there_yet_is_asked_for_by_its_path() -> None:
    told = why("crates/common/src/new.rs")
    assert told.returncode == 0
    assert "package" in told.stdout
