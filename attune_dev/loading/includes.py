"""Files outside of the source folders that Rust sources name, known before the first build."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attune_dev.loading.cargo_manifests import below
from attune_dev.model.cargo import Package

SIZE_LIMIT = 1024 * 1024
"""Bytes of a source file beyond which it is taken for generated, and not read."""

_WORDS = re.compile(rb"include|rerun-if-changed|\bpath\s*=|migrate!|folder\s*=")
_STRING = rb'r?#*"([^"\n]+)"'
_BESIDE = re.compile(rb"\binclude(?:_str|_bytes)?!\s*[({\[]\s*" + _STRING)
_MANIFEST_DIR = re.compile(
    rb'\binclude(?:_str|_bytes)?!\s*[({\[]\s*concat!\s*\(\s*env!\s*\(\s*"CARGO_MANIFEST_DIR"\s*\)'
    rb"\s*,\s*" + _STRING
)
_PATH_ATTRIBUTE = re.compile(rb"#\s*\[\s*path\s*=\s*" + _STRING)
_FROM_PACKAGE = (
    re.compile(rb"rerun-if-changed=([^\"{}\s\\]+)"),
    re.compile(rb"\bmigrate!\s*\(\s*" + _STRING),
    re.compile(rb"\bfolder\s*=\s*" + _STRING),
    _MANIFEST_DIR,
)


def load_includes(root: Path, packages: Mapping[str, Package]) -> dict[str, tuple[str, ...]]:
    """Files and folders that the sources of packages name, by the package's folder.

    Counted are ``include!``, ``include_str!``, ``include_bytes!``, ``#[path]``, a build script's
    ``rerun-if-changed``, ``migrate!`` and ``folder =`` with literal paths. What is in a source
    folder anyway is among them; what does not exist is, too: it may come.

    Args:
        root: repository root.
        packages: by folder.
    """
    found: dict[str, tuple[str, ...]] = {}
    for folder in packages:
        paths: set[str] = set()
        for source in _sources(root, folder, packages):
            paths |= set(_named(root, folder, source))
        if paths:
            found[folder] = tuple(sorted(paths))
    return found


def _sources(root: Path, folder: str, packages: Mapping[str, Package]) -> Iterator[str]:
    tops = {"src"} | {
        target.path[len(folder) + 1 if folder else 0 :].partition("/")[0]
        for target in packages[folder].targets
        if target.kind.value not in ("test", "bench", "example")
    }
    for top in sorted(tops):
        path = f"{folder}/{top}" if folder else top
        if top.endswith(".rs"):
            yield path
        for current, folders, files in os.walk(root / path):
            folders.sort()
            inside = os.path.relpath(current, root)
            yield from (f"{inside}/{name}" for name in sorted(files) if name.endswith(".rs"))


def _named(root: Path, folder: str, source: str) -> Iterator[str]:
    try:
        with (root / source).open("rb") as opened:
            text = opened.read(SIZE_LIMIT)
    except OSError:
        return
    if _WORDS.search(text) is None:
        return
    beside = source.rpartition("/")[0]
    for pattern, base in (
        (_BESIDE, beside),
        (_PATH_ATTRIBUTE, beside),
        *((pattern, folder) for pattern in _FROM_PACKAGE),
    ):
        for name in pattern.findall(text):
            path = below(base, os.fsdecode(name).lstrip("/"))
            if path:
                yield path
