"""The engine's disk is full while an image is built."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.rigs import base_image
from tests.faults.own_engine import OwnEngine, own_engine
from tests.faults.small import Small, small

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

DISK = "400m"  # the base image, and some room


@pytest.fixture
def engine() -> Iterator[OwnEngine]:
    image = base_image()
    if image is None:
        pytest.skip("no base image")
    # a socket's path must be short
    with tempfile.TemporaryDirectory(prefix="at-") as folder:
        disk = Path(folder) / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "attune-dev-test", str(disk)]
        if subprocess.run(mount, capture_output=True).returncode != 0:
            pytest.skip("a disk of its own needs root")
        try:
            with own_engine(Path(folder) / "e", image, data=disk / "data") as made:
                yield made
        finally:
            subprocess.run(["umount", "-l", disk], check=True)


def fill(folder: Path, *, leave: int) -> Path:
    """Takes all room of a disk but some bytes."""
    filler = folder / "filler"
    left = os.statvfs(folder)
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, left.f_bavail * left.f_frsize - leave)
    return filler


def kept(project: Small) -> tuple[list[str], ...]:
    """What a prune would take: images, containers, volumes."""
    asked = (["image", "ls", "-aq"], ["container", "ls", "-aq"], ["volume", "ls", "-q"])
    return tuple(sorted(project.docker(*words).split()) for words in asked)


def test_a_full_disk_fails_the_build_alone_and_the_next_one_succeeds_when_there_is_room(
    engine: OwnEngine, tmp_path: Path
) -> None:
    with small(tmp_path / "small", {"DOCKER_HOST": engine.host}) as project:
        project.start()
        before, there = project.container(), kept(project)
        filler = fill(engine.data.parent, leave=4 << 20)
        large = project.root / "code"
        large.write_bytes(b"two of it\n" + os.urandom(16 << 20))
        failed = project.idle(ok=False)
        assert failed["failed"] == ["web"]
        assert failed["pending"] == ["code"]
        said = project.text()
        assert "no space left on device" in said
        assert "fix: see what takes the space: docker system df" in said
        assert (project.container(), project.code()) == (before, "one")
        assert kept(project) == there, "something was pruned"
        filler.unlink()
        project.save("three")
        project.idle(ok=True)
        assert project.code() == "three"

        before, there = project.container(), kept(project)
        dockerfile = project.root / "Dockerfile"
        good = dockerfile.read_text()
        dockerfile.write_text(f"{good}RUN echo it grows; cat /dev/zero >/large\n")
        assert project.idle(ok=False)["failed"] == ["web"]
        said = project.text().rpartition("FAILED build web")[2]
        assert "RUN echo it grows" in said
        assert "cat: write error: No space left on device" in said
        assert "fix: see what takes the space: docker system df" in said
        assert (project.container(), project.code()) == (before, "three")
        assert kept(project) == there, "something was pruned"
        dockerfile.write_text(good)
        project.save("four")
        project.idle(ok=True)
        assert project.code() == "four"
        assert "Traceback" not in project.text()
