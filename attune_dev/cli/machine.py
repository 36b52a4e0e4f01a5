"""``inv setup``: what the machine lacks, and having it."""

from __future__ import annotations

import json as json_module
from typing import Any

from invoke.exceptions import Exit

from attune_dev.cli.command import command
from attune_dev.cli.project import find_root, say
from attune_dev.errors import ExitCode


@command(
    help={
        "check": "only report; exit 3 when something is missing",
        "json": "one JSON document on standard output",
    }
)
def setup(_context: Any, check: bool = False, json: bool = False) -> None:
    """Gets what is missing: plugins and base images.

    Looks at the engine, the Compose and buildx plugins and the base images. Plugins come from the
    distribution's signed packages, into your own plugin folder. Images are pulled, or made as
    stand-ins where no registry answers. The other tasks do this by themselves where it is needed.
    """
    from attune_dev.setup.ensure import check as look
    from attune_dev.setup.ensure import ensure

    root = find_root()
    report = look(root) if check else ensure(root, say)
    if json:
        print(json_module.dumps(report.to_json(), indent=2))
    else:
        print("\n".join(report.lines()))
    if not report.ok:
        raise Exit(code=ExitCode.ENVIRONMENT)
