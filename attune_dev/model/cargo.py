"""Cargo's side of the graph: workspaces, packages, targets and who depends on whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class TargetKind(StrEnum):
    """The kinds of Cargo target that matter here."""

    LIB = "lib"
    PROC_MACRO = "proc-macro"
    BIN = "bin"
    TEST = "test"
    BENCH = "bench"
    EXAMPLE = "example"
    BUILD_SCRIPT = "custom-build"


class DependencyKind(StrEnum):
    """The table a dependency stands in."""

    NORMAL = "normal"
    BUILD = "build"
    DEV = "dev"


@dataclass(frozen=True, slots=True, order=True)
class CargoTarget:
    """One target of a package.

    Attributes:
        name: as cargo names it (``attune-api``).
        kind: what it is.
        path: its root source file, relative to the repository root.
    """

    name: str
    kind: TargetKind
    path: str


@dataclass(frozen=True, slots=True, order=True)
class PathDependency:
    """A dependency on another package of the repository.

    Attributes:
        package: the repository-relative folder of the package that is depended upon.
        name: its package name (not the name it may be renamed to).
        kind: normal, build or dev.
    """

    package: str
    name: str
    kind: DependencyKind


@dataclass(frozen=True, slots=True)
class Package:
    """A Cargo package.

    Attributes:
        name: package name.
        version: package version, empty where it is not given.
        root: its folder, relative to the repository root, ``""`` for the root itself.
        workspace: the folder of the workspace it belongs to (its own folder if it stands alone).
        targets: all targets, explicit and discovered, in a stable order.
        path_dependencies: dependencies inside the repository, sorted.
        registry_dependencies: names of the other packages it names, by kind, sorted.
        inherits: keys of ``[workspace.dependencies]`` that it takes with ``workspace = true``;
            those that it takes for tests alone are left out, as nothing is compiled with them.
        inherits_package: keys of ``[workspace.package]`` that it takes; ``lints`` for
            ``[workspace.lints]``.
    """

    name: str
    version: str
    root: str
    workspace: str
    targets: tuple[CargoTarget, ...] = ()
    path_dependencies: tuple[PathDependency, ...] = ()
    registry_dependencies: tuple[tuple[str, DependencyKind], ...] = ()
    inherits: frozenset[str] = frozenset()
    inherits_package: frozenset[str] = frozenset()

    @property
    def manifest(self) -> str:
        """The path of its ``Cargo.toml``."""
        return f"{self.root}/Cargo.toml" if self.root else "Cargo.toml"

    @property
    def binaries(self) -> tuple[str, ...]:
        """Names of its binary targets."""
        return tuple(t.name for t in self.targets if t.kind is TargetKind.BIN)


@dataclass(frozen=True, slots=True, order=True)
class LockedPackage:
    """One ``[[package]]`` of a lock file.

    Attributes:
        name: package name.
        version: exact version.
        source: registry or git source, empty for path packages.
        checksum: as the lock file has it, empty where there is none.
        dependencies: ``name version`` pairs it resolves to, sorted.
    """

    name: str
    version: str
    source: str = ""
    checksum: str = ""
    dependencies: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CargoWorkspace:
    """A workspace, or a package that stands alone, with its own lock file.

    Attributes:
        root: folder relative to the repository root, ``""`` for the root itself.
        packages: by folder, in sorted order.
        lock: the resolution as the lock file has it; empty where there is none.
        config_files: files that change how everything in it is compiled and that exist or
            would be read: ``rust-toolchain``, ``rust-toolchain.toml``, ``.cargo/config.toml``.
        default_members: folders of the packages that ``cargo build`` in ``root`` selects, sorted.
        resolver: version of cargo's feature resolver; up to ``1``, the features of
            dev-dependencies reach what is built.
    """

    root: str
    packages: Mapping[str, Package]
    lock: tuple[LockedPackage, ...] = ()
    config_files: tuple[str, ...] = ()
    default_members: tuple[str, ...] = ()
    resolver: str = "2"

    @property
    def manifest(self) -> str:
        """The path of the root manifest."""
        return f"{self.root}/Cargo.toml" if self.root else "Cargo.toml"

    @property
    def lock_file(self) -> str:
        """The path of the lock file."""
        return f"{self.root}/Cargo.lock" if self.root else "Cargo.lock"


@dataclass(frozen=True, slots=True)
class CargoModel:
    """All Cargo workspaces of a repository.

    Attributes:
        workspaces: by folder, sorted.
        manifests: every ``Cargo.toml`` as parsed, by path.
    """

    workspaces: Mapping[str, CargoWorkspace] = field(default_factory=dict)
    manifests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    # Derived once: the planner asks for every changed path.
    _packages: dict[str, Package] = field(init=False, repr=False, compare=False)
    _of_binary: dict[str, Package] = field(init=False, repr=False, compare=False)
    _closures: dict[str, frozenset[str]] = field(init=False, repr=False, compare=False)
    _dependants: dict[str, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = {
            root: package
            for workspace in self.workspaces.values()
            for root, package in workspace.packages.items()
        }
        packages = dict(sorted(found.items()))
        of_binary: dict[str, Package] = {}
        for package in packages.values():
            for binary in package.binaries:
                of_binary.setdefault(binary, package)
        object.__setattr__(self, "_packages", packages)
        object.__setattr__(self, "_of_binary", of_binary)
        object.__setattr__(self, "_closures", {})
        object.__setattr__(self, "_dependants", {})

    def packages(self) -> Mapping[str, Package]:
        """All packages of all workspaces by folder, sorted."""
        return MappingProxyType(self._packages)

    def package_of_binary(self, binary: str) -> Package | None:
        """The package that has a binary target of this name; the first folder in order wins."""
        return self._of_binary.get(binary)

    def package_at(self, path: str) -> Package | None:
        """The innermost package whose folder holds ``path``."""
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self._packages:
                return self._packages[folder]
        return None

    def closure(self, root: str) -> frozenset[str]:
        """Folders of all packages that compiling the package at ``root`` reads, itself included.

        Dev-dependencies do not count: they are compiled for tests only.
        """
        if root not in self._closures:
            self._closures[root] = self._reach(root)
        return self._closures[root]

    def dependants(self, root: str) -> frozenset[str]:
        """Folders of all packages whose closure holds ``root``, itself included."""
        if not self._dependants:
            found: dict[str, set[str]] = {}
            for each in self._packages:
                for needed in self.closure(each):
                    found.setdefault(needed, set()).add(each)
            self._dependants.update((key, frozenset(value)) for key, value in found.items())
        return self._dependants.get(root, frozenset())

    def _reach(self, root: str) -> frozenset[str]:
        seen: set[str] = set()
        todo = [root]
        while todo:
            current = todo.pop()
            if current in seen or current not in self._packages:
                continue
            seen.add(current)
            todo += [
                dependency.package
                for dependency in self._packages[current].path_dependencies
                if dependency.kind is not DependencyKind.DEV
            ]
        return frozenset(seen)
