"""Root without some of its powers: the kernel refuses it what it refuses everybody.

Tests mostly run as root, which may read every file and open every socket; people may not.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2
_VERSION = 0x20080522  # of the kernel's structures, since Linux 2.6.26
STRANGER = 65_534  # nobody, on most systems


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@contextmanager
def no_power_over_files() -> Iterator[None]:
    """The mode of a file binds this thread, and those that it starts meanwhile, even as root."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(_VERSION, 0), (_Sets * 2)()
    _call(libc.capget, header, sets)
    before = sets[0].effective
    sets[0].effective = before & ~(1 << DAC_OVERRIDE | 1 << DAC_READ_SEARCH)
    _call(libc.capset, header, sets)
    try:
        yield
    finally:
        sets[0].effective = before
        _call(libc.capset, header, sets)


def bound_by_modes() -> tuple[str, ...]:
    """What to put before a command so that the modes of files bind it and all that it starts."""
    if os.geteuid() != 0:
        return ()
    return (_setpriv(), "--bounding-set=-dac_override,-dac_read_search")


def as_stranger() -> tuple[str, ...]:
    """What to put before a command so that a user runs it who is in no group.

    It may read everything, so that it does not matter where the checkout and Python lie; a socket
    asks for the right to write.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    reads = "+dac_read_search"
    user = (f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups")
    return (_setpriv(), *user, f"--inh-caps={reads}", f"--ambient-caps={reads}")


def _setpriv() -> str:
    found = shutil.which("setpriv")
    if found is None:
        pytest.skip("setpriv is missing (util-linux)")
    return found


def _call(function: object, header: _Header, sets: ctypes.Array[_Sets]) -> None:
    if function(ctypes.byref(header), sets) != 0:  # type: ignore[operator]
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
