"""The example for GitHub Actions does what its page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

PAGE = Path(__file__).parents[3] / "docs" / "ci.md"
PLAN = {
    "version": 1,
    "changes": [],
    "actions": [
        {"id": 1, "action": "build-pack-binaries", "targets": ["timer"], "needs": []},
        {"id": 2, "action": "build", "targets": ["api", "web"], "needs": []},
        {"id": 3, "action": "recreate", "targets": ["api", "web"], "needs": [2]},
    ],
    "ignored": [],
}


def workflow() -> dict[str, Any]:
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    loaded: dict[str, Any] = yaml.safe_load(found[1])
    return loaded


def run_plan_step(folder: Path, plan: dict[str, Any]) -> str:
    """Runs the step's script with a stand-in for the launcher; what it leaves as its output."""
    (folder / "plan").write_text(json.dumps(plan))
    launcher = folder / "inv"
    launcher.write_text('#!/bin/sh\n[ "$*" = "plan --since origin/main --json" ] && cat plan\n')
    launcher.chmod(0o755)
    (step,) = [s for s in workflow()["jobs"]["plan"]["steps"] if s.get("id") == "plan"]
    environment = {**os.environ, "BASE": "origin/main", "GITHUB_OUTPUT": str(folder / "output")}
    subprocess.run(["bash", "-ec", step["run"]], cwd=folder, env=environment, check=True)
    return (folder / "output").read_text()


def test_the_services_to_build_become_the_matrix(tmp_path: Path) -> None:
    assert run_plan_step(tmp_path, PLAN) == 'services=["api", "web"]\n'
    matrix = workflow()["jobs"]["build"]["strategy"]["matrix"]
    assert matrix == {"service": "${{ fromJSON(needs.plan.outputs.services) }}"}


def test_nothing_to_build_is_the_empty_list_that_the_build_is_skipped_for(tmp_path: Path) -> None:
    assert run_plan_step(tmp_path, {**PLAN, "actions": []}) == "services=[]\n"
    assert workflow()["jobs"]["build"]["if"] == "needs.plan.outputs.services != '[]'"
