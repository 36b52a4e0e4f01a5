"""What `./inv --list` shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

TASKS = Path(__file__).resolve().parents[3] / "tasks.py"
COLUMNS = 80
BESIDE = 25  # the names, and what is between


def test_every_task_has_a_help_of_one_line_that_fits() -> None:
    helps = {name: (task.__doc__ or "").strip().split("\n")[0] for name, task in _tasks()}
    assert all(helps.values())
    assert {name: text for name, text in helps.items() if len(text) > COLUMNS - BESIDE} == {}


def _tasks() -> list[tuple[str, object]]:
    spec = importlib.util.spec_from_file_location("tasks", TASKS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [(name, module.ns[name]) for name in module.ns.task_names]
