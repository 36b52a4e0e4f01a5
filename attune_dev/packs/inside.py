"""What a running service sees of packs, compared with what is on disk."""

from __future__ import annotations

import hashlib
import os
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from attune_dev.docker import process
from attune_dev.errors import ActionError
from attune_dev.packs.manifest import DIGEST_BYTES, Entry, EntryKind
from attune_dev.packs.scan import CHUNK, scan_pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import IO

    from attune_dev.model.packs import PacksFolder

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Inside:
    """What one service sees.

    Attributes:
        service: which.
        packs: how many packs it was compared for.
        files: how many files, folders and links are as on disk.
        differing: paths that differ or are missing, as ``pack/path``, sorted.
    """

    service: str
    packs: int
    files: int
    differing: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for people."""
        if not self.differing:
            packs = f"{self.packs} pack{'s' if self.packs != 1 else ''}"
            return f"{self.service}: sees {packs}, {self.files} entries as on disk"
        more = len(self.differing) - MOST_NAMED
        named = ", ".join(self.differing[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"{self.service}: does not see as on disk: {named}"


def look_inside(
    root: Path, folder: PacksFolder, containers: Mapping[str, tuple[str, str]]
) -> list[Inside]:
    """Compares the packs that running services see with those on disk.

    What else is in the volume does not count: it may be someone else's.

    Args:
        root: repository root.
        folder: of the packs.
        containers: service to container id and the path that it mounts packs at.

    Raises:
        ActionError: the engine cannot read a container's files.
    """
    trees = {name: scan_pack(root / folder.root / name) for name in folder.packs}
    wanted = {
        f"{name}/{entry.path}": entry for name, tree in trees.items() for entry in tree.entries
    }
    found = []
    for service, (container, target) in sorted(containers.items()):
        seen = _entries(container, target)
        wrong = sorted(path for path, entry in wanted.items() if seen.get(path) != _content(entry))
        found.append(Inside(service, len(trees), len(wanted) - len(wrong), tuple(wrong)))
    return found


def _content(entry: Entry) -> str:
    if entry.kind is EntryKind.FILE:
        return f"{entry.digest} {entry.mode:o}"
    return entry.target if entry.kind is EntryKind.LINK else "folder"


def _entries(container: str, target: str) -> dict[str, str]:
    """What ``docker cp`` hands over: it needs no shell in the container, and sees its volumes."""
    child = process.pipe(["docker", "cp", f"{container}:{target}/.", "-"])
    try:
        found: dict[str, str] = {}
        with tarfile.open(fileobj=cast("IO[bytes]", child.stdout), mode="r|") as tar:
            for member in tar:
                path = os.path.normpath(member.name)
                if member.isreg():
                    chunks = tar.extractfile(member)
                    found[path] = f"{_digest(_read(chunks))} {member.mode & 0o777:o}"
                else:
                    found[path] = member.linkname if member.issym() else "folder"
    except tarfile.TarError:
        said = child.stderr.read().decode(errors="replace").strip() if child.stderr else ""
        raise ActionError(
            f"{target} in container {container[:12]} cannot be read", why=said
        ) from None
    finally:
        process.end_group(child, grace=1.0)
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream is not None:
                stream.close()
    return found


def _read(stream: IO[bytes] | None) -> Iterable[bytes]:
    while stream is not None and (chunk := stream.read(CHUNK)):
        yield chunk


def _digest(chunks: Iterable[bytes]) -> str:
    hashed = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for chunk in chunks:
        hashed.update(chunk)
    return hashed.hexdigest()
