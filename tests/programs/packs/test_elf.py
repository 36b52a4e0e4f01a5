"""A pack binary is refused where the services' image could not run it."""

from __future__ import annotations

import os
import platform
import shutil
import struct
from pathlib import Path

import pytest

from attune_dev.errors import ActionError
from attune_dev.packs.elf import MACHINES, Program, Runtime, check_program, read_program

HERE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64")
OURS = MACHINES[HERE]


def _runtime(architecture: str = HERE, glibc: tuple[int, int] | None = (2, 36)) -> Runtime:
    return Runtime("debian", architecture, glibc)


@pytest.mark.skipif(not Path("/bin/ls").exists(), reason="needs a Linux machine")
def test_a_program_of_this_machine_is_read() -> None:
    program = read_program(Path(shutil.which("ls") or "/bin/ls").resolve())
    assert program.machine == OURS
    assert program.glibc is not None
    assert (2, 2) < program.glibc < (3, 0)
    assert program.interpreter.startswith("/lib")
    assert program.needs == f"GLIBC {program.glibc[0]}.{program.glibc[1]}"


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF" + bytes(60)])
def test_what_is_no_program_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "sensor"
    file.write_bytes(content)
    with pytest.raises(ActionError, match="sensor is no"):
        read_program(file)


def test_an_object_file_is_refused(tmp_path: Path) -> None:
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, 0, 0, 64, 0, 0, 64, 0, 0)
    (tmp_path / "part.o").write_bytes(head)
    with pytest.raises(ActionError, match=r"part\.o is no program"):
        read_program(tmp_path / "part.o")


def test_another_architecture_is_refused() -> None:
    program = Program("EM_AARCH64", None, "/lib/ld-linux-aarch64.so.1")
    with pytest.raises(ActionError, match="EM_AARCH64") as caught:
        check_program("sensor", program, _runtime("amd64"))
    assert "exec format error" in caught.value.why


def test_a_newer_c_library_than_the_image_has_is_refused() -> None:
    program = Program(OURS, (2, 39), "/lib64/ld-linux-x86-64.so.2")
    with pytest.raises(ActionError, match=r"needs GLIBC 2\.39, debian has glibc 2\.36"):
        check_program("sensor", program, _runtime())
    with pytest.raises(ActionError, match="no GNU C library"):
        check_program("sensor", program, _runtime(glibc=None))


@pytest.mark.parametrize("needed", [(2, 36), (2, 4), None])
def test_the_same_or_an_older_c_library_is_fine(needed: tuple[int, int] | None) -> None:
    check_program("sensor", Program(OURS, needed, "/lib64/ld-linux-x86-64.so.2"), _runtime())


def test_a_static_program_needs_no_c_library() -> None:
    program = Program(OURS, None, "")
    check_program("sensor", program, _runtime(glibc=None))
    assert program.needs == "static"


def test_the_reader_survives_any_damage(tmp_path: Path) -> None:
    whole = bytearray(Path(shutil.which("ls") or "/bin/ls").resolve().read_bytes())
    file = tmp_path / "sensor"
    for seed in range(40):
        damaged = bytearray(whole)
        for at in range(64):
            damaged[at] ^= os.urandom(1)[0] if (at * 7 + seed) % 9 == 0 and at > 3 else 0
        file.write_bytes(damaged)
        try:
            read_program(file)
        except ActionError:
            continue
