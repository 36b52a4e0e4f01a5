"""Ignore rules and ``COPY`` patterns against the real builder: the tables of the unit tests."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.unit.planning.ignore_cases import CASES, COPIES, TREE

pytestmark = pytest.mark.docker


@pytest.fixture
def context(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    for name in TREE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def copied(context: Path, sources: list[str], ignore: str = "") -> list[set[str]]:
    """For each source of a COPY the files of the tree, by their content, that it brings in."""
    dockerfile = context.parent / "Dockerfile"
    copies = [f"COPY {json.dumps([source, f'/{i}/'])}" for i, source in enumerate(sources)]
    dockerfile.write_text("\n".join(["FROM scratch", *copies]))
    Path(f"{dockerfile}.dockerignore").write_text(ignore)
    argv = ["docker", "buildx", "build", "--quiet", "--output", "type=tar,dest=-"]
    done = subprocess.run(
        [*argv, "--file", str(dockerfile), str(context)], capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-500:]
    found: list[set[str]] = [set() for _ in sources]
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive:
            taken = archive.extractfile(member) if member.isfile() else None
            if taken is not None:
                index = member.name.removeprefix("./").split("/", 1)[0]
                found[int(index)].add(taken.read().decode())
    return found


@pytest.mark.full
def test_ignore_files_hide_the_same_from_the_builder(context: Path) -> None:
    wrong = {}
    for lines, ignored in CASES:
        (kept,) = copied(context, ["."], lines)
        if kept != set(TREE) - ignored:
            wrong[lines] = kept ^ (set(TREE) - ignored)
    assert wrong == {}


def test_copy_takes_the_same_in_the_builder(context: Path) -> None:
    found = copied(context, [source for source, _ in COPIES])
    wrong = {
        source: got ^ taken
        for (source, taken), got in zip(COPIES, found, strict=True)
        if got != taken
    }
    assert wrong == {}
