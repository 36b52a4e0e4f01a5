"""The port where there is no Docker: every call tells why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from attune_dev.errors import EnvironmentLacksError
    from attune_dev.model.compose import ComposeProject


class UnavailableDocker:
    """Lets everything that needs no engine work, and fails only where one is asked for."""

    def __init__(self, project: ComposeProject, reason: EnvironmentLacksError) -> None:
        """Keeps the reason.

        Args:
            project: what would be driven.
            reason: raised by every call.
        """
        self.project = project
        self._reason = reason

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise self._reason

    build = up = recreate = restart = rerun = stop = down = _refuse
    containers = tried = current = images = logs = wait_healthy = _refuse
    swap = swapped = swap_places = swap_back = keep_swapped = previous_image = _refuse
