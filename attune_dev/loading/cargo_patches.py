"""``[patch]`` with a path: who compiles the package of the repository instead of the registry's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from attune_dev.model.cargo import CargoWorkspace, LockedPackage, Package, PathDependency


def apply_patches(
    workspaces: Mapping[str, CargoWorkspace],
    patches: Mapping[str, Mapping[str, PathDependency]],
) -> dict[str, CargoWorkspace]:
    """The workspaces with a path dependency for each patch that a package reaches.

    Versions are not compared: a patch counts for whoever names the package, or reaches it through
    the lock file. What the lock file does not know may reach anything.

    Args:
        workspaces: by folder.
        patches: by folder of the workspace that has them, then by package name.
    """
    packages = {
        root: found for each in workspaces.values() for root, found in each.packages.items()
    }
    added: dict[str, set[PathDependency]] = {}
    for folder, patched in patches.items():
        reach = {name: _reaching(workspaces[folder].lock, name) for name in patched}
        known = {locked.name for locked in workspaces[folder].lock}
        starts = [*workspaces[folder].packages, *(link.package for link in patched.values())]
        for root in _compiled_with(packages, starts) if patched else ():
            for name, kind in packages[root].registry_dependencies:
                added.setdefault(root, set()).update(
                    replace(link, kind=kind)
                    for key, link in patched.items()
                    if link.package != root and (name in reach[key] or name not in known)
                )
    return {folder: _with(workspace, added) for folder, workspace in workspaces.items()}


def _with(workspace: CargoWorkspace, added: Mapping[str, set[PathDependency]]) -> CargoWorkspace:
    if not added.keys() & workspace.packages.keys():
        return workspace
    packages = {
        root: replace(
            package,
            path_dependencies=tuple(sorted({*package.path_dependencies, *added.get(root, ())})),
        )
        for root, package in workspace.packages.items()
    }
    return replace(workspace, packages=packages)


def _compiled_with(packages: Mapping[str, Package], starts: Iterable[str]) -> set[str]:
    """The packages that these and their path dependencies are, of any kind."""
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        root = todo.pop()
        if root not in seen:
            seen.add(root)
            todo += [link.package for link in packages[root].path_dependencies]
    return seen


def _reaching(lock: Iterable[LockedPackage], name: str) -> set[str]:
    """Names of the packages from elsewhere that reach ``name`` in a resolution, itself included."""
    dependants: dict[str, set[str]] = {}
    for locked in lock:
        if locked.source:
            for needed, _ in locked.dependencies:
                dependants.setdefault(needed, set()).add(locked.name)
    seen = {name}
    todo = [name]
    while todo:
        more = dependants.get(todo.pop(), set()) - seen
        seen |= more
        todo += more
    return seen
