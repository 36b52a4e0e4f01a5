"""What has to reach a builder so that its sources are those on disk (pure but for reading them)."""

from __future__ import annotations

import hashlib
import posixpath
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from attune_dev.docker.tar import TarWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet


class Source(Protocol):
    """One source on disk (:class:`attune_dev.loading.feed.FedFile`)."""

    @property
    def path(self) -> str:
        """Absolute path on this machine."""

    @property
    def digest(self) -> str:
        """Of mode and content, or of a link's target."""

    @property
    def mode(self) -> int:
        """Permission bits."""

    @property
    def link(self) -> str:
        """Where a symbolic link points, empty for a file."""


@dataclass(slots=True)
class Record:
    """What a builder's sources are: absolute path to digest.

    It is kept beside them, without what is being written before that is written: after a kill at
    any moment it names nothing that is not there.
    """

    digests: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Record:
        """Reads what :meth:`render` wrote."""
        pairs = (line.split(" ", 1) for line in text.split("\0") if " " in line)
        return cls({path: digest for digest, path in pairs})

    def split(self, folder: str) -> tuple[Record, Record]:
        """What is inside of a folder, and what is not."""
        inside = folder.rstrip("/") + "/"
        parts: tuple[dict[str, str], dict[str, str]] = {}, {}
        for path, digest in self.digests.items():
            parts[0 if path.startswith(inside) else 1][path] = digest
        return Record(parts[0]), Record(parts[1])

    def render(self, paths: Iterable[str]) -> bytes:
        """Some of the record as text."""
        lines = (f"{self.digests[path]} {path}\0" for path in sorted(paths))
        return "".join(lines).encode(errors="surrogateescape")

    def forget(self, path: str) -> None:
        """The file may be another one now."""
        self.digests.pop(path, None)


@dataclass(frozen=True, slots=True)
class SourceFeed:
    """What one compile brings in.

    Attributes:
        archive: a tar for the root folder of the builder.
        record: what is there afterwards.
        digest: of all sources.
        written: how many files are written.
        early: files that have to go before the archive is unpacked: a folder or a link, or a file
            where there was a folder, takes their place.
    """

    archive: bytes
    record: Record
    digest: str
    written: int
    early: tuple[str, ...] = ()


def make_feed(
    sources: Mapping[str, Source],
    known: Record,
    directory: str,
    rewritten: AbstractSet[str] = frozenset(),
) -> SourceFeed:
    """Compares by content and packs what differs.

    Args:
        sources: as they are to be.
        known: as they are.
        directory: the builder's folder that outlives it.
        rewritten: files that the compile itself may write, whatever becomes of it: they are brought
            in, and what is there afterwards is not known.

    Raises:
        OSError: a file cannot be read; one that went away meanwhile is left out.
    """
    digests = {path: source.digest for path, source in sources.items()}
    changed = {path for path, digest in digests.items() if known.digests.get(path) != digest}
    changed |= _behind_links(sources, changed) | (rewritten & digests.keys())
    gone = known.digests.keys() - digests.keys()
    early = _in_the_way(changed, gone)
    tar = TarWriter()
    state = f"{directory}/target/.attune-dev"
    if changed or gone:
        kept = known.digests.keys() - changed - gone
        tar.file(f"{state}/record", known.render(kept))
    for path in sorted(changed):
        found = _add(tar, path, sources[path])
        if found is None:
            gone |= {path}
            del digests[path]
        else:
            digests[path] = found
    record = Record(digests)
    if late := sorted(gone - early):
        tar.file(f"{state}/removed", "\0".join(late).encode(errors="surrogateescape"))
    if changed or gone:
        tar.file(f"{state}/record", record.render(digests.keys() - rewritten))
    whole = hashlib.sha256(record.render(digests)).hexdigest()
    for path in rewritten:
        record.forget(path)
    return SourceFeed(tar.bytes(), record, whole, len(changed), tuple(sorted(early)))


def sets_flags(sources: Mapping[str, Source]) -> bool:
    """Whether cargo's own configuration among the sources may give the compiler flags."""
    for path, source in sources.items():
        if path.endswith(("/.cargo/config.toml", "/.cargo/config")):
            with suppress(OSError), open(source.path, "rb") as file:  # noqa: PTH123
                if b"rustflags" in file.read():
                    return True
    return False


def _behind_links(sources: Mapping[str, Source], changed: AbstractSet[str]) -> set[str]:
    """What links that are new lead to: cargo goes by the time of that, which may be an old one."""
    places: set[str] = set()
    for path in changed:
        at = path
        while at in sources and sources[at].link:
            at = posixpath.normpath(posixpath.join(posixpath.dirname(at), sources[at].link))
            if at in places:
                break
            places.add(at)
    if not places:
        return set()
    return {path for path in sources if not places.isdisjoint((path, *_folders(path)))}


def _in_the_way(changed: AbstractSet[str], gone: AbstractSet[str]) -> frozenset[str]:
    """Files that are gone where a file is now a folder, or a folder a file."""
    folders = {folder for path in changed for folder in _folders(path)}
    return frozenset(
        path for path in gone if path in folders or not changed.isdisjoint(_folders(path))
    )


def _folders(path: str) -> Iterable[str]:
    while (path := posixpath.dirname(path)) not in ("", "/"):
        yield path


def _add(tar: TarWriter, path: str, source: Source) -> str | None:
    """Adds a file as it is now; its digest, ``None`` where it is gone."""
    if source.link:
        tar.symlink(path, source.link)
        return source.digest
    try:
        with open(source.path, "rb") as file:  # noqa: PTH123
            content = file.read()
    except FileNotFoundError:
        return None
    tar.file(path, content, mode=source.mode)
    digest = hashlib.sha256(content)
    digest.update(b"x" if source.mode & 0o100 else b"-")
    return digest.hexdigest()
