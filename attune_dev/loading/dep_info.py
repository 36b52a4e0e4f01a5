"""Cargo's own dep-info: the files that a binary was really compiled from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from attune_dev.state import STATE_DIRECTORY, keep_json

NAME = "dep-info.json"
FILE = f"{STATE_DIRECTORY}/{NAME}"
_SEPARATOR = re.compile(r"(?<!\\) +")


def parse_dep_info(text: str, build_root: str) -> tuple[str, ...]:
    """The files that a ``<binary>.d`` names, relative to where the sources are, sorted.

    Args:
        text: a make rule, as cargo writes it beside the binary.
        build_root: folder of the sources at the time of the build; files outside do not count.
    """
    prefix = build_root.rstrip("/") + "/"
    found: set[str] = set()
    for line in text.splitlines():
        _, colon, names = line.partition(": ")
        for name in _SEPARATOR.split(names.strip()) if colon else ():
            path = name.replace("\\ ", " ")
            if path.startswith(prefix):
                found.add(path[len(prefix) :])
    return tuple(sorted(found))


def read_dep_info(root: Path) -> dict[str, tuple[str, ...]]:
    """What the last builds left, by binary; empty where none did or it cannot be read."""
    try:
        data = json.loads((root / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(data, dict):
        return {}
    return {
        str(binary): tuple(str(path) for path in paths)
        for binary, paths in sorted(data.items())
        if isinstance(paths, list)
    }


def write_dep_info(root: Path, binary: str, files: Iterable[str]) -> None:
    """Keeps what a build of a binary read, for the next plan.

    Args:
        root: repository root.
        binary: its name.
        files: relative to the root.
    """
    known = {name: list(paths) for name, paths in read_dep_info(root).items()}
    known[binary] = sorted(files)
    keep_json(root, NAME, known)
