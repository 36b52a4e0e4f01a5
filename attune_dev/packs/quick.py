"""Answers "nothing to do" without reading the repository: the last sync is remembered.

What was synced is told by a record, with the time stamps of all that decided which folder fills
which volume. As long as these stand, the packs on disk and a running service's view of the volume
are all there is to look at.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attune_dev.errors import EnvironmentLacksError
from attune_dev.packs.cache import load_digests, save_digests
from attune_dev.packs.helper import asking_readers
from attune_dev.packs.scan import pack_names, scan_pack
from attune_dev.packs.volume import frames_of, read_state
from attune_dev.state import STATE_DIRECTORY, keep_json, state_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from attune_dev.model.workspace import Workspace
    from attune_dev.packs.manifest import PackTree
    from attune_dev.packs.volume import VolumeState

FILE = "packs-synced.json"
VERSION = 1
SETTINGS = ("pyproject.toml", "attune-dev.toml", ".env")
PREFIXES = ("COMPOSE_", "DOCKER_", "ATTUNE_DEV_")

_VARIABLE = re.compile(rb"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def remember(root: Path, workspace: Workspace) -> None:
    """Remembers that everything is in sync, after a sync of all packs that succeeded.

    It is only a matter of speed: where it cannot be written, nothing is said.
    """
    with suppress(EnvironmentLacksError):
        state_directory(root)  # before the root is stamped: making it is a change there
    files = sorted({*workspace.compose.files, *SETTINGS})
    variables = _variables(root, files)
    record = {
        "version": VERSION,
        "files": {file: _stamp(root / file) for file in ["", *files]},
        "variables": variables,
        "environment": _environment(variables),
        "folders": {
            folder.root: workspace.compose.volumes.get(folder.volume, folder.volume)
            for folder in workspace.packs_folders
        },
    }
    keep_json(root, FILE, record)


def forget(root: Path) -> None:
    """Forgets the last sync: before one starts, for it may fail."""
    with suppress(OSError):
        (root / STATE_DIRECTORY / FILE).unlink(missing_ok=True)


def nothing_to_do(root: Path, names: Iterable[str] = ()) -> tuple[str, ...] | None:
    """The packs that are in sync, if all are.

    Args:
        root: repository root.
        names: packs asked for; one that is not on disk needs the long way.

    Returns:
        Names of all packs on disk, sorted; ``None`` where something is to be done, or where it
        takes the long way to tell.
    """
    folders = _remembered(root)
    if not folders:
        return None
    cache = load_digests(root)
    found: list[str] = []
    with asking_readers(folders, root) as answers:
        for folder in folders:
            trees = [scan_pack(root / folder / n, cache) for n in pack_names(root / folder)]
            answer = answers[folder]()
            if answer is None or not _settled(trees, read_state(frames_of(answer))):
                return None
            found += [tree.name for tree in trees]
    save_digests(root, cache)
    return tuple(sorted(found)) if set(names) <= set(found) else None


def _settled(trees: Iterable[PackTree], state: VolumeState) -> bool:
    """Whether a volume has these packs and no others that were written from here."""
    digests = {tree.name: tree.digest for tree in trees if not tree.refused}
    ours = {p.name: p for p in state.packs.values() if p.state != "foreign"}
    return (
        not (state.unfinished or state.replaced)
        and ours.keys() == {tree.name for tree in trees}
        and all(p.state == "clean" and p.wanted == digests.get(p.name) for p in ours.values())
    )


def _remembered(root: Path) -> Mapping[str, str] | None:
    """Folder to volume, if nothing has changed that decides it."""
    try:
        record: dict[str, Any] = json.loads((root / STATE_DIRECTORY / FILE).read_bytes())
        files: dict[str, list[int] | None] = record["files"]
        same = (
            record["version"] == VERSION
            and record["environment"] == _environment(record["variables"])
            and all(_stamp(root / file) == stamp for file, stamp in files.items())
        )
        folders: dict[str, str] = record["folders"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return folders if same else None


def _stamp(path: Path) -> list[int] | None:
    """What changes when a file does; of a folder: when a name in it comes or goes."""
    try:
        found = path.stat()
    except OSError:
        return None
    if stat.S_ISDIR(found.st_mode):
        return [found.st_ino, found.st_mtime_ns]
    return [found.st_ino, found.st_ctime_ns, found.st_mtime_ns, found.st_size]


def _variables(root: Path, files: Iterable[str]) -> list[str]:
    """Names of environment variables that the files mention."""
    found: set[str] = set()
    for file in files:
        with suppress(OSError):
            found |= {name.decode() for name in _VARIABLE.findall((root / file).read_bytes())}
    return sorted(found)


def _environment(variables: Iterable[str]) -> str:
    """A digest of what the environment says to Compose, Docker and us; it may hold secrets."""
    chosen = {
        name: value
        for name, value in os.environ.items()
        if name in set(variables) or name.startswith(PREFIXES)
    }
    text = json.dumps(chosen, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
