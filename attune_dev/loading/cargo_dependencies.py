"""What a manifest depends on: all tables, all targets and features, inherited or not.

Source: "Specifying Dependencies", "Overriding Dependencies" and "Workspaces" in the Cargo book.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attune_dev.loading.cargo_manifests import Manifest, Manifests, below
from attune_dev.model.cargo import DependencyKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from attune_dev.errors import ConfigError

_TABLES = {
    "dependencies": DependencyKind.NORMAL,
    "build-dependencies": DependencyKind.BUILD,
    "build_dependencies": DependencyKind.BUILD,
    "dev-dependencies": DependencyKind.DEV,
    "dev_dependencies": DependencyKind.DEV,
}


@dataclass(frozen=True, slots=True)
class Dependency:
    """One entry of a dependency table.

    Attributes:
        key: as the table names it.
        name: the package's own name, which differs after ``package = "…"``.
        kind: the table it stands in.
        written_in: the manifest that has the path.
        folder: for path dependencies: where it is, relative to the repository root.
        path: the path as written, for messages.
        inherited: whether it is taken from ``[workspace.dependencies]``.
    """

    key: str
    name: str
    kind: DependencyKind
    written_in: Manifest
    folder: str | None = None
    path: str = ""
    inherited: bool = False

    def error(self, what: str, why: str = "") -> ConfigError:
        """An error at the line that has the path."""
        words = (self.key, f'"{self.path}"')
        hint = "correct the path, or take the dependency out"
        return self.written_in.file.error(what, *words, why=why, hint=hint)


def dependencies_of(manifest: Manifest, root: Manifest | None) -> list[Dependency]:
    """All dependencies of a package in the order of its manifest.

    Args:
        manifest: the package's.
        root: the workspace that it inherits from.

    Raises:
        ConfigError: one is inherited from nowhere, or its path leads out of the repository.
    """
    return [
        _dependency(manifest, root, key, spec, kind)
        for table, kind in _tables(manifest)
        for key, spec in table.items()
    ]


def _tables(manifest: Manifest) -> Iterator[tuple[Mapping[str, Any], DependencyKind]]:
    for key, kind in _TABLES.items():
        yield manifest.file.table(key), kind
    for condition in manifest.file.table("target"):
        for key, kind in _TABLES.items():
            yield manifest.file.table("target", condition, key), kind


def _dependency(
    manifest: Manifest, root: Manifest | None, key: str, spec: object, kind: DependencyKind
) -> Dependency:
    written_in = manifest
    inherited = isinstance(spec, dict) and spec.get("workspace") is True
    if inherited:
        written_in, spec = _inherited(manifest, root, key)
    if not isinstance(spec, dict):
        return Dependency(key, key, kind, written_in, inherited=inherited)
    path = spec.get("path")
    folder = None
    if isinstance(path, str):
        folder = below(written_in.folder, path)
        if folder is None:
            raise _outside(written_in, key, path)
    name = spec.get("package")
    name = name if isinstance(name, str) else key
    return Dependency(key, name, kind, written_in, folder, str(path or ""), inherited)


def _inherited(manifest: Manifest, root: Manifest | None, key: str) -> tuple[Manifest, object]:
    if root is None:
        raise no_workspace(manifest, key)
    specs = root.file.table("workspace", "dependencies")
    if key not in specs:
        why = f"{root.file.path} has no `{key}` in [workspace.dependencies]."
        hint = "add it there, or give the dependency its own version or path"
        what = f"the dependency `{key}` is inherited from nowhere"
        raise manifest.file.error(what, key, "workspace", why=why, hint=hint)
    return root, specs[key]


def no_workspace(manifest: Manifest, key: str) -> ConfigError:
    """The error for ``workspace = true`` in a package that no workspace holds."""
    why = "No manifest above it has a [workspace], or that workspace excludes it."
    what = f"`{key}` is inherited from a workspace, and there is none"
    return manifest.file.error(what, key, "workspace", why=why)


def _outside(manifest: Manifest, key: str, path: str) -> ConfigError:
    why = f"`{path}` leads out of the repository: its changes could not be seen."
    hint = "bring the package into the repository, or depend on it by git or registry"
    what = f"the path dependency `{key}` lies outside the repository"
    return manifest.file.error(what, key, f'"{path}"', why=why, hint=hint)


def path_folders(manifest: Manifest, root: Manifest | None) -> list[str]:
    """Folders of all path dependencies, of any kind."""
    if not manifest.is_package:
        return []
    return [found.folder for found in dependencies_of(manifest, root) if found.folder is not None]


def patches_of(root: Manifest) -> dict[str, Dependency]:
    """``[patch]`` and ``[replace]`` with a path, by the name of the package that they stand for.

    Raises:
        ConfigError: a path leads out of the repository.
    """
    tables = [root.file.table("patch", source) for source in root.file.table("patch")]
    found: dict[str, Dependency] = {}
    for table in (*tables, root.file.table("replace")):
        for key, spec in table.items():
            patch = _dependency(root, None, key, spec, DependencyKind.NORMAL)
            if patch.folder is not None:
                # `[replace]` names a package id: `name:version`, or a URL that ends so.
                found[patch.name.rpartition("#")[2].partition(":")[0]] = patch
    return found


def check_cycles(manifests: Manifests, edges: Mapping[str, list[Dependency]]) -> None:
    """Refuse packages that need each other to be compiled.

    Args:
        manifests: all of them.
        edges: path dependencies by folder; those for development do not count.

    Raises:
        ConfigError: names one cycle, beginning with its first folder in order.
    """
    done: set[str] = set()
    for start in sorted(edges):
        trail: list[str] = []
        walk = [iter([start])]
        while walk:
            folder = next(walk[-1], None)
            if folder is None:
                walk.pop()
                if trail:
                    done.add(trail.pop())
            elif folder in trail:
                raise _cycle(manifests, edges, trail[trail.index(folder) :])
            elif folder not in done:
                trail.append(folder)
                walk.append(iter(_compiled(edges, folder)))
        done.add(start)


def _compiled(edges: Mapping[str, list[Dependency]], folder: str) -> list[str]:
    return sorted(
        dependency.folder
        for dependency in edges.get(folder, [])
        if dependency.folder is not None and dependency.kind is not DependencyKind.DEV
    )


def _cycle(
    manifests: Manifests, edges: Mapping[str, list[Dependency]], cycle: list[str]
) -> ConfigError:
    first = cycle.index(min(cycle))
    cycle = [*cycle[first:], *cycle[:first]]
    names = [
        found.name if (found := manifests.find(folder)) is not None else folder for folder in cycle
    ]
    following = cycle[1 % len(cycle)]
    link = next(found for found in edges[cycle[0]] if found.folder == following)
    told = " -> ".join([*names, names[0]])
    return link.error("path dependencies form a cycle", why=f"{told}: none can be compiled first.")
