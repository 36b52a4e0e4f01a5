"""What a process and its children take: time and memory, as Linux tells."""

from __future__ import annotations

import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def busy_seconds(pid: int) -> float:
    """Seconds of processor time, of children that have ended, too."""
    ticks = 0
    for each in family(pid):
        if fields := _stat(each):
            ticks += sum(int(field) for field in fields[11:15])  # utime stime cutime cstime
    return ticks / _TICK


def resident_mebibytes(pid: int) -> float:
    """Resident memory of the process alone, in MiB."""
    fields = _stat(pid)
    return int(fields[21]) * _PAGE / 2**20 if fields else 0.0


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` behind the name, the state first; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    except (OSError, UnicodeDecodeError):
        return []
