"""What the rendered part of each Dockerfile is made from, derived from the workspace (pure)."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError
from attune_dev.model.cargo import TargetKind
from attune_dev.planning.builder_stages import SERVICE_ARG, Crate, Recipe, Selection
from attune_dev.planning.globs import within
from attune_dev.planning.graph import find_pack_binaries
from attune_dev.planning.image_ignore import IgnoreRules
from attune_dev.planning.rendered import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from attune_dev.model.cargo import CargoModel, Package
    from attune_dev.model.workspace import Workspace
    from attune_dev.planning.rendered import Rendered

RUST_BASE = "${RUST_IMAGE}"

_ALWAYS_STUBBED = (TargetKind.LIB, TargetKind.PROC_MACRO, TargetKind.BIN)
_STUBBED_IF_NAMED = {
    TargetKind.TEST: "test",
    TargetKind.BENCH: "bench",
    TargetKind.EXAMPLE: "example",
}


@dataclass(frozen=True, slots=True)
class Served:
    """A service whose image is built by a Dockerfile with a rendered part.

    Attributes:
        name: of the service.
        argument: value of the build argument ``SERVICE``, empty where it gives none.
        binaries: Cargo binaries that its image ships, sorted.
    """

    name: str
    argument: str
    binaries: tuple[str, ...]


def make_recipes(
    workspace: Workspace,
    files: Sequence[Rendered],
    served: Mapping[str, Sequence[Served]],
    exists: Callable[[str], bool],
    strategy: Strategy | None = None,
) -> list[Recipe]:
    """The recipes of Dockerfiles.

    Args:
        workspace: gives packages, packs and ignore files.
        files: Dockerfiles with a rendered part.
        served: services by Dockerfile; one that serves none compiles pack binaries.
        exists: tells whether a repository path is a file.
        strategy: for all; each file's own where it is ``None``.

    Raises:
        ConfigError: the workspace is not in the root, a Dockerfile has nothing to compile, or its
            services cannot be told apart.
    """
    sources = _Sources(workspace, exists)
    together = sorted({b for some in served.values() for each in some for b in each.binaries})
    prefix = _common_prefix(together)
    recipes = []
    for file in files:
        services = served.get(file.path, ())
        binaries = tuple(together) if services else tuple(find_pack_binaries(workspace))
        if not binaries:
            raise ConfigError(
                "it has nothing to compile",
                why="no service is built by it, and no pack's sensor names a Cargo binary",
                hint="remove it",
                file=file.path,
            )
        alone = (strategy or file.strategy) is not Strategy.ONCE
        chosen = sources.selections(file.path, services, binaries) if alone else ()
        recipes.append(
            Recipe(
                path=file.path,
                base=file.base or RUST_BASE,
                cache_prefix=prefix if file.cache_prefix is None else file.cache_prefix,
                roots=sources.roots(),
                root_files=sources.root_files(),
                crates=sources.crates(),
                binaries=binaries,
                selections=tuple(chosen),
                listed=not services,
                first=file.first,
            )
        )
    return recipes


class _Sources:
    """Where the sources of a workspace's packages are."""

    def __init__(self, workspace: Workspace, exists: Callable[[str], bool]) -> None:
        self._cargo = workspace.cargo
        self._includes = workspace.includes
        self._exists = exists
        ignored = workspace.ignore_files.get(".dockerignore")
        self._ignore = IgnoreRules.parse(ignored.lines, ignored.path) if ignored else IgnoreRules()
        if "" not in self._cargo.workspaces:
            raise ConfigError(
                "no Cargo workspace in the repository's root",
                why="the rendered parts of Dockerfiles compile what its Cargo.toml names",
                file="Cargo.toml",
            )
        self._config = self._cargo.workspaces[""].config_files
        self._packages = _needed(self._cargo)
        for package in self._packages.values():
            if rule := self._ignore.ignores(package.manifest):
                raise ConfigError(
                    f"{package.manifest} is kept out of builds",
                    hint=f"add `!{package.manifest.partition('/')[0]}` below",
                    file=".dockerignore",
                    line=rule.line,
                )

    def roots(self) -> tuple[str, ...]:
        """Folders that hold all packages, and what their sources name outside of them."""
        tops = {place.partition("/")[0] for p in self._packages.values() for place in _places(p)}
        return (*sorted(tops), *self._extra(self._packages.values(), tops))

    def root_files(self) -> tuple[str, ...]:
        """Files of the root that cargo reads."""
        config = (p for p in self._config if self._exists(p) and not self._ignore.ignores(p))
        return ("Cargo.toml", "Cargo.lock", *sorted(config))

    def crates(self) -> tuple[Crate, ...]:
        """All packages but the root's manifest, which is there anyway."""
        return tuple(self._crate(p) for p in self._packages.values() if p.root)

    def selections(
        self, path: str, services: Sequence[Served], binaries: tuple[str, ...]
    ) -> Iterable[Selection]:
        """The builder stages of one Dockerfile, where each compiles for itself."""
        if not services:
            yield self._selection("", "target-pack-binaries", binaries)
            return
        wanted = {service.binaries for service in services}
        if len(wanted) == 1:
            only = wanted.pop()
            short = only[0].removeprefix(_common_prefix(self._binaries()))
            yield self._selection("", f"target-{short}-builder", only)
            return
        by_argument: dict[str, tuple[str, ...]] = {}
        for service in services:
            if not service.argument:
                raise ConfigError(
                    f"service {service.name} gives no build argument {SERVICE_ARG}",
                    why="its Dockerfile compiles other binaries for other services",
                    hint=f"add `{SERVICE_ARG}: {service.name}` to its build arguments",
                    file=path,
                )
            if by_argument.setdefault(service.argument, service.binaries) != service.binaries:
                raise ConfigError(
                    f"two services with {SERVICE_ARG}={service.argument} ship other binaries",
                    file=path,
                )
        for argument, chosen in sorted(by_argument.items()):
            yield self._selection(argument, f"target-builder-{argument}", chosen)

    def _selection(self, service: str, cache: str, binaries: tuple[str, ...]) -> Selection:
        packages = [self._cargo.package_of_binary(name) for name in binaries]
        roots = {root for p in packages if p for root in self._cargo.closure(p.root)}
        # a package in another one's folder comes with it, and the other way round
        roots |= {
            other
            for other in self._packages
            for root in roots
            if other and root and (within(other, root) or within(root, other))
        }
        chosen = [self._packages[root] for root in sorted(roots) if root in self._packages]
        places = {place for package in chosen for place in _places(package)}
        return Selection(
            service,
            cache,
            binaries,
            tuple(self._crate(package) for package in chosen),
            self._extra(chosen, places),
        )

    def _crate(self, package: Package) -> Crate:
        said = self._cargo.manifests.get(package.manifest, {})
        stubs = {
            target.path
            for target in package.targets
            if target.kind in _ALWAYS_STUBBED or _STUBBED_IF_NAMED.get(target.kind) in said
        }
        return Crate(package.manifest, _places(package), tuple(sorted(stubs)))

    def _extra(self, packages: Iterable[Package], places: Iterable[str]) -> tuple[str, ...]:
        """Files outside of these places that sources name (``include_str!``)."""
        known = tuple(places)
        named = {path for package in packages for path in self._includes.get(package.root, ())}
        return tuple(
            path
            for path in sorted(named)
            if not any(within(path, place) for place in known)
            and self._exists(path)
            and not self._ignore.ignores(path)
        )

    def _binaries(self) -> list[str]:
        return [name for package in self._packages.values() for name in package.binaries]


def _needed(cargo: CargoModel) -> dict[str, Package]:
    """Packages whose manifests cargo reads: members, and all that they name by path."""
    packages = cargo.packages()
    todo = list(cargo.workspaces[""].packages)
    found: dict[str, Package] = {}
    while todo:
        root = todo.pop()
        if root not in found and root in packages:
            found[root] = packages[root]
            todo += [dependency.package for dependency in packages[root].path_dependencies]
    return dict(sorted(found.items()))


def _places(package: Package) -> tuple[str, ...]:
    """Files and folders of a package's sources; the root's package shares its folder."""
    if package.root:
        return (package.root,)
    kinds = (*_ALWAYS_STUBBED, TargetKind.BUILD_SCRIPT)
    return tuple(sorted({t.path.partition("/")[0] for t in package.targets if t.kind in kinds}))


def _common_prefix(names: Sequence[str]) -> str:
    """What all names start with, up to a dash: ``attune-``."""
    shared = posixpath.commonprefix(list(names)) if len(names) > 1 else ""
    return shared[: shared.rfind("-") + 1]
