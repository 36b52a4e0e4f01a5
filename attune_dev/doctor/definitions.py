"""Whether definitions say what makes no sense, though they can be read (pure)."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from attune_dev.doctor.report import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attune_dev.model.workspace import Workspace


def of_definitions(workspace: Workspace) -> Iterator[Finding]:
    """Finds what Compose warns of, and services for which packages are named that Cargo lacks."""
    for warning in workspace.compose.warnings:
        yield Finding("", warning, "mend the Compose file, or .env", Level.NOTE)
    known = sorted({package.name for package in workspace.cargo.packages().values()})
    for service in workspace.compose.services.values():
        for name in service.override.packages or ():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                what = f"x-attune-dev of {service.name} names the package `{name}`, which is none"
                hint = f"did you mean `{near[0]}`?" if near else "name one that Cargo knows"
                yield Finding(service.override.place, what, hint)
