"""A volume of packs on an engine, who reads it, and what they find."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import uuid
from collections.abc import Callable
from pathlib import Path

from attune_dev.docker.labels import HELPER_LABEL as LABEL
from attune_dev.model.packs import PacksFolder
from attune_dev.packs.helper import HelperSession
from attune_dev.packs.report import SyncReport
from attune_dev.packs.sync import sync_packs
from tests.programs.packs.world import World

PLACE = "/opt/attune/packs"
FOLDER = PacksFolder("packs", "packs_data", "init-packs")


def docker(*words: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


class PacksVolume:
    """A volume on the engine, and the packs of a repository."""

    def __init__(self, base: Path, image: str, options: tuple[str, ...] = ()) -> None:
        self.world = World(base)
        self.image = image
        self.project = f"t-packs-{uuid.uuid4().hex[:8]}"
        self.volume = f"{self.project}_packs_data"
        if options:
            docker("volume", "create", "--driver", "local", *options, self.volume)
        self.session = HelperSession(
            self.volume, image=image, project=self.project, volume_key="packs_data"
        )

    def sync(
        self,
        *,
        kept: bool = True,
        image: str = "",
        on_step: Callable[[str], None] | None = None,
    ) -> SyncReport:
        return sync_packs(
            self.world.root,
            FOLDER,
            self.volume,
            image=image or self.image,
            project=self.project,
            session=self.session if kept else None,
            on_step=on_step,
        )

    def start(self, *words: str, place: str = f"{PLACE}:ro") -> str:
        """A service that mounts the volume."""
        name = f"{self.project}-{uuid.uuid4().hex[:6]}"
        docker(
            *("run", "--detach", "--init", "--name", name, "--network", "none"),
            *("--user", "1000:1000", "--label", f"t-packs={self.project}"),
            *("--volume", f"{self.volume}:{place}", "--entrypoint", words[0], self.image),
            *words[1:],
        )
        return name

    def helpers(self) -> list[str]:
        label = f"label={LABEL}.project={self.project}"
        return docker("ps", "--all", "--quiet", "--no-trunc", "--filter", label).split()

    def tree(self, reader: str) -> dict[bytes, tuple[str, int, bytes]]:
        """What a service finds in the volume."""
        done = subprocess.run(
            [
                *("docker", "exec", "--user", "0", reader),
                *("tar", "-C", PLACE, "--exclude=./.attune-dev", "--hard-dereference", "-c", "."),
            ],
            capture_output=True,
            check=True,
            timeout=60,
        )
        found: dict[bytes, tuple[str, int, bytes]] = {}
        with tarfile.open(fileobj=io.BytesIO(done.stdout), errors="surrogateescape") as archive:
            for member in archive:
                name = member.name.removeprefix("./").rstrip("/")
                if name in {"", "."}:
                    continue
                if member.issym():
                    entry = ("link", 0, os.fsencode(member.linkname))
                elif member.isdir():
                    entry = ("folder", member.mode, b"")
                else:
                    file = archive.extractfile(member)
                    entry = ("file", member.mode, file.read() if file else b"")
                found[os.fsencode(name)] = entry
        return found

    def remove(self) -> None:
        self.session.close(kill=True)
        for label in (f"t-packs={self.project}", f"{LABEL}.project={self.project}"):
            ids = docker("ps", "--all", "--quiet", "--filter", f"label={label}").split()
            if ids:
                docker("rm", "--force", *ids, check=False)
        docker("volume", "rm", "--force", self.volume, check=False)
