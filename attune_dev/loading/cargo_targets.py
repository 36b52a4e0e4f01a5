"""Targets of a package, explicit and discovered.

Source: cargo's ``util/toml/targets.rs`` and "Cargo Targets" in the Cargo book.
"""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attune_dev.loading.cargo_manifests import Manifest, below, in_folder
from attune_dev.model.cargo import CargoTarget, TargetKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OLDEST_EDITION = "2015"


@dataclass(frozen=True, slots=True)
class _Kind:
    table: str
    switch: str
    folder: str
    kind: TargetKind


_KINDS = (
    _Kind("bin", "autobins", "src/bin", TargetKind.BIN),
    _Kind("example", "autoexamples", "examples", TargetKind.EXAMPLE),
    _Kind("test", "autotests", "tests", TargetKind.TEST),
    _Kind("bench", "autobenches", "benches", TargetKind.BENCH),
)


def targets_of(root: str, manifest: Manifest, edition: str) -> tuple[CargoTarget, ...]:
    """All targets of a package, sorted.

    A target whose source file cannot be found is listed with the path at which cargo would look
    first: the file may be about to be written, and the build tells it if not.

    Args:
        root: the repository root.
        manifest: the package's.
        edition: the edition in force, inherited or not.

    Raises:
        ConfigError: a target has no name, or its table is none.
    """
    found = [*_library(root, manifest, edition), *_build_script(root, manifest)]
    has_library = bool(found) and found[0].kind in (TargetKind.LIB, TargetKind.PROC_MACRO)
    for kind in _KINDS:
        inferred = _inferred(root, manifest, kind)
        found += _of_kind(root, manifest, kind, inferred, edition, has_library=has_library)
    return tuple(sorted(found))


def _library(root: str, manifest: Manifest, edition: str) -> list[CargoTarget]:
    table = manifest.file.table("lib")
    exists = _is_file(root, manifest, "src/lib.rs")
    if not table and not (exists and manifest.package.get("autolib") is not False):
        return []
    name = table.get("name") or manifest.name.replace("-", "_")
    path = table.get("path")
    if path is None:
        old = f"src/{name}.rs"
        legacy = edition == _OLDEST_EDITION and not exists and _is_file(root, manifest, old)
        path = old if legacy else "src/lib.rs"
    types = table.get("crate-type") or table.get("crate_type") or []
    macro = table.get("proc-macro") or table.get("proc_macro") or "proc-macro" in types
    kind = TargetKind.PROC_MACRO if macro else TargetKind.LIB
    return [CargoTarget(str(name), kind, _source(manifest, str(path)))]


def _build_script(root: str, manifest: Manifest) -> list[CargoTarget]:
    build = manifest.package.get("build")
    if build is None:
        build = _is_file(root, manifest, "build.rs")
    if build is True:
        build = "build.rs"
    scripts = [build] if isinstance(build, str) else build if isinstance(build, list) else []
    return [
        CargoTarget(
            f"build-script-{posixpath.splitext(posixpath.basename(script))[0]}",
            TargetKind.BUILD_SCRIPT,
            _source(manifest, script),
        )
        for script in scripts
        if isinstance(script, str)
    ]


def _of_kind(
    root: str,
    manifest: Manifest,
    kind: _Kind,
    inferred: Sequence[tuple[str, str]],
    edition: str,
    *,
    has_library: bool,
) -> list[CargoTarget]:
    explicit = _tables(manifest, kind)
    switch = manifest.package.get(kind.switch)
    discover = switch if isinstance(switch, bool) else not explicit or edition != _OLDEST_EDITION
    found: dict[str, str] = {}
    for table in explicit:
        name = table.get("name")
        if not isinstance(name, str):
            raise manifest.file.error(f"a [[{kind.table}]] has no name", f"[[{kind.table}]]")
        path = table.get("path")
        if not isinstance(path, str):
            legacy = edition == _OLDEST_EDITION and kind.kind is TargetKind.BIN
            path = dict(inferred).get(name) or (
                _legacy_bin(root, manifest, name, has_library=has_library) if legacy else None
            )
        found[name] = path or f"{kind.folder}/{name}.rs"
    taken = set(found.values())
    if discover:
        found |= {name: path for name, path in inferred if name not in found and path not in taken}
    return [CargoTarget(name, kind.kind, _source(manifest, path)) for name, path in found.items()]


def _legacy_bin(root: str, manifest: Manifest, name: str, *, has_library: bool) -> str | None:
    tried = ("src/main.rs", "src/bin/main.rs")
    for path in tried if has_library else (f"src/{name}.rs", *tried):
        if _is_file(root, manifest, path):
            return path
    return None


def _tables(manifest: Manifest, kind: _Kind) -> list[Mapping[str, Any]]:
    tables = manifest.file.data.get(kind.table, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise manifest.file.error(f"`{kind.table}` must be written [[{kind.table}]]", kind.table)
    return tables


def _inferred(root: str, manifest: Manifest, kind: _Kind) -> list[tuple[str, str]]:
    """Name and package-relative path of what cargo finds by itself."""
    found: list[tuple[str, str]] = []
    if kind.kind is TargetKind.BIN and _is_file(root, manifest, "src/main.rs"):
        found.append((manifest.name, "src/main.rs"))
    folder = in_folder(root, in_folder(manifest.folder, kind.folder))
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return found
    for entry in entries:
        stem, extension = posixpath.splitext(entry.name)
        if entry.name.startswith(".") or not _is_unicode(entry.name):
            continue
        if extension == ".rs" and entry.is_file():
            found.append((stem, f"{kind.folder}/{entry.name}"))
        elif os.path.isfile(in_folder(entry.path, "main.rs")):  # noqa: PTH113 - stays text
            found.append((entry.name, f"{kind.folder}/{entry.name}/main.rs"))
    return found


def _is_unicode(name: str) -> bool:
    # A name with other bytes carries surrogates. cargo passes over such files.
    return not any("\udc80" <= letter <= "\udcff" for letter in name)


def _is_file(root: str, manifest: Manifest, path: str) -> bool:
    return os.path.isfile(in_folder(root, in_folder(manifest.folder, path)))  # noqa: PTH113


def _source(manifest: Manifest, path: str) -> str:
    inside = below(manifest.folder, path)
    if inside is None:
        raise manifest.file.error(f"the source file `{path}` lies outside the repository", path)
    return inside
