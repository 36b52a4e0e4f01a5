"""What a file of a Cargo package is: compiled, perhaps read, or for tests and readers only."""

from __future__ import annotations

from enum import Enum

from attune_dev.model.cargo import Package, TargetKind
from attune_dev.planning.globs import folders_above, relative_to
from attune_dev.planning.graph import Graph

UNCOMPILED_FOLDERS = {
    "tests": "tests are in no binary",
    "benches": "benches are in no binary",
    "examples": "examples are in no binary",
    "docs": "documents are in no binary",
}
_DOCUMENTS = (".md", ".rst", ".adoc")
_NEVER_CODE = (".github", ".gitlab", ".ci", ".circleci", ".cargo", *UNCOMPILED_FOLDERS)
_READ_BY_MACROS = (".sqlx",)
_CODE_KINDS = (TargetKind.LIB, TargetKind.PROC_MACRO, TargetKind.BIN, TargetKind.BUILD_SCRIPT)
CARGO_FILES = frozenset({"Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml"})


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

    def __init__(self, graph: Graph, elsewhere: frozenset[str] = frozenset()) -> None:
        """Indexes the packages of a graph.

        Args:
            graph: its packages.
            elsewhere: folders of packages that another state of the repository has.
        """
        self._elsewhere = elsewhere
        self._graph = graph
        self._source_folders: dict[str, tuple[str, ...]] = {}
        self._source_files: dict[str, frozenset[str]] = {}
        self.own: dict[str, frozenset[str]] = {}  # root files, and folders in src/bin, of binaries
        for root, package in graph.packages.items():
            files = [relative_to(t.path, root) for t in package.targets if t.kind in _CODE_KINDS]
            folders = {file.partition("/")[0] for file in files if "/" in file}
            self._source_folders[root] = tuple(sorted(folders | {"src"}))
            self._source_files[root] = frozenset((*files, "build.rs"))
            self._index_binaries(package)

    def area(self, path: str, package: str) -> Area:
        """The part of a package that a path below its folder is in."""
        inside = relative_to(path, package)
        first, _, rest = inside.partition("/")
        if inside in CARGO_FILES or first == ".cargo":
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

    def only_for(self, path: str) -> frozenset[str] | None:
        """The binaries that alone have a file, ``None`` where all targets of its package may.

        The root file of a binary is compiled into that binary only, and so is what lies beside
        the ``main.rs`` of a folder of its own in ``src/bin``.
        """
        known = self.own.get(path)
        if known is None and "/src/bin/" in f"/{path}":
            known = next((self.own[f] for f in folders_above(path) if f in self.own), None)
        return known

    def _index_binaries(self, package: Package) -> None:
        bins = [t for t in package.targets if t.kind is TargetKind.BIN]
        others = {t.path for t in package.targets if t.kind in _CODE_KINDS} - {t.path for t in bins}
        for target in bins:
            if target.path in others:
                continue
            names = self.own.get(target.path, frozenset()) | {target.name}
            self.own[target.path] = names
            folder, _, file = target.path.rpartition("/")
            if file == "main.rs" and f"/{folder}".rpartition("/")[0].endswith("/src/bin"):
                self.own[folder] = names

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
        if path.rpartition("/")[2] in CARGO_FILES or "/.cargo/" in f"/{path}":
            return True
        if any(folder in self._elsewhere for folder in folders_above(path)):
            return True
        if package is None:
            return False
        return bool(package) or self.area(path, package) is not Area.OTHER

    def beside_the_code(self, path: str) -> bool:
        """Whether a file that lies between the packages of a compile is none of its inputs.

        It is not where it is written for people or tools. All else may be: a macro may read a file
        that cargo's own dep-info does not name.
        """
        first = path.partition("/")[0]
        if is_document(path) or first in _NEVER_CODE:
            return True
        return first.startswith(".") and first not in _READ_BY_MACROS
