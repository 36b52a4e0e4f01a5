"""A folder of packs and a folder that stands for the volume, with the real agent between them."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path

from attune_dev.model.packs import PacksFolder
from attune_dev.packs.helper import HelperSession
from attune_dev.packs.report import PackSync, SyncReport
from attune_dev.packs.scan import left_out
from attune_dev.packs.sync import sync_packs

FOLDER = PacksFolder("packs", "packs_data", "init-packs")


class World:
    """A repository with packs, and a volume."""

    def __init__(self, base: Path) -> None:
        self.root = base / "root"
        self.packs = self.root / "packs"
        self.volume = base / "volume"
        self.session = HelperSession("volume", directory=self.volume)
        self.reset()

    def reset(self) -> None:
        for folder in (self.root, self.volume):
            while folder.exists():  # the agent may be tidying up in it
                shutil.rmtree(folder, ignore_errors=True)
        self.packs.mkdir(parents=True)
        self.volume.mkdir()

    def write(self, path: str, text: str | bytes = "text\n", mode: int = 0o644) -> Path:
        file = self.packs / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(mode)
        return file

    def foreign(self, path: str, text: str = "foreign\n") -> Path:
        file = self.volume / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def sync(
        self,
        *packs: str,
        on_step: Callable[[str], None] | None = None,
        session: HelperSession | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> SyncReport:
        return sync_packs(
            self.root,
            FOLDER,
            "volume",
            image="",
            packs=packs or None,
            session=session or self.session,
            on_step=on_step,
            on_note=on_note,
        )

    def pack(self, name: str = "core") -> PackSync:
        report = self.sync()
        return next(pack for pack in report.packs if pack.name == name)

    def leftovers(self) -> list[str]:
        home = self.volume / ".attune-dev"
        return sorted(
            str(path.relative_to(home))
            for path in home.rglob("*")
            if path.name.startswith(("stage-", "old-")) or path.name.endswith(".new")
        )


def tree(folder: Path) -> dict[bytes, tuple[str, int, bytes]]:
    """All that a reader finds: path to kind, mode and content or target."""
    found: dict[bytes, tuple[str, int, bytes]] = {}
    for path in folder.rglob("*"):
        below = path.relative_to(folder)
        if below.parts[0] == ".attune-dev":
            continue
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            entry = ("link", 0, os.fsencode(path.readlink()))
        elif stat.S_ISDIR(status.st_mode):
            entry = ("folder", mode, b"")
        else:
            entry = ("file", mode, path.read_bytes() if stat.S_ISREG(status.st_mode) else b"")
        found[os.fsencode(below)] = entry
    return found


def wanted(folder: Path) -> dict[bytes, tuple[str, int, bytes]]:
    """What the volume of these packs must hold."""
    found: dict[bytes, tuple[str, int, bytes]] = {}
    for path, (kind, mode, content) in tree(folder).items():
        parts = os.fsdecode(path).split("/")
        if any(left_out(part, folder=True) for part in parts[:-1]):
            continue
        if left_out(parts[-1], folder=kind == "folder"):
            continue
        normal = 0 if kind == "link" else 0o755 if mode & 0o100 or kind == "folder" else 0o644
        found[path] = (kind, normal, content)
    return found


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits for what another process does, and fails where it does not."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.005)
