"""What every task has in common: which exit code an error becomes."""

from __future__ import annotations

import json
import os
import sys

import pytest
from invoke.exceptions import Exit

from attune_dev.cli.command import guarded
from attune_dev.errors import ConfigError


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


@guarded
def meets(problem: BaseException, json: bool = False) -> None:
    raise problem


def test_an_error_before_all_else_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ConfigError("it is wrong", why="no end", hint="mend it", file="compose.yaml", line=3)
    with pytest.raises(Exit) as caught:
        meets(wrong, json=True)
    assert caught.value.code == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["ok"], told["targets"]) == (1, False, [])
    [error] = told["errors"]
    assert error == {
        "message": "it is wrong",
        "why": "no end",
        "hint": "mend it",
        "file": "compose.yaml",
        "line": 3,
    }


def test_an_interrupted_task_ends_its_document(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit) as caught:
        meets(KeyboardInterrupt(), json=True)
    assert caught.value.code == 130
    assert json.loads(capsys.readouterr().out)["errors"][0]["message"] == "interrupted"


def test_without_json_an_error_is_lines_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit, match="it is wrong"):
        meets(ConfigError("it is wrong"))
    assert capsys.readouterr().out == ""
