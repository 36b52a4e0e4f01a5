"""The machine's Rust toolchain, for the stand-in of the ``rust`` image."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from attune_dev.docker import process
from attune_dev.errors import EnvironmentLacksError

_LEFT_OUT = {
    Path("share"),
    Path("lib/rustlib/src"),
    Path("bin/rust-analyzer"),
    Path("bin/rust-gdb"),
    Path("bin/rust-gdbgui"),
    Path("bin/rust-lldb"),
    Path("etc/bash_completion.d"),
}


@dataclass(frozen=True, slots=True)
class Toolchain:
    """An installed toolchain that can be copied.

    Attributes:
        folder: its root, with ``bin`` and ``lib``.
        version: of its rustc, such as ``1.95.0``.
        host: target triple that it runs on.
    """

    folder: Path
    version: str
    host: str

    @property
    def name(self) -> str:
        """As rustup names it."""
        return f"{self.version}-{self.host}"


def find_toolchain(version: str) -> Toolchain:
    """Finds the machine's toolchain of a version: the active one, else any that rustup has.

    Args:
        version: ``1.95`` or ``1.95.0``; ``1`` stands for any stable one.

    Raises:
        EnvironmentLacksError: there is none; it says which to install.
    """
    folders = [*_active(), *_rustup_folders()]
    seen: list[str] = []
    for folder in folders:
        toolchain = _look_at(folder)
        if toolchain is None:
            continue
        if _fits(toolchain.version, version):
            return toolchain
        seen.append(toolchain.version)
    raise EnvironmentLacksError(
        f"no Rust toolchain {version} on this machine to make the base image from",
        why=f"found: {', '.join(dict.fromkeys(seen))}" if seen else "no rustup toolchain found",
        hint=f"rustup toolchain install {version} --profile minimal  (or pull the image on a"
        " network that reaches an image registry)",
    )


def _fits(found: str, wanted: str) -> bool:
    return "-" not in found and (found == wanted or found.startswith(wanted + "."))


def _active() -> list[Path]:
    if shutil.which("rustc") is None:
        return []
    done = process.run(["rustc", "--print", "sysroot"], check=False, timeout=60)
    return [Path(done.stdout.strip()).resolve()] if done.ok and done.stdout.strip() else []


def _rustup_folders() -> list[Path]:
    home = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    try:
        return sorted({folder.resolve() for folder in (home / "toolchains").iterdir()})
    except OSError:
        return []


def _look_at(folder: Path) -> Toolchain | None:
    """A distribution's rustc in ``/usr`` is no folder of its own, so it cannot be copied."""
    if not (folder / "lib" / "rustlib").is_dir() or folder in {Path("/usr"), Path("/usr/local")}:
        return None
    try:
        done = process.run([str(folder / "bin" / "rustc"), "-vV"], check=False, timeout=60)
    except EnvironmentLacksError:
        return None
    release = re.search(r"^release: (\S+)$", done.stdout, re.MULTILINE)
    host = re.search(r"^host: (\S+)$", done.stdout, re.MULTILINE)
    has_cargo = (folder / "bin" / "cargo").is_file()
    if not (done.ok and release and host and has_cargo):
        return None
    return Toolchain(folder, release[1], host[1])


def copy_toolchain(toolchain: Toolchain, into: Path) -> None:
    """Copies it without documentation and editor support, by hard links where that works."""

    def leave_out(folder: str, names: list[str]) -> set[str]:
        inside = Path(folder).relative_to(toolchain.folder)
        return {name for name in names if inside / name in _LEFT_OUT}

    shutil.copytree(
        toolchain.folder, into, symlinks=True, ignore=leave_out, copy_function=_link_or_copy
    )


def _link_or_copy(source: str, goal: str) -> None:
    try:
        os.link(source, goal, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, goal, follow_symlinks=False)
