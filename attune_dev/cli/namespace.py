"""All tasks, put together."""

from __future__ import annotations

import os
import sys
from typing import Any

from invoke.collection import Collection
from invoke.tasks import Task

from attune_dev.cli.build import build, pack_binaries
from attune_dev.cli.clean import clean
from attune_dev.cli.dev import dev
from attune_dev.cli.dockerfiles import dockerfiles
from attune_dev.cli.doctor import doctor
from attune_dev.cli.look import ps
from attune_dev.cli.machine import setup
from attune_dev.cli.migrate import migrate
from attune_dev.cli.names import TASK_NAMES
from attune_dev.cli.packs import packs_check, packs_sync
from attune_dev.cli.packs_new import packs_new, packs_new_sensor
from attune_dev.cli.packs_state import packs_diff, packs_status
from attune_dev.cli.plan import graph, plan, why
from attune_dev.cli.rollback import rollback
from attune_dev.cli.stack import down, exec_, logs, restart, up
from attune_dev.cli.wait import wait

TASKS: tuple[Task[Any], ...] = (
    up, down, restart, rollback, ps, logs, exec_, build, pack_binaries, plan, why, graph,
    dockerfiles, migrate, setup, doctor, clean,
)  # fmt: skip

PACKS_TASKS: tuple[Task[Any], ...] = (
    packs_sync, packs_check, packs_status, packs_diff, packs_new, packs_new_sensor,
)  # fmt: skip


def namespace(*more: Task[Any]) -> Collection:
    """The tasks of a repository.

    Args:
        more: tasks of the repository itself.
    """
    # Invoke switches byte code off while it loads tasks, which makes every later start slow
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    collection = Collection(
        *TASKS,
        *more,
        packs=Collection(
            "packs", packs_sync, packs_check, packs_status, packs_diff, packs_new, packs_new_sensor
        ),
        dev=Collection("dev", dev, wait),
    )
    TASK_NAMES.clear()
    TASK_NAMES.update(collection.task_names)
    return collection
