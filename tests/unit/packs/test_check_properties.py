"""Whatever a file holds, the check tells something and never fails."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from attune_dev.packs.check.facts import read_facts
from attune_dev.packs.check.run import Checker

KEYS = st.sampled_from(
    ["ref", "name", "runner_type", "entry_point", "triggers", "trigger_types", "parameters"]
    + ["enabled", "version", "timeout_seconds", "workflow_file", "launch", "tags", "other"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
PLACES = ("pack.yaml", "actions/a.yaml", "sensors/a.yaml", "triggers/a.yaml", "runtimes/a.yaml")


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.sampled_from(PLACES))
def test_any_values_are_taken(document: dict[str, object], place: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "packs" / "a" / place
        file.parent.mkdir(parents=True)
        file.write_text(yaml.safe_dump(document, allow_unicode=True))
        (check,) = Checker(Path(folder), "packs").check()
        for problem in check.problems:
            assert problem.message
            assert "\n" not in problem.message
            assert problem.to_dict("packs/a")["file"]


@given(st.binary(max_size=60), st.sampled_from(PLACES))
def test_any_bytes_are_taken(data: bytes, place: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file.yaml"
        file.write_bytes(data)
        assert read_facts(file, place).path == place
