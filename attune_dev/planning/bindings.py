"""Which cargo binaries an image ships: the edge from package to image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from attune_dev.model.cargo import CargoModel, Package
from attune_dev.model.dockerfile import CargoBuild, ImageInputs, SourcePattern
from attune_dev.planning.globs import join, within
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
        self._scopes: dict[tuple[str, tuple[SourcePattern, ...]], tuple[Package, ...]] = {}

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
        seen = self._seen(image)
        return _sorted(c for p in seen for c in _all(p) if _fits(c.name, image.shipped))

    def compiled(self, image: ImageInputs) -> set[Compiled]:
        """All that the cargo calls of an image's build compile, shipped or not."""
        # Where it cannot be told what a build sees, it sees its whole context.
        scope = self._seen(image) or tuple(
            p for p in self._packages if within(p.root, image.context)
        )
        return {c for build in image.cargo_builds for c in _compiled(scope, build)}

    def host_built(self, image: ImageInputs) -> tuple[tuple[Compiled, str], ...]:
        """Binaries that an image copies out of the context, with the path they come from."""
        if image.cargo_builds:
            return ()
        found = [
            (Compiled(binary, package.root), join(source.context, source.pattern))
            for source in image.sources
            for package in self._packages
            for binary in package.binaries
            if source.pattern.rpartition("/")[2] == binary
        ]
        return tuple(sorted(found))

    def _seen(self, image: ImageInputs) -> tuple[Package, ...]:
        key = (image.context, image.sources)
        if key not in self._scopes:
            self._scopes[key] = tuple(p for p in self._packages if _sees(image, p))
        return self._scopes[key]


def _compiled(scope: Sequence[Package], build: CargoBuild) -> set[Compiled]:
    scope = _of_manifest(scope, build)
    chosen = [p for p in scope if _fits(p.name, build.packages)] or scope
    if build.binaries:
        found = {c for p in chosen for c in _all(p) if _fits(c.name, build.binaries)}
        if found:
            return found
    return {c for p in chosen for c in _all(p) if p.binaries}


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
