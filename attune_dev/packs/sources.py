"""The digest of all that a pack binary is compiled from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from attune_dev.model.cargo import CargoWorkspace, LockedPackage, Package
from attune_dev.model.plan import ActionKind
from attune_dev.packs.compile import agreed_args
from attune_dev.packs.digest import file_digest
from attune_dev.packs.manifest import DIGEST_BYTES
from attune_dev.packs.scan import left_out
from attune_dev.planning.classify import Classifier
from attune_dev.planning.graph import Graph, Owner

NEVER = frozenset(("target", "node_modules"))


class Sources:
    """Digests of what pack binaries are compiled from, for one state of a repository.

    A file counts where the plan for a change of it would compile the binary; of a lock file, what
    the binary's package resolves to.

    Args:
        root: repository root.
        graph: of the workspace.
    """

    def __init__(self, root: Path, graph: Graph) -> None:
        self._root = root
        self._graph = graph
        self._classifier = Classifier(graph)
        self._files: dict[str, str] = {}

    def digest(self, binary: str) -> str:
        """The digest for a pack binary; files that come and go meanwhile only change it."""
        placed = self._graph.pack_binaries[binary][0]
        assert placed.package is not None  # noqa: S101 - the graph holds no others
        cargo = self._graph.workspace.cargo
        closure = sorted(cargo.closure(placed.package))
        total = hashlib.blake2b(digest_size=DIGEST_BYTES)
        for name, value in sorted(agreed_args(self._graph.workspace).items()):
            total.update(f"arg {name}={value}\0".encode())
        for path in sorted(set(self._candidates(closure))):
            if self._compiles(path, binary):
                total.update(f"{path}\0{self._file(path)}\0".encode(errors="surrogateescape"))
        for workspace in cargo.workspaces.values():
            own = [workspace.packages[root] for root in closure if root in workspace.packages]
            for locked in _resolved(workspace, own):
                total.update("\0".join((locked.name, locked.version, locked.source)).encode())
                total.update(f"\0{locked.checksum}\0".encode())
        return total.hexdigest()

    def _compiles(self, path: str, binary: str) -> bool:
        if path.rpartition("/")[2] == "Cargo.toml":
            return True
        impacts = self._classifier.classify(path).impacts
        made = ActionKind.BUILD_PACK_BINARIES
        return any(impact.kind is made and impact.target == binary for impact in impacts)

    def _candidates(self, closure: list[str]) -> Iterator[str]:
        workspace = self._graph.workspace
        for owner in workspace.cargo.workspaces.values():
            if any(root in owner.packages for root in closure):
                yield owner.manifest
                yield from owner.config_files
        for dockerfile in workspace.pack_binary_images:
            yield dockerfile
            for path, entries in self._graph.literal_copies.items():
                if any(entry.owner == Owner(dockerfile=dockerfile) for entry in entries):
                    yield path
        for root in closure:
            yield from workspace.includes.get(root, ())
            yield from self._walk(root)

    def _walk(self, folder: str) -> Iterator[str]:
        inner = set(self._graph.packages) - {folder}
        for below, folders, files in os.walk(self._root / folder):
            place = Path(below).relative_to(self._root).as_posix()
            prefix = "" if place == "." else f"{place}/"
            folders[:] = sorted(
                name
                for name in folders
                if name not in NEVER
                and prefix + name not in inner
                and (not name.startswith(".") or name == ".cargo")
            )
            yield from (prefix + name for name in files if not left_out(name, folder=False))

    def _file(self, path: str) -> str:
        if path not in self._files:
            self._files[path] = file_digest(self._root / path)
        return self._files[path]


def _resolved(workspace: CargoWorkspace, packages: list[Package]) -> list[LockedPackage]:
    """What packages resolve to by the lock file, themselves included, sorted."""
    by_id = {(locked.name, locked.version): locked for locked in workspace.lock}
    names = {package.name for package in packages}
    todo = [locked for locked in workspace.lock if locked.name in names and not locked.source]
    found: dict[tuple[str, str], LockedPackage] = {}
    while todo:
        locked = todo.pop()
        key = (locked.name, locked.version)
        if key not in found:
            found[key] = locked
            todo += [by_id[needed] for needed in locked.dependencies if needed in by_id]
    return [found[key] for key in sorted(found)]
