"""Containers of services that the Compose file no longer defines: told, or removed where asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.docker import leftovers
from attune_dev.docker.leftovers import Leftover

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.docker.port import DockerPort
    from attune_dev.model.compose import ComposeProject


class Orphans:
    """Looks for them; nothing is removed that nobody asked to remove.

    Args:
        tell: is given a line.
        remove: whether they are removed.
    """

    def __init__(self, tell: Callable[[str], None], *, remove: bool = False) -> None:
        self._tell = tell
        self._remove = remove
        self._told: frozenset[str] = frozenset()
        self._known: ComposeProject | None = None

    def look(self, port: DockerPort) -> None:
        """Removes them, or tells once of each; nothing is asked where the definitions are the same.

        Args:
            port: of the definitions as they are now.

        Raises:
            AttuneDevError: the engine does not answer, or keeps one.
        """
        if port.project is self._known:
            return
        services = port.project.services
        found = [each for each in port.containers() if each.service not in services]
        self._known = port.project
        if self._remove and found:
            leftovers.remove("container", [Leftover(each.id, each.name) for each in found])
            names = ", ".join(each.name for each in found)
            self._tell(f"removed {names}: the Compose file no longer defines it")
            return
        if new := [each for each in found if each.id not in self._told]:
            names = ", ".join(each.name for each in new)
            self._tell(
                f"{names} stays, though the Compose file no longer defines it;"
                " ./inv up --remove-orphans removes it"
            )
        self._told = frozenset(each.id for each in found)
