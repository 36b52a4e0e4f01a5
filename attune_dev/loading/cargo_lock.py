"""``Cargo.lock``, versions 1 to 4.

Source: cargo's ``core/resolver/encode.rs``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attune_dev.loading.toml_file import TomlFile, parse_toml, read_text
from attune_dev.model.cargo import LockedPackage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEAD = re.compile(r"(?:#[^\n]*\n|\s)*(?:version = \d+\s*)?")
_BLOCK = re.compile(
    r'name = "([^"\\\n]+)"\nversion = "([^"\\\n]+)"\n'
    r'(?:source = "([^"\\\n]+)"\n)?(?:checksum = "([^"\\\n]+)"\n)?'
    r'(?:dependencies = \[\n((?: "[^"\\\n]+",\n)*)\]\n)?\n*'
)
_NEEDED = re.compile(r'"([^"]+)"')

LOCK_LIMIT = 16 * 1024 * 1024


def read_lock(root: str, path: str) -> tuple[LockedPackage, ...]:
    """The resolution that a lock file holds; empty where there is no file.

    Raises:
        ConfigError: it cannot be understood.
    """
    try:
        return parse_lock(read_text(root, path, limit=LOCK_LIMIT), path)
    except FileNotFoundError:
        return ()


def parse_lock(text: str, path: str = "Cargo.lock") -> tuple[LockedPackage, ...]:
    """The packages of a lock file, sorted, with dependencies resolved to ``name, version``.

    Args:
        text: what the file says.
        path: for messages.

    Raises:
        ConfigError: it is no lock file.
    """
    entries = _as_cargo_writes(text)
    file = TomlFile(path, text, {})
    if entries is None:
        file = parse_toml(text, path)
        entries = _entries(file)
    versions: dict[str, list[str]] = {}
    for entry in entries:
        versions.setdefault(entry["name"], []).append(entry["version"])
    # Version 1 keeps the checksums apart, keyed `checksum name version (source)`.
    checksums = file.table("metadata")
    return tuple(sorted(_locked(file, entry, versions, checksums) for entry in entries))


def _as_cargo_writes(text: str) -> list[Mapping[str, Any]] | None:
    """The packages of a file that is laid out as cargo does it; ``None`` for any other.

    It says the same as a TOML parser, in a fifth of the time: lock files are long.
    """
    head, *blocks = text.split("\n[[package]]\n")
    if not _HEAD.fullmatch(head):
        return None
    entries: list[Mapping[str, Any]] = []
    for block in blocks:
        found = _BLOCK.fullmatch(block)
        if found is None:
            return None
        name, version, source, checksum, needed = found.groups("")
        dependencies = _NEEDED.findall(needed)
        entries.append(
            {
                "name": name,
                "version": version,
                "source": source,
                "checksum": checksum,
                "dependencies": dependencies,
            }
        )
    return entries


def _entries(file: TomlFile) -> list[Mapping[str, Any]]:
    entries = file.data.get("package", [])
    if not isinstance(entries, list):
        raise file.error("`package` must be written [[package]]", "package")
    if "root" in file.data:  # before 2017 the root package stood apart
        entries = [*entries, file.table("root")]
    for entry in entries:
        if not isinstance(entry, dict) or not all(
            isinstance(entry.get(key), str) for key in ("name", "version")
        ):
            raise file.error("a [[package]] lacks its name or version", "[[package]]")
    return entries


def _locked(
    file: TomlFile,
    entry: Mapping[str, Any],
    versions: Mapping[str, list[str]],
    checksums: Mapping[str, Any],
) -> LockedPackage:
    name, version, source = entry["name"], entry["version"], str(entry.get("source", ""))
    checksum = entry.get("checksum") or checksums.get(f"checksum {name} {version} ({source})", "")
    needed = file.strings(entry, "dependencies")
    if isinstance(replaced := entry.get("replace"), str):
        needed = (*needed, replaced)
    dependencies = _resolve(needed, versions)
    return LockedPackage(name, version, source, str(checksum), dependencies)


def _resolve(
    needed: Iterable[str], versions: Mapping[str, list[str]]
) -> tuple[tuple[str, str], ...]:
    """``name``, ``name version`` or ``name version (source)``, as short as is unambiguous."""
    found: set[tuple[str, str]] = set()
    for written in needed:
        name, _, rest = written.partition(" ")
        version = rest.partition(" ")[0]
        found |= {(name, known) for known in ([version] if version else versions.get(name, ()))}
    return tuple(sorted(found))
