"""Labels of what this program makes on an engine beside the project's own containers."""

from __future__ import annotations

import os
import platform

HELPER_LABEL = "dev.attune-dev.helper"
"""What a container helps with: ``packs`` or ``builder``."""


def owner() -> str:
    """Who started a helper: host and process id."""
    return f"{platform.node()}:{os.getpid()}"


def helper_labels(helps: str, project: str) -> tuple[str, ...]:
    """The arguments that label a helper container.

    Args:
        helps: what it helps with.
        project: Compose project.
    """
    labels = {
        HELPER_LABEL: helps,
        f"{HELPER_LABEL}.owner": owner(),
        f"{HELPER_LABEL}.project": project,
    }
    return tuple(word for key, text in labels.items() for word in ("--label", f"{key}={text}"))
