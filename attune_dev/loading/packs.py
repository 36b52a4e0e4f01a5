"""Folders of packs: where they are, which volume they fill, which binaries their sensors name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attune_dev.errors import ConfigError
from attune_dev.loading.safe_yaml import load_yaml, read_bounded
from attune_dev.model.cargo import CargoModel
from attune_dev.model.compose import ComposeProject, MountKind, Service
from attune_dev.model.packs import Pack, PackBinary, PacksFolder

_PACK_FILES = ("pack.yaml", "pack.yml")
_VALUE = r"""\s*(?:"([^"]+)"|'([^']+)'|([^\s#]+))"""
_REF = re.compile(f"^ref:{_VALUE}", re.MULTILINE)
_ENTRY_POINT = re.compile(f"^entry_point:{_VALUE}", re.MULTILINE)


def load_packs(
    root: Path,
    compose: ComposeProject,
    cargo: CargoModel,
    *,
    named: str = "",
) -> tuple[tuple[PacksFolder, ...], tuple[str, ...]]:
    """The folders of packs of a repository.

    A folder of packs fills a volume where a one-shot service bind-mounts it and mounts a volume
    writable that other services mount, too.

    Args:
        root: repository root.
        compose: its services.
        cargo: its packages: a sensor's entry point that is one of their binaries is a pack binary.
        named: the folder that the settings name, where none can be recognised.

    Returns:
        The folders that fill volumes, and the folders that long-running services bind-mount.
    """
    filling: dict[str, PacksFolder] = {}
    bound: dict[str, None] = {}
    for name, service in compose.services.items():
        for folder in _bound_folders(service):
            if folder != named and not _holds_packs(root, folder):
                continue
            if not compose.one_shot(name):
                bound[folder] = None
            elif folder not in filling and (volume := _filled_volume(compose, service)):
                packs = dict(_packs(root, folder, cargo))
                filling[folder] = PacksFolder(folder, volume, name, packs)
    return (
        tuple(filling[folder] for folder in sorted(filling)),
        tuple(sorted(folder for folder in bound if folder not in filling)),
    )


def _bound_folders(service: Service) -> Iterator[str]:
    for mount in service.mounts:
        if mount.kind is MountKind.BIND and mount.source and not mount.source.startswith("/"):
            yield mount.source


def _filled_volume(compose: ComposeProject, filler: Service) -> str:
    """The volume that a one-shot fills: writable for it, mounted by others."""
    for mount in filler.mounts:
        if mount.kind is MountKind.VOLUME and mount.source and not mount.read_only:
            for other in compose.services.values():
                shares = any(
                    m.kind is MountKind.VOLUME and m.source == mount.source for m in other.mounts
                )
                if shares and other.name != filler.name:
                    return mount.source
    return ""


def _holds_packs(root: Path, folder: str) -> bool:
    return any(True for _ in _pack_folders(root, folder))


def _pack_folders(root: Path, folder: str) -> Iterator[str]:
    try:
        names = sorted(entry.name for entry in os.scandir(root / folder) if entry.is_dir())
    except OSError:
        return
    for name in names:
        if any((root / folder / name / file).is_file() for file in _PACK_FILES):
            yield name


def _packs(root: Path, folder: str, cargo: CargoModel) -> Iterator[tuple[str, Pack]]:
    owners = {
        binary: package.root
        for package in reversed(list(cargo.packages().values()))
        for binary in package.binaries
    }
    for name in _pack_folders(root, folder):
        place = f"{folder}/{name}"
        binaries = tuple(_binaries(root, place, name, owners))
        yield name, Pack(_ref(root, place) or name, place, binaries)


def _ref(root: Path, place: str) -> str:
    """The pack's reference; a line is enough, for whole files are checked before a sync."""
    for file in _PACK_FILES:
        try:
            text = read_bounded(root / place / file, name=f"{place}/{file}")
        except (OSError, ConfigError):
            continue
        found = _REF.search(text)
        return next((group for group in found.groups() if group), "") if found else ""
    return ""


def _binaries(
    root: Path,
    place: str,
    pack: str,
    owners: Mapping[str, str],
) -> Iterator[PackBinary]:
    found: set[str] = set()
    for sensor in _sensor_files(root / place / "sensors"):
        file = f"{place}/sensors/{sensor.name}"
        entry = _entry_point(sensor, file, owners)
        if entry and entry not in found:
            found.add(entry)
            name = entry.rpartition("/")[2]
            yield PackBinary(name, pack, f"{place}/sensors/{entry}", owners[name])


def _sensor_files(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml"))
    except OSError:
        return []


def _entry_point(sensor: Path, file: str, owners: Mapping[str, str]) -> str:
    """The entry point of a sensor, relative to ``sensors/``, if a cargo binary has its name.

    A file that is broken elsewhere still tells it: what is wrong is for the check of its pack.
    """
    try:
        text = read_bounded(sensor, name=file)
    except (OSError, ConfigError):
        return ""
    if not any(binary in text for binary in owners):  # spares the parse of most files
        return ""
    try:
        data = load_yaml(text, file=file)
        entry = data.get("entry_point") if isinstance(data, dict) else None
    except ConfigError:
        found = _ENTRY_POINT.search(text)
        entry = next((group for group in found.groups() if group), "") if found else None
    if not isinstance(entry, str):
        return ""
    entry = entry.removeprefix("./").removeprefix("sensors/")
    return entry if entry.rpartition("/")[2] in owners and ".." not in entry else ""
