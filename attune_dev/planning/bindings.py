"""Which cargo binaries an image ships: the edge from package to image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from attune_dev.model.cargo import CargoModel, Package
from attune_dev.model.dockerfile import CargoBuild, ImageInputs, SourcePattern
from attune_dev.planning.globs import is_literal, join, within
from attune_dev.planning.image_ignore import reads


@dataclass(frozen=True, slots=True, order=True)
class Compiled:
    """A binary that a build compiles and ships.

    Attributes:
        name: of the binary, or of the package where a package was named without binaries.
        package: folder of its package.
    """

    name: str
    package: str


class Bindings:
    """Binds the images of one repository to its packages; what builds see alike is kept."""

    def __init__(self, cargo: CargoModel) -> None:
        self._packages = tuple(cargo.packages().values())
        self._scopes: dict[tuple[str, tuple[SourcePattern, ...]], _Scope] = {}
        self._contexts: dict[str, _Scope] = {}
        self._everything = _Scope(self._packages)

    def shipped(
        self, image: ImageInputs, named: tuple[str, ...] | None = None
    ) -> tuple[Compiled, ...]:
        """The binaries whose code is in an image.

        The cargo calls of the stages in use say what is compiled, the files that the final stage
        takes out of other stages say which of it is shipped. Where no cargo call is seen (a script
        runs it), the names of the shipped files decide, if the build sees their packages.

        Args:
            image: what its build reads.
            named: packages that ``x-attune-dev`` names; they alone count then.
        """
        if named is not None:
            return _sorted(c for p in self._packages if p.name in named for c in _all(p))
        if image.cargo_builds:
            compiled = self.compiled(image)
            shipped = {c for c in compiled if _fits(c.name, image.shipped)}
            return _sorted(shipped or compiled)
        return _sorted(self._seen(image).binaries(image.shipped))

    def compiled(self, image: ImageInputs) -> set[Compiled]:
        """All that the cargo calls of an image's build compile, shipped or not."""
        scope = self._seen(image)
        if not scope.packages:
            scope = self._below(image.context)
        return {c for build in image.cargo_builds for c in _compiled(scope, build)}

    def host_built(self, image: ImageInputs) -> tuple[tuple[Compiled, str], ...]:
        """Binaries that an image copies out of the context, with the path they come from."""
        if image.cargo_builds:
            return ()
        found = [
            (Compiled(name, package.root), join(source.context, source.pattern))
            for source in image.sources
            for name in (source.pattern.rpartition("/")[2],)
            for package in self._everything.packages_of_binary(name)
        ]
        return tuple(sorted(found))

    def _below(self, context: str) -> _Scope:
        """A whole context: what a build sees of which that cannot be told."""
        if context not in self._contexts:
            packages = tuple(p for p in self._packages if within(p.root, context))
            self._contexts[context] = _Scope(packages)
        return self._contexts[context]

    def _seen(self, image: ImageInputs) -> _Scope:
        key = (image.context, image.sources)
        if key not in self._scopes:
            self._scopes[key] = _Scope(tuple(p for p in self._packages if _sees(image, p)))
        return self._scopes[key]


class _Scope:
    """The packages that a build sees, found by name."""

    def __init__(self, packages: tuple[Package, ...]) -> None:
        self.packages = packages
        self._compiled: dict[str, dict[Compiled, None]] = {}
        self._of_binary: dict[str, list[Package]] = {}
        self._of_name: dict[str, list[Package]] = {}
        for package in packages:
            self._of_name.setdefault(package.name, []).append(package)
            for compiled in _all(package):
                self._compiled.setdefault(compiled.name, {})[compiled] = None
            for name in package.binaries:
                self._of_binary.setdefault(name, []).append(package)

    def binaries(self, patterns: Iterable[str]) -> Iterator[Compiled]:
        """What fits one of the patterns; a package without binaries stands for itself."""
        for pattern in patterns:
            for name in _fitting(self._compiled, pattern):
                yield from self._compiled[name]

    def named(self, patterns: Iterable[str]) -> tuple[Package, ...]:
        """The packages whose name fits one of the patterns."""
        found = {
            package.root: package
            for pattern in patterns
            for name in _fitting(self._of_name, pattern)
            for package in self._of_name[name]
        }
        return tuple(found.values())

    def packages_of_binary(self, name: str) -> Sequence[Package]:
        """The packages that have a binary of exactly this name."""
        return self._of_binary.get(name, ())


def _fitting(names: Mapping[str, object], pattern: str) -> Iterable[str]:
    if is_literal(pattern):
        return (pattern,) if pattern in names else ()
    return [name for name in names if fnmatchcase(name, pattern)]


def _compiled(scope: _Scope, build: CargoBuild) -> set[Compiled]:
    reached = _of_manifest(scope.packages, build)
    if reached is not scope.packages:
        scope = _Scope(tuple(reached))
    if chosen := scope.named(build.packages):
        scope = _Scope(chosen)
    found = set(scope.binaries(build.binaries))
    return found or {c for p in scope.packages for c in _all(p) if p.binaries}


def _of_manifest(scope: Sequence[Package], build: CargoBuild) -> Sequence[Package]:
    """The packages that ``--manifest-path`` reaches, all where it cannot be told."""
    folder = build.manifest.removesuffix("Cargo.toml").strip("./")
    if not folder:
        return scope
    exact = [p for p in scope if within(folder, p.root) and p.root and folder.endswith(p.root)]
    exact = exact or [p for p in scope if p.root.endswith(folder)]
    members = [p for p in scope if p.workspace.endswith(folder) and p.workspace]
    return exact or members or scope


def _all(package: Package) -> list[Compiled]:
    return [Compiled(name, package.root) for name in package.binaries or (package.name,)]


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _sees(image: ImageInputs, package: Package) -> bool:
    files = (package.manifest, *(target.path for target in package.targets))
    return any(reads(source, file) for source in image.sources for file in files)


def _sorted(found: Iterable[Compiled]) -> tuple[Compiled, ...]:
    return tuple(sorted(set(found)))
