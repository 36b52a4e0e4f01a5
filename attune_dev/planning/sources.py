"""Files that define the graph itself, and files that are not what their place suggests."""

from __future__ import annotations

from collections.abc import Iterator

from attune_dev.model.compose import MountKind
from attune_dev.model.plan import ActionKind
from attune_dev.planning.effects import Effects, Impact
from attune_dev.planning.git_ignored import GitIgnore
from attune_dev.planning.globs import join, within
from attune_dev.planning.graph import Graph, Owner
from attune_dev.planning.reasons import Reason, ReasonKind

SETTINGS_FILE = "attune-dev.toml"
SERVICES = "the services"
"""The subject of a reload for the sake of service definitions."""


class Sources:
    """Compose files, Dockerfiles, ignore files: by path."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.git_ignore = GitIgnore(graph.workspace.git_ignore)
        compose = graph.workspace.compose
        self._definitions: dict[str, tuple[str, ...]] = dict.fromkeys(
            (*compose.files, *compose.candidates, SETTINGS_FILE), ("",)
        )
        for name, service in compose.services.items():
            for file in service.files:
                self._definitions[file] = (*self._definitions.get(file, ()), name)
        cargo = graph.workspace.cargo
        self.target_folders = frozenset(
            join(root, "target") for root in (*cargo.workspaces, *graph.packages)
        )
        self._images = self._index_images()
        self.known = frozenset((*self._definitions, *self._images))

    def definitions(self, path: str) -> tuple[str, ...]:
        """Services whose definition reads a file; ``""`` stands for all of them."""
        return self._definitions.get(path, ())

    def images_of_file(self, path: str) -> tuple[tuple[Owner, ReasonKind], ...]:
        """Builds that a Dockerfile or a ``.dockerignore`` steers."""
        return self._images.get(path, ())

    def of_definitions(self, services: tuple[str, ...], effects: Effects) -> Iterator[Impact]:
        """A file that definitions read: read them again; configs and secrets are mounted."""
        if "" in services:
            yield Impact(ActionKind.RELOAD, "", Reason(ReasonKind.DEFINES, SERVICES))
        for name in services:
            if name:
                yield from effects.of_mount(name)

    def not_own_data(self, path: str, services: tuple[str, ...]) -> tuple[str, ...]:
        """The services without those that keep their own data there.

        A folder that git ignores and that a service mounts writable is what the service writes,
        not what someone edits: to restart a data base when it writes would never end. So is what
        git ignores in a repository that is mounted as a whole.
        """
        return tuple(name for name in services if not self._own_data(path, name))

    def _own_data(self, path: str, service: str) -> bool:
        mounts = self._graph.workspace.compose.services[service].mounts
        holding = [m for m in mounts if m.kind is MountKind.BIND and within(path, m.source)]
        return all(
            not mount.read_only
            and self.git_ignore.rule(join(mount.source, "x") if mount.source else path) is not None
            for mount in holding
        )

    def _index_images(self) -> dict[str, tuple[tuple[Owner, ReasonKind], ...]]:
        found: dict[str, dict[tuple[Owner, ReasonKind], None]] = {}
        for owner, image in self._graph.inputs.items():
            found.setdefault(image.dockerfile, {})[(owner, ReasonKind.DOCKERFILE)] = None
            own = f"{image.dockerfile}.dockerignore"
            common = join(image.context, ".dockerignore")
            # Docker takes the Dockerfile's own rules first: the common ones decide only without.
            for file in {own, image.ignore_file or common}:
                found.setdefault(file, {})[(owner, ReasonKind.CONTEXT_RULES)] = None
        return {path: tuple(pairs) for path, pairs in found.items()}
