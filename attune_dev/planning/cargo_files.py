"""What changes of manifests, lock files and toolchain files concern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attune_dev.model.cargo import CargoWorkspace, DependencyKind, Package, TargetKind
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.plan import ActionKind
from attune_dev.model.workspace import Workspace
from attune_dev.planning.classify import Classifier, Verdict
from attune_dev.planning.effects import Impact
from attune_dev.planning.feature_asks import asked_of, depends_on
from attune_dev.planning.lock_diff import affected_packages, packages_reaching
from attune_dev.planning.manifest_diff import ManifestChange, manifest_change
from attune_dev.planning.reasons import Reason, ReasonKind

_RELOAD = Impact(ActionKind.RELOAD, "", Reason(ReasonKind.DEFINES, "the packages"))


class CargoFiles:
    """Judges cargo's own files, with the earlier workspace where it is known."""

    def __init__(self, classifier: Classifier, previous: Workspace | None) -> None:
        self._classifier = classifier
        self._workspaces = classifier.graph.workspace.cargo.workspaces
        self._manifests = classifier.graph.workspace.manifests
        self._previous = previous
        self._locks = {w.lock_file: w for w in self._workspaces.values()}
        self._configs = {
            file: [w for w in self._workspaces.values() if file in w.config_files]
            for workspace in self._workspaces.values()
            for file in workspace.config_files
        }

    def judge(self, change: Change, path: str) -> Verdict | None:
        """What a cargo file concerns; ``None`` where the path is none."""
        name = path.rpartition("/")[2]
        if name == "Cargo.lock" and path in self._locks:
            return self._lock(self._locks[path], path)
        if path in self._configs:
            return self._config(path)
        if name == "Cargo.toml" and self._is_known(path):
            verdict = self._manifest(path)
            if change.kind is ChangeKind.MODIFIED:
                return verdict
            return Verdict((_RELOAD, *verdict.impacts))
        return None

    def _is_known(self, path: str) -> bool:
        before = self._previous.manifests if self._previous is not None else {}
        if path in self._manifests or path in before:
            return True
        return any(
            path in (w.manifest, *(p.manifest for p in w.packages.values()))
            for w in self._workspaces.values()
        )

    def _lock(self, workspace: CargoWorkspace, path: str) -> Verdict:
        before = self._before(workspace)
        roots: Iterable[str] = workspace.packages
        if before is not None:
            roots = affected_packages(workspace, before.lock, workspace.lock, old_workspace=before)
        found = self._resolved(roots, ReasonKind.LOCK, path)
        return Verdict(found) if found else Verdict(unread="locks no version that is compiled")

    def _config(self, path: str) -> Verdict:
        copied = {entry.owner for entry in self._classifier.readers.copies(path)}
        compiled_by = self._classifier.graph.compiled_by
        seen = [
            root
            for workspace in self._configs[path]
            for root in workspace.packages
            if any(owner in copied for owner, _ in compiled_by.get(root, ()))
        ]
        found = self._resolved(seen, ReasonKind.TOOLCHAIN, path)
        return Verdict(found) if found else Verdict(unread="no build copies it")

    def _manifest(self, path: str) -> Verdict:
        workspace = self._workspace_of(path)
        if workspace is None:
            return Verdict(unread="its package is gone")
        change = self._difference(workspace, path)
        if change is None:
            roots = self._all_of(workspace, path)
        elif change.nothing:
            return Verdict(unread="changes nothing that is compiled")
        else:
            roots = self._reached(workspace, path, change)
        found = self._compilers(roots, ReasonKind.MANIFEST, path)
        if change is not None and change.affects_all:
            every = self._resolved(workspace.packages, ReasonKind.MANIFEST, path)
            found = tuple(dict.fromkeys((*every, *found)))
        if change is not None and change.membership:
            found = (_RELOAD, *found)
        if found:
            return Verdict(found)
        return Verdict(unread="concerns no package that an image or a pack takes")

    def _all_of(self, workspace: CargoWorkspace, path: str) -> set[str]:
        if path == workspace.manifest:
            return set(workspace.packages)
        return {root for root, package in workspace.packages.items() if package.manifest == path}

    def _reached(self, workspace: CargoWorkspace, path: str, change: ManifestChange) -> set[str]:
        """Folders of the packages that a changed manifest concerns.

        A feature asked for by one package is on for all that is compiled together with it, so
        whoever reaches the same dependency counts too.
        """
        packages = workspace.packages
        own = {root for root, package in packages.items() if package.manifest == path}
        found = own if change.package_itself or change.dependencies else set()
        inheriting = {
            root
            for root, package in packages.items()
            if package.inherits & change.inherited_dependencies
            or package.inherits_package & change.inherited_package_keys
        }
        names = set(change.dependencies) | set(change.patched)
        if any(packages[root].inherits & change.inherited_dependencies for root in inheriting):
            names |= change.inherited_dependencies
        together = self._compiled_together(found | inheriting)
        reaching: set[str] = set()
        for name in names:
            others = packages_reaching(workspace, [name]) & together
            if name in change.dependencies and name not in change.inherited_dependencies:
                others -= self._asking_anyway(workspace, path, name, others)
            reaching |= others
        patched = packages_reaching(workspace, change.patched) if change.patched else frozenset()
        return found | inheriting | reaching | patched

    def _asking_anyway(
        self, workspace: CargoWorkspace, path: str, name: str, roots: Iterable[str]
    ) -> set[str]:
        """Those of the packages that have the same features of a dependency on without a manifest.

        Args:
            workspace: of the manifest.
            path: the manifest that asks for the dependency in another way than before.
            name: of the dependency.
            roots: folders of packages that reach it.
        """
        states = [self._manifests, self._previous.manifests if self._previous else {}]
        top = [state.get(workspace.manifest, {}) for state in states]

        def asked(manifest: str) -> list[frozenset[str] | None]:
            both = zip(states, top, strict=True)
            return [asked_of(state.get(manifest, {}), root, name) for state, root in both]

        now, before = asked(path)
        if now is None or before is None:
            return set()
        wanted = now | before
        return {
            root
            for root in roots
            for each in self._always_with(workspace, root, top[0])
            if each.manifest != path
            and all(found is not None and found >= wanted for found in asked(each.manifest))
        }

    def _always_with(
        self, workspace: CargoWorkspace, root: str, top: Mapping[str, Any]
    ) -> Iterator[Package]:
        """A package of the workspace and those that are compiled whenever it is."""
        seen: set[str] = set()
        todo = [root]
        while todo:
            folder = todo.pop()
            package = workspace.packages.get(folder)
            if package is None or folder in seen:
                continue
            seen.add(folder)
            yield package
            manifest = self._manifests.get(package.manifest, {})
            todo += [
                link.package
                for link in package.path_dependencies
                if link.kind is DependencyKind.NORMAL and depends_on(manifest, top, link.name)
            ]

    def _compiled_together(self, roots: set[str]) -> set[str]:
        graph = self._classifier.graph
        owners = {owner for root in roots for owner in graph.compiled_with.get(root, ())}
        return {root for root, others in graph.compiled_with.items() if owners.intersection(others)}

    def _difference(self, workspace: CargoWorkspace, path: str) -> ManifestChange | None:
        if self._previous is None:
            return None
        old, new = self._previous.manifests.get(path), self._manifests.get(path)
        scripts = any(
            target.kind is TargetKind.BUILD_SCRIPT
            for package in workspace.packages.values()
            if package.manifest == path
            for target in package.targets
        )
        resolver = getattr(workspace, "resolver", "2") or "2"
        return manifest_change(old, new, resolver=resolver, has_build_script=scripts)

    def _workspace_of(self, path: str) -> CargoWorkspace | None:
        for workspace in self._workspaces.values():
            members = (package.manifest for package in workspace.packages.values())
            if path == workspace.manifest or path in members:
                return workspace
        return None

    def _before(self, workspace: CargoWorkspace) -> CargoWorkspace | None:
        if self._previous is None:
            return None
        return self._previous.cargo.workspaces.get(workspace.root)

    def _resolved(self, roots: Iterable[str], kind: ReasonKind, path: str) -> tuple[Impact, ...]:
        """What compiles binaries of these packages: their workspace alone settles how.

        A package may be compiled by another workspace, too, with that one's lock file and profiles.
        """
        wanted = set(roots)
        return tuple(
            dict.fromkeys(
                impact
                for owner, compiled in self._classifier.graph.compiles.items()
                for binary in compiled
                if binary.package in wanted
                for impact in self._classifier.of_binary(owner, binary.name, kind, path)
            )
        )

    def _compilers(self, roots: Iterable[str], kind: ReasonKind, path: str) -> tuple[Impact, ...]:
        def impacts() -> Iterator[Impact]:
            for root in sorted(roots):
                yield from self._classifier.compilers_of(root, kind, path)

        return tuple(dict.fromkeys(impacts()))
