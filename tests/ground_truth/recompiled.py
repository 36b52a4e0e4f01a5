"""What cargo itself compiles again after an edit, by its own account of what is fresh."""

from __future__ import annotations

import json
import shutil
from itertools import product
from pathlib import Path

from attune_dev.docker import process
from tests.ground_truth.files import mirror

PROFILES = ("release", "dev")
"""What images are compiled with, and what the watch loop compiles with."""

SHIPPED = (
    ("attune-api", "attune-executor", "attune-notifier", "attune-sensor", "attune-worker"),
    ("attune-core-timer-sensor",),
)
"""Binaries that each Dockerfile has cargo compile in one call."""


class Recompiled:
    """A folder with what the builds see of the workspace, checked by the cargo of this machine.

    ``cargo check`` follows the same rules of freshness as a build and takes a fraction of its
    time. Each edit starts from a copy of the baseline, times of files included.
    """

    def __init__(self, scratch: Path) -> None:
        self._base = scratch / "check-base"
        self._place = scratch / "check"

    def baseline(self, context: Path) -> None:
        """Compiles the workspace as it is before any edit."""
        shutil.rmtree(self._place, ignore_errors=True)
        shutil.rmtree(self._base, ignore_errors=True)
        self._place.mkdir(parents=True)
        mirror(context, self._place, "target")
        self._check()
        self._place.rename(self._base)

    def after(self, context: Path) -> tuple[str, ...]:
        """The binaries that cargo compiles again for what the builds see now."""
        shutil.rmtree(self._place, ignore_errors=True)
        process.run(["cp", "-a", str(self._base), str(self._place)])
        mirror(context, self._place, "target")
        return self._check()

    def _check(self) -> tuple[str, ...]:
        found: set[str] = set()
        for profile, names in product(PROFILES, SHIPPED):
            there = [n for n in names if (self._place / "crates" / n[len("attune-") :]).is_dir()]
            words = [word for name in there for word in ("--bin", name)]
            done = process.run(
                ["cargo", "check", "--locked", "--profile", profile, "--message-format=json",
                 "--quiet", *words],
                cwd=self._place,
            )  # fmt: skip
            for line in done.stdout.splitlines():
                told = json.loads(line)
                if told.get("reason") == "compiler-artifact" and not told["fresh"]:
                    found |= {told["target"]["name"]} & set(there)
        return tuple(sorted(found))
