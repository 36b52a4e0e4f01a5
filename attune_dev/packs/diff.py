"""What a sync would change, line by line."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from attune_dev.packs.helper import HelperSession
from attune_dev.packs.status import PackStatus

TEXT_LIMIT = 1_000_000
_WORDS = {"mode": "another mode", "missing": "missing", "altered": "altered"}


def pack_diff(source: Path, status: PackStatus, session: HelperSession) -> Iterator[str]:
    """The differences of one pack from the volume to the disk, as a unified diff.

    Args:
        source: the folder of packs.
        status: of the pack, with its files.
        session: a helper that can read the volume.

    Yields:
        Lines without line ends. A file that is no text, or large, is told on one line.
    """
    name = status.name
    drifted = {path: what for path, what in status.drifted if what == "altered"}
    told = {**drifted, **dict(status.delta)}
    for path, what in sorted(told.items()):
        if what == "mode":
            yield f"mode {name}/{path}"
            continue
        old = b"" if what == "added" else _there(session, name, path)
        new = b"" if what == "deleted" else _here(source / name, path)
        if old is None or new is None or b"\0" in old + new:
            yield f"{what} {name}/{path}: no text, or more than {TEXT_LIMIT // 1_000_000} MB"
            continue
        yield from _unified(f"{name}/{path}", what, old, new)


def _unified(path: str, what: str, old: bytes, new: bytes) -> Iterator[str]:
    before = old.decode(errors="surrogateescape").splitlines()
    after = new.decode(errors="surrogateescape").splitlines()
    lines = list(
        difflib.unified_diff(
            before,
            after,
            "/dev/null" if what == "added" else f"volume/{path}",
            "/dev/null" if what == "deleted" else path,
            lineterm="",
        )
    )
    yield from lines or [f"{what} {path}"]


def _here(pack: Path, path: str) -> bytes | None:
    place = pack / path
    try:
        if place.is_symlink():
            return os.fsencode(f"-> {place.readlink()}\n")
        if not place.is_file() or place.stat().st_size > TEXT_LIMIT:
            return b"" if place.is_dir() else None
        return place.read_bytes()
    except OSError:
        return None


def _there(session: HelperSession, pack: str, path: str) -> bytes | None:
    data = b""
    for verb, fields in session.talk().ask("read", os.fsencode(pack), os.fsencode(path)):
        if verb == "end":
            break
        if len(data) <= TEXT_LIMIT:
            data += b"\0".join(fields)
    return data if len(data) <= TEXT_LIMIT else None
