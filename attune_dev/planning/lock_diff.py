"""Which packages a change of ``Cargo.lock`` concerns: those that reach a changed version."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attune_dev.model.cargo import CargoWorkspace, DependencyKind, LockedPackage, Package

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Node: TypeAlias = tuple[str, str]
"""Name and version. Packages that differ in their source alone are taken as one: never too few."""

_Record: TypeAlias = tuple[str, str, frozenset[Node]]


def lock_changes(old: Sequence[LockedPackage], new: Sequence[LockedPackage]) -> frozenset[Node]:
    """What was added, removed, or has another source, checksum or dependency."""
    return frozenset((package.name, package.version) for package in set(old) ^ set(new))


def affected_packages(
    workspace: CargoWorkspace,
    old_lock: Sequence[LockedPackage],
    new_lock: Sequence[LockedPackage],
    *,
    old_workspace: CargoWorkspace | None = None,
) -> frozenset[str]:
    """Folders of the workspace's packages that reach a changed version.

    What a member reaches through its dev-dependencies alone does not count. A package that neither
    resolution knows is affected by any change: cargo will resolve again.

    Args:
        workspace: tells which dependencies of its members are for development.
        old_lock: the earlier resolution; empty if there was none.
        new_lock: the present one.
        old_workspace: the same workspace at the time of ``old_lock``, where it is known; without
            it, a dependency that only the old resolution has is taken for a normal one.
    """
    old = _Resolution(old_workspace or workspace, old_lock)
    new = _Resolution(workspace, new_lock)
    changed = {
        node
        for node in old.records.keys() | new.records.keys()
        if old.records.get(node) != new.records.get(node)
    }
    tainted_old, tainted_new = old.reaching(changed), new.reaching(changed)
    return frozenset(
        root
        for root, package in workspace.packages.items()
        if not tainted_old.isdisjoint(old.nodes_of(package))
        or not tainted_new.isdisjoint(new.nodes_of(package))
        or (changed and not old.nodes_of(package) and not new.nodes_of(package))
    )


def packages_reaching(workspace: CargoWorkspace, names: Iterable[str]) -> frozenset[str]:
    """Folders of the workspace's packages that compile a package with one of these names.

    Both what the manifests name and what the resolution leads to counts; dev-dependencies don't.
    """
    wanted = frozenset(names)
    resolution = _Resolution(workspace, workspace.lock)
    tainted = resolution.reaching(node for node in resolution.records if node[0] in wanted)
    return frozenset(
        root
        for root, package in workspace.packages.items()
        if not tainted.isdisjoint(resolution.nodes_of(package))
        or not wanted.isdisjoint(_compiled_names(package))
    )


class _Resolution:
    """A lock file as a graph, without the members' dev-dependencies."""

    def __init__(self, workspace: CargoWorkspace, lock: Sequence[LockedPackage]) -> None:
        self._local: dict[str, list[Node]] = {}
        for locked in lock:
            if not locked.source:
                self._local.setdefault(locked.name, []).append((locked.name, locked.version))
        members: dict[Node, Package] = {
            node: package
            for package in workspace.packages.values()
            for node in self.nodes_of(package)
        }
        records: dict[Node, set[_Record]] = {}
        self._dependants: dict[Node, set[Node]] = {}
        for locked in lock:
            node = (locked.name, locked.version)
            member = None if locked.source else members.get(node)
            needed = _compiled(locked, member)
            records.setdefault(node, set()).add((locked.source, locked.checksum, needed))
            for dependency in needed:
                self._dependants.setdefault(dependency, set()).add(node)
        self.records: Mapping[Node, set[_Record]] = records

    def nodes_of(self, package: Package) -> list[Node]:
        """Its own version; while manifest and lock file disagree, whatever has its name."""
        nodes = self._local.get(package.name, [])
        exact = [node for node in nodes if node[1] == package.version]
        return exact or nodes

    def reaching(self, nodes: Iterable[Node]) -> set[Node]:
        """These nodes and all that lead to one of them."""
        seen = set(nodes)
        todo = list(seen)
        while todo:
            more = self._dependants.get(todo.pop(), set()) - seen
            seen |= more
            todo += more
        return seen


def _compiled(locked: LockedPackage, member: Package | None) -> frozenset[Node]:
    if member is None:
        return frozenset(locked.dependencies)
    unused = _names(member, {DependencyKind.DEV}) - _compiled_names(member)
    return frozenset(node for node in locked.dependencies if node[0] not in unused)


def _compiled_names(package: Package) -> set[str]:
    return _names(package, {DependencyKind.NORMAL, DependencyKind.BUILD})


def _names(package: Package, kinds: set[DependencyKind]) -> set[str]:
    names = {name for name, kind in package.registry_dependencies if kind in kinds}
    return names | {link.name for link in package.path_dependencies if link.kind in kinds}
