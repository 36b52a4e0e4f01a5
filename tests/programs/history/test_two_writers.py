"""Two processes begin a history and write it at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from attune_dev.history.store import History


def test_two_processes_may_begin_and_write_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.unit.test_history import RUN\n"
        "from attune_dev.history.store import History\n"
        "root = Path(sys.argv[1])\n"
        "assert all(History(root, print).record(RUN) for _ in range(20))\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    children = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [child.communicate(timeout=60)[0] for child in children]
    assert [(child.returncode, out) for child, out in zip(children, told, strict=True)] == [
        (0, ""),
        (0, ""),
    ]
    assert len(History(tmp_path, print).runs()) == 40
