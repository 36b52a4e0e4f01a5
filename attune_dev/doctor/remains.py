"""What runs that died have left behind."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from attune_dev.docker import leftovers
from attune_dev.doctor.report import Finding, Level
from attune_dev.setup.places import process_runs
from attune_dev.state import STATE_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attune_dev.model.compose import ComposeProject


def of_helpers(project: ComposeProject) -> Iterator[Finding]:
    """Finds helper containers whose process on this machine is gone.

    Raises:
        ActionError: the engine refused to tell.
    """
    for helper in leftovers.helpers(project):
        host, _, pid = helper.detail.rpartition(":")
        if host == platform.node() and pid.isdigit() and not process_runs(pid):
            what = f"is a helper of process {pid}, which is gone"
            yield Finding(helper.name, what, f"docker rm --force {helper.name}")


def of_scratch(root: Path, names: str = "pack-binaries-*") -> Iterator[Finding]:
    """Finds folders in which a build was put down that did not come to its end."""
    for folder in sorted((root / STATE_DIRECTORY).glob(names)):
        if folder.is_dir():
            place = folder.relative_to(root)
            yield Finding(str(place), "is of a build that was killed", f"rm -r {place}", Level.NOTE)
