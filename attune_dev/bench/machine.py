"""What a reader of figures has to know of the machine that they were measured on."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

from attune_dev.docker import process
from attune_dev.errors import AttuneDevError

_VERSIONS: dict[str, list[str]] = {
    "engine": ["docker", "version", "--format", "{{.Server.Version}}"],
    "compose": ["docker", "compose", "version", "--short"],
    "buildx": ["docker", "buildx", "version"],
    "rustc": ["rustc", "--version"],
}


def machine() -> dict[str, str]:
    """Name and value of what figures depend on; what cannot be told is left out."""
    told = {
        "cpu": _cpu(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
    for name, argv in _VERSIONS.items():
        with suppress(AttuneDevError):
            words = process.run(argv, timeout=10.0).stdout.split()
            told[name] = next((w.lstrip("v") for w in words if w[:2].lstrip("v")[:1].isdigit()), "")
    return {name: value for name, value in told.items() if value}


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.machine()
