"""Cargo's own dep-info: the files that a binary was really compiled from.

A build hands over what cargo wrote beside the binary; it is kept as it came, with the paths of the
place where it was compiled. Reading brings these back into the repository. What it names *adds* to
what the manifests say: a file that a failed build was missing is not in it.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attune_dev.errors import AttuneDevError
from attune_dev.state import STATE_DIRECTORY, read_json, state_directory, write_json

if TYPE_CHECKING:
    from attune_dev.model.cargo import CargoModel, Package

NAME = "dep-info"
FOLDER = f"{STATE_DIRECTORY}/{NAME}"
SUFFIX = ".d"
_SEPARATOR = re.compile(r"(?<!\\) +")


def keep_dep_info(root: Path, binary: str, text: str) -> bool:
    """Keeps what cargo wrote beside a binary, for the next plan; what was kept of it is replaced.

    Args:
        root: repository root.
        binary: its name.
        text: the ``<binary>.d``, a make rule with the paths of where it was compiled.

    Returns:
        Whether it names other files than before; ``False`` too where it cannot be kept, which
        only costs what it would have added.
    """
    files = named_files(text)
    if not binary or "/" in binary or binary.startswith("."):
        return False
    try:
        folder = state_directory(root) / NAME
        folder.mkdir(exist_ok=True)
        path = folder / f"{binary}.json"
        before: object = None
        with suppress(OSError, ValueError):
            before = read_json(path)
        if before == files:
            return False
        write_json(path, files)
    except (OSError, AttuneDevError):
        return False
    return True


def keep_all(root: Path, folder: Path) -> bool:
    """Keeps each ``<binary>.d`` below a folder that a build exported; whether any told anew."""
    anew = [
        keep_dep_info(root, path.name.removesuffix(SUFFIX), path.read_text(errors="replace"))
        for path in sorted(folder.rglob(f"*{SUFFIX}"))
        if path.is_file() and not path.is_symlink()
    ]
    return any(anew)


def named_files(text: str) -> list[str]:
    """The files that a make rule of cargo's needs, sorted, without ``..`` on the way."""
    found: set[str] = set()
    for line in text.splitlines():
        _, colon, names = line.partition(": ")
        listed = _SEPARATOR.split(names.strip()) if colon else []
        found.update(posixpath.normpath(name.replace("\\ ", " ")) for name in listed if name)
    return sorted(found)


def read_dep_info(root: Path, cargo: CargoModel) -> dict[str, tuple[str, ...]]:
    """What the last builds left, by binary, relative to the root; empty where none did.

    Args:
        root: repository root.
        cargo: tells where a binary's sources are in the repository, and so what of a path is the
            place of the build.
    """
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted((root / FOLDER).glob("*.json")):
        package = cargo.package_of_binary(path.stem)
        files = _read(path)
        if package is not None and files:
            found[path.stem] = tuple(sorted(set(_in_repository(files, package, path.stem))))
    return found


def _read(path: Path) -> list[str]:
    try:
        data = read_json(path)
    except (OSError, json.JSONDecodeError, ValueError):
        return []
    return [str(name) for name in data] if isinstance(data, list) else []


def _in_repository(files: list[str], package: Package, binary: str) -> Iterator[str]:
    main = next((target.path for target in package.targets if target.name == binary), "")
    place = _place_of(files, main)
    if place is None:
        return
    built_in, folder = place
    target = f"{package.workspace}/target/" if package.workspace else "target/"
    for name in files:
        if name.startswith(built_in):
            path = folder + name[len(built_in) :]
            if not path.startswith(target):  # what build scripts made has its own inputs
                yield path


def _place_of(files: list[str], main: str) -> tuple[str, str] | None:
    """The folder of the build, and that folder of the repository which was there.

    The root source of the binary is in both; the longest end that its two names have in common
    tells where they part.
    """
    parts = main.split("/")
    for dropped in range(len(parts)):
        end = "/" + "/".join(parts[dropped:])
        for name in files:
            if name.endswith(end) and not ("/registry/src/" in name or "/git/checkouts/" in name):
                folder = "/".join(parts[:dropped])
                return name[: -len(end) + 1], f"{folder}/" if folder else ""
    return None
