"""Which cargo binaries an image ships: the edge from package to image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from attune_dev.model.cargo import CargoModel, Package
from attune_dev.model.dockerfile import CargoBuild, ImageInputs
from attune_dev.planning.globs import join, within


@dataclass(frozen=True, slots=True, order=True)
class Compiled:
    """A binary that a build compiles and ships.

    Attributes:
        name: of the binary, or of the package where a package was named without binaries.
        package: folder of its package.
    """

    name: str
    package: str


def binaries_of_image(
    cargo: CargoModel, image: ImageInputs, named: tuple[str, ...] | None = None
) -> tuple[Compiled, ...]:
    """The binaries whose code is in an image.

    The cargo calls of the stages in use say what is compiled, the files that the final stage
    takes out of other stages say which of it is shipped. Where no cargo call is seen (a script
    runs it), the names of the shipped files decide, if the build sees their packages.

    Args:
        cargo: all packages.
        image: what its build reads.
        named: packages that ``x-attune-dev`` names; they alone count then.
    """
    if named is not None:
        return _sorted(c for p in cargo.packages().values() if p.name in named for c in _all(p))
    scope = _scope(cargo, image.context)
    if image.cargo_builds:
        compiled = compiled_by_cargo(cargo, image)
        shipped = {c for c in compiled if _is_shipped(c.name, image.shipped)}
        return _sorted(shipped or compiled)
    return _sorted(
        c
        for p in scope
        for c in _all(p)
        if _is_shipped(c.name, image.shipped) and _sees(image, p.root)
    )


def compiled_by_cargo(cargo: CargoModel, image: ImageInputs) -> set[Compiled]:
    """All that the cargo calls of an image's build compile, shipped or not."""
    scope = _scope(cargo, image.context)
    return {c for build in image.cargo_builds for c in _compiled(scope, build)}


def host_built(cargo: CargoModel, image: ImageInputs) -> tuple[tuple[Compiled, str], ...]:
    """Binaries that an image copies out of the context, with the path they are copied from."""
    if image.cargo_builds:
        return ()
    found = [
        (Compiled(binary, package.root), join(source.context, source.pattern))
        for source in image.sources
        for package in _scope(cargo, "")
        for binary in package.binaries
        if source.pattern.rpartition("/")[2] == binary
    ]
    return tuple(sorted(found))


def _scope(cargo: CargoModel, context: str) -> list[Package]:
    packages = list(cargo.packages().values())
    return [p for p in packages if within(p.root, context)] or packages


def _compiled(scope: list[Package], build: CargoBuild) -> set[Compiled]:
    scope = _of_manifest(scope, build)
    chosen = [p for p in scope if p.name in build.packages] if build.packages else scope
    if build.binaries:
        found = {
            c
            for p in chosen
            for c in _all(p)
            if any(fnmatchcase(c.name, b) for b in build.binaries)
        }
        if found:
            return found
    return {c for p in chosen for c in _all(p) if p.binaries}


def _of_manifest(scope: list[Package], build: CargoBuild) -> list[Package]:
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


def _is_shipped(name: str, shipped: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in shipped)


def _sees(image: ImageInputs, root: str) -> bool:
    return any(within(root, join(s.context, s.pattern.strip("./"))) for s in image.sources)


def _sorted(found: Iterable[Compiled]) -> tuple[Compiled, ...]:
    return tuple(sorted(set(found)))
