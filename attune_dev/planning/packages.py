"""What a file of a Cargo package is: compiled, perhaps read, or for tests and readers only."""

from __future__ import annotations

from enum import Enum

from attune_dev.model.cargo import TargetKind
from attune_dev.planning.globs import folders_above, relative_to
from attune_dev.planning.graph import Graph, Owner

UNCOMPILED_FOLDERS = {
    "tests": "tests are in no binary",
    "benches": "benches are in no binary",
    "examples": "examples are in no binary",
    "docs": "documents are in no binary",
}
_DOCUMENTS = (".md", ".rst", ".adoc")
_NEVER_CODE = (".github", ".gitlab", ".ci", ".circleci", ".cargo", *UNCOMPILED_FOLDERS)
_CODE_KINDS = (TargetKind.LIB, TargetKind.PROC_MACRO, TargetKind.BIN, TargetKind.BUILD_SCRIPT)
_CARGO_FILES = ("Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml")


class Area(Enum):
    """The part of a package that a file is in."""

    SOURCE = "source"
    UNCOMPILED = "uncompiled"
    DOCUMENT = "document"
    MANIFEST = "manifest"
    OTHER = "other"


def is_document(path: str) -> bool:
    """Whether a file is written for people: Markdown and the like, licences."""
    name = path.rpartition("/")[2]
    return name.endswith(_DOCUMENTS) or name.startswith(("LICENSE", "COPYING", "CHANGELOG"))


class PackageFiles:
    """Sorts the files of packages; pure, from the graph alone."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._source_folders: dict[str, tuple[str, ...]] = {}
        self._source_files: dict[str, frozenset[str]] = {}
        for root, package in graph.packages.items():
            files = [relative_to(t.path, root) for t in package.targets if t.kind in _CODE_KINDS]
            folders = {file.partition("/")[0] for file in files if "/" in file}
            self._source_folders[root] = tuple(sorted(folders | {"src"}))
            self._source_files[root] = frozenset((*files, "build.rs"))

    def area(self, path: str, package: str) -> Area:
        """The part of a package that a path below its folder is in."""
        inside = relative_to(path, package)
        first, _, rest = inside.partition("/")
        if inside in _CARGO_FILES or first == ".cargo":
            return Area.MANIFEST
        if inside in self._source_files[package]:
            return Area.SOURCE
        if is_document(path):
            return Area.DOCUMENT
        if rest and first in self._source_folders[package]:
            return Area.SOURCE
        if rest and first in UNCOMPILED_FOLDERS:
            return Area.UNCOMPILED
        return Area.OTHER

    def innermost(self, path: str) -> str | None:
        """The folder of the innermost package that holds a path."""
        return next((f for f in folders_above(path) if f in self._graph.packages), None)

    def is_source(self, path: str) -> bool:
        """Whether a path is in the source folders of a package."""
        package = self.innermost(path)
        return package is not None and self.area(path, package) is Area.SOURCE

    def belongs(self, path: str) -> bool:
        """Whether cargo's rules, and not those of what is copied, decide about a path."""
        package = self.innermost(path)
        if path.rpartition("/")[2] in _CARGO_FILES or "/.cargo/" in f"/{path}":
            return True
        if package is None:
            return False
        return bool(package) or self.area(path, package) is not Area.OTHER

    def beside_the_code(self, path: str, owner: Owner) -> bool:
        """Whether a file that lies between the packages of a compile is none of its inputs.

        It is not where it is written for people or tools, and not where cargo's own dep-info is
        there for all that the owner compiles: that names what was read.
        """
        first = path.partition("/")[0]
        if is_document(path) or first in _NEVER_CODE or first.startswith("."):
            return True
        known = self._graph.workspace.dep_info
        compiled = self._graph.compiles.get(owner, ())
        return bool(compiled) and all(binary.name in known for binary in compiled)
