"""Images that builds of this checkout have superseded: removed once nothing can want them back.

A build moves a service's image name to the new image and leaves the old one without a name. Which
ones those are is written down, for nothing on the engine tells who made a nameless image. The last
one of each service stays, to go back to.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from attune_dev.docker.process import run
from attune_dev.state import STATE_DIRECTORY, keep_json, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from attune_dev.docker.port import ImageResult

FILE = "superseded.json"
KEPT = 1
"""Superseded images that stay, per service."""


class Superseded:
    """The superseded images of one checkout."""

    def __init__(self, root: Path, project: str, env: Mapping[str, str]) -> None:
        """Reads nothing yet.

        Args:
            root: the repository.
            project: name of the Compose project.
            env: environment of the docker client.
        """
        self._root = root
        self._project = project
        self._env = env

    def sweep(self, images: Iterable[ImageResult]) -> int:
        """Notes what a build has superseded, and removes what earlier ones had.

        An image that has a name, or that a container was made from, stays.

        Args:
            images: what the build made.

        Returns:
            How many images were removed.
        """
        known = self._load()
        for image in images:
            old = [one for one in known.get(image.service, ()) if one != image.after]
            if image.before and image.changed:
                old = [one for one in old if one != image.before] + [image.before]
            known[image.service] = old
        spare = [one for old in known.values() for one in old[:-KEPT]]
        gone = self._remove(spare)
        left = {service: [o for o in old if o not in gone] for service, old in known.items()}
        keep_json(self._root, FILE, {"project": self._project, "images": left})
        return sum(gone.values())

    def last(self, service: str) -> str:
        """The id of the image that a service had before, empty where none is known."""
        known = self._load().get(service)
        return known[-1] if known else ""

    def _remove(self, ids: list[str]) -> dict[str, bool]:
        """The images that need no note any more, and whether that is for being removed now."""
        if not ids:
            return {}
        looked = run(["docker", "image", "inspect", *ids], env=self._env, check=False)
        found = {each["Id"]: each for each in json.loads(looked.stdout or "[]")}
        gone = {one: False for one in ids if one not in found or found[one].get("RepoTags")}
        for one in ids:
            if one not in gone:
                # not by force: the engine refuses while any container is made from it
                removed = run(
                    ["docker", "image", "rm", "--no-prune", one], env=self._env, check=False
                )
                if removed.ok:
                    gone[one] = True
        return gone

    def _load(self) -> dict[str, list[str]]:
        try:
            told: Any = read_json(self._root / STATE_DIRECTORY / FILE)
            if told["project"] != self._project:
                return {}
            return {str(k): [str(one) for one in v] for k, v in told["images"].items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return {}
