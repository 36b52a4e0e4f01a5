"""Cargo manifests: where they are, and what one says by itself."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from attune_dev.errors import ConfigError
from attune_dev.loading.toml_file import TomlFile, read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MANIFEST_LIMIT = 1024 * 1024
_SKIPPED = frozenset({"target", "node_modules"})
# A vendored crate, a folder of build output, a Python environment: none holds code of the
# repository, all may be huge.
_MARKERS = frozenset({".cargo-checksum.json", "CACHEDIR.TAG", "pyvenv.cfg"})


def below(base: str, path: str) -> str | None:
    """``path``, written in ``base``, as a path from the repository root.

    Args:
        base: folder, relative to the repository root.
        path: relative to it, with ``/``.

    Returns:
        The path without ``.`` and ``..``, ``""`` for the root, ``None`` if it leads out of the
        repository.
    """
    joined = posixpath.normpath(posixpath.join(base, path))
    if joined == ".":
        return ""
    if joined.startswith(("/", "../")) or joined == "..":
        return None
    return joined


def within(folder: str, path: str) -> bool:
    """Whether ``path`` is ``folder`` or lies below it."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def in_folder(folder: str, name: str) -> str:
    """The path of ``name`` in ``folder``, where ``""`` is the repository root."""
    return f"{folder}/{name}" if folder else name


def ancestors(folder: str) -> Iterator[str]:
    """The folders above ``folder``, innermost first, the repository root last."""
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder


def find_manifests(root: str) -> list[str]:
    """Folders that hold a ``Cargo.toml``, relative to ``root``, sorted.

    Symbolic links to folders, hidden folders, ``target``, ``node_modules``, vendored crates and
    folders that cannot be listed are left out.
    """
    found: list[str] = []
    todo = [""]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(in_folder(root, folder) if folder else root) as listing:
                entries = list(listing)
        except OSError:
            continue
        names = {entry.name for entry in entries}
        if folder and names & _MARKERS:
            continue
        if "Cargo.toml" in names:
            found.append(folder)
        todo += [
            in_folder(folder, entry.name)
            for entry in entries
            if entry.name not in _SKIPPED
            and not entry.name.startswith(".")
            and entry.is_dir(follow_symlinks=False)
        ]
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One ``Cargo.toml``.

    Attributes:
        folder: where it is, relative to the repository root.
        file: what it says.
    """

    folder: str
    file: TomlFile

    @property
    def is_root(self) -> bool:
        """Whether it has a ``[workspace]``."""
        return "workspace" in self.file.data

    @property
    def is_package(self) -> bool:
        """Whether it has a ``[package]`` (or ``[project]``, its name of old)."""
        return "package" in self.file.data or "project" in self.file.data

    @property
    def package(self) -> Mapping[str, Any]:
        """The ``[package]`` table."""
        return self.file.table("package" if "package" in self.file.data else "project")

    @property
    def workspace(self) -> Mapping[str, Any]:
        """The ``[workspace]`` table."""
        return self.file.table("workspace")

    @property
    def name(self) -> str:
        """The package's name.

        Raises:
            ConfigError: there is none.
        """
        name = self.package.get("name")
        if not isinstance(name, str) or not name:
            raise self.file.error("the package has no name", "[package]")
        return name


@dataclass(frozen=True, slots=True)
class Manifests:
    """All manifests of a repository, each read once.

    Attributes:
        root: the repository root.
    """

    root: str
    _read: dict[str, Manifest | ConfigError | None] = field(default_factory=dict)

    def find(self, folder: str) -> Manifest | None:
        """The manifest in ``folder``, ``None`` where there is none.

        Raises:
            ConfigError: it cannot be understood.
        """
        if folder not in self._read:
            self._read[folder] = self._load(folder)
        found = self._read[folder]
        if isinstance(found, ConfigError):
            raise found
        return found

    def linked_to(self, folder: str) -> str | None:
        """The folder that holds the files of ``folder`` where a symbolic link leads elsewhere.

        Returns:
            A path from the repository root; ``None`` where no link is in the way, or where it
            leads out of the repository.
        """
        real = os.path.realpath(in_folder(self.root, folder))
        top = os.path.realpath(self.root)
        if not within(top, real):
            return None
        place = real[len(top) :].removeprefix("/")
        return None if place == folder else place

    def parsed(self) -> dict[str, Mapping[str, Any]]:
        """What all manifests say that were asked for and could be read, by path, sorted."""
        found = (each for each in self._read.values() if isinstance(each, Manifest))
        return dict(sorted((each.file.path, each.file.data) for each in found))

    def _load(self, folder: str) -> Manifest | ConfigError | None:
        path = in_folder(folder, "Cargo.toml")
        try:
            return Manifest(folder, read_toml(self.root, path, limit=MANIFEST_LIMIT))
        except FileNotFoundError:
            return None
        except ConfigError as error:
            return error
