"""The page of faults names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def test_every_fault_has_a_test_that_is_there() -> None:
    rows = re.findall(r"^\| (.+?) \| `(.+?)::(.+?)` \|$", _page(), re.MULTILINE)
    missing = [
        f"{fault}: {file}::{name}"
        for fault, file, name in rows
        if not re.search(rf"^ *def {name}\(", _text(file), re.MULTILINE)
    ]
    assert missing == []
    assert len(rows) == len({fault for fault, _, _ in rows})
    assert len(rows) > 80, "the page is not read as it is written"


def _page() -> str:
    return (Path(__file__).parent / "README.md").read_text(encoding="utf-8")


def _text(file: str) -> str:
    path = TESTS / file
    return path.read_text(encoding="utf-8") if path.is_file() else ""
