"""The suites there are; one is imported when it is run."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from pathlib import Path

    from attune_dev.bench.model import Suite

SUITES: dict[str, str] = {
    "builds": "attune_dev.bench.builds.suite",
    "packs": "attune_dev.bench.packs.suite",
    "planner": "attune_dev.bench.planner.suite",
    "watch": "attune_dev.bench.watch.cases",
}
"""Name of a suite and the module that makes it, by a function ``suite(root)``."""


class _Module(Protocol):
    def suite(self, root: Path) -> Suite: ...


def make_suite(name: str, root: Path) -> Suite:
    """The suite of this name for a repository.

    Raises:
        KeyError: there is none.
    """
    module = cast("_Module", importlib.import_module(SUITES[name]))
    return module.suite(root)
