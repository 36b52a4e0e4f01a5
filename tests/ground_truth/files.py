"""Folders and archives as tables of contents: path to a digest of kind, mode and bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path

# What a container gets from the engine at its start, different each time.
_OF_THE_ENGINE = frozenset({"etc/hostname", "etc/hosts", "etc/resolv.conf", ".dockerenv"})


def of_folder(folder: Path, skip: str = "") -> dict[str, str]:
    """The files below a folder; one alone stands under its own name.

    Args:
        folder: a folder or a file.
        skip: name of a folder directly below that is left out.
    """
    if folder.is_file():
        return {folder.name: _of_file(folder)}
    found = {}
    for current, folders, files in os.walk(folder):
        folders[:] = sorted(n for n in folders if Path(current) != folder or n != skip)
        links = [name for name in folders if Path(current, name).is_symlink()]
        for name in (*files, *links):
            full = Path(current, name)
            found[full.relative_to(folder).as_posix()] = _of_file(full)
    return dict(sorted(found.items()))


def _of_file(path: Path) -> str:
    about = path.lstat()
    data = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    return _told(stat.S_IMODE(about.st_mode), data)


def of_archive(path: Path) -> dict[str, str]:
    """The members of a tar archive, folders and times left out."""
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.removeprefix("./").strip("/")
            if member.isdir() or name in _OF_THE_ENGINE:
                continue
            content = archive.extractfile(member) if member.isreg() else None
            data = content.read() if content else f"{member.type!r} {member.linkname}".encode()
            found[name] = _told(member.mode, data)
    return found


def _told(mode: int, data: bytes) -> str:
    return f"{mode:o} {hashlib.sha256(data).hexdigest()}"


def digest(table: Mapping[str, str] | str) -> str:
    """One digest for a table or a text."""
    text = table if isinstance(table, str) else "\n".join(f"{k}\0{table[k]}" for k in sorted(table))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def mirror(source: Path, target: Path, keep: str) -> None:
    """Makes a folder hold what another holds; files of the same bytes keep their times.

    Args:
        source: what it shall hold.
        target: the folder.
        keep: name of a folder at its top that is left alone.
    """
    wanted = of_folder(source)
    there = of_folder(target, skip=keep)
    for path in there.keys() - wanted.keys():
        gone = target / path
        gone.unlink()
        while gone.parent != target and not any(gone.parent.iterdir()):
            gone = gone.parent
            gone.rmdir()
    for path in wanted:
        if there.get(path) != wanted[path]:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / path, target / path)
