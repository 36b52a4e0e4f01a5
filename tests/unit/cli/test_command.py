"""What every task has in common: which exit code an error becomes."""

from __future__ import annotations

import os
import sys

import pytest
from invoke.exceptions import Exit

from attune_dev.cli.command import guarded


@guarded
def writes_into_a_closed_pipe() -> None:
    raise BrokenPipeError(32, "Broken pipe")


def test_a_pipe_to_a_program_that_died_is_a_failure() -> None:
    with pytest.raises(Exit) as caught:
        writes_into_a_closed_pipe()
    assert caught.value.code == 1


def test_a_reader_that_has_seen_enough_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(Exit) as caught:
            writes_into_a_closed_pipe()
    assert caught.value.code == 0
