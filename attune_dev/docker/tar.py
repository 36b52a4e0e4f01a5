"""Tar archives in memory, as ``docker exec`` and ``docker cp`` take them (pure)."""

from __future__ import annotations

import io
import tarfile


class TarWriter:
    """Collects entries; owners are root's and times are none unless they are given."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._buffer, mode="w", format=tarfile.GNU_FORMAT)

    def file(
        self, path: str, content: bytes, *, mode: int = 0o644, uid: int = 0, gid: int = 0
    ) -> None:
        """Adds a file.

        Args:
            path: absolute, or relative to where the archive is unpacked.
            content: its bytes.
            mode: permission bits.
            uid: owner.
            gid: group.
        """
        entry = _entry(path, mode, uid, gid)
        entry.size = len(content)
        self._tar.addfile(entry, io.BytesIO(content))

    def symlink(self, path: str, target: str) -> None:
        """Adds a symbolic link."""
        entry = _entry(path, 0o777, 0, 0)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self._tar.addfile(entry)

    def link(self, path: str, existing: str) -> None:
        """Adds a hard link to a file that is there, or came before; it takes a path's place."""
        entry = _entry(path, 0o755, 0, 0)
        entry.type, entry.linkname = tarfile.LNKTYPE, existing.lstrip("/")
        self._tar.addfile(entry)

    def bytes(self) -> bytes:
        """The archive."""
        self._tar.close()
        return self._buffer.getvalue()


def _entry(path: str, mode: int, uid: int, gid: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.mode, entry.uid, entry.gid = mode, uid, gid
    return entry


def first_entry(data: bytes) -> tarfile.TarInfo | None:
    """What the first entry of an archive is; its beginning is enough."""
    try:
        return tarfile.TarInfo.frombuf(data[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None


def first_file(data: bytes) -> bytes | None:
    """The content of the first file of an archive."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for entry in tar:
            if entry.isreg() and (file := tar.extractfile(entry)) is not None:
                return file.read()
    return None
