"""What a compiled program needs, read from its ELF headers, and whether an image has it."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from attune_dev.docker import process
from attune_dev.errors import ActionError, EnvironmentLacksError
from attune_dev.state import STATE_DIRECTORY, keep_json

QUERY_SECONDS = 60.0
FILE = "image-libc.json"
MACHINES = {
    "amd64": "EM_X86_64",
    "386": "EM_386",
    "arm64": "EM_AARCH64",
    "arm": "EM_ARM",
    "ppc64le": "EM_PPC64",
    "s390x": "EM_S390",
    "riscv64": "EM_RISCV",
}
"""Docker's names of architectures (``GOARCH``) and ELF's ``e_machine`` (elf.h)."""

_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?\Z")
_VERSION = re.compile(r"\b(\d+)\.(\d+)\b")

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Program:
    """What an ELF program needs.

    Attributes:
        machine: ELF's name of the architecture, ``EM_X86_64``.
        glibc: the newest GLIBC symbol version it asks for, ``None`` where it asks for none.
        interpreter: the dynamic loader, empty for a static program.
    """

    machine: str
    glibc: Version | None
    interpreter: str

    @property
    def needs(self) -> str:
        """In words: ``static`` or ``GLIBC 2.34``."""
        if not self.interpreter:
            return "static"
        return f"GLIBC {_dotted(self.glibc)}" if self.glibc else self.interpreter


@dataclass(frozen=True, slots=True)
class Runtime:
    """What an image offers to programs.

    Attributes:
        image: its name.
        architecture: Docker's name of it, ``amd64``.
        glibc: version of its C library, ``None`` where it has no GNU C library.
    """

    image: str
    architecture: str
    glibc: Version | None


def read_program(path: Path) -> Program:
    """Reads the headers of a program.

    Raises:
        ActionError: it is no ELF program that can be started.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    from elftools.elf.gnuversions import GNUVerNeedSection

    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            if elf["e_type"] not in {"ET_EXEC", "ET_DYN"}:
                raise ActionError(f"{path.name} is no program", why=f"its type is {elf['e_type']}")
            interpreter = ""
            for segment in elf.iter_segments("PT_INTERP"):
                interpreter = segment.data().rstrip(b"\0").decode()
            versions = [
                (int(match[1]), int(match[2]))
                for section in elf.iter_sections()
                if isinstance(section, GNUVerNeedSection)
                for _, needed in section.iter_versions()
                for version in needed
                if (match := _GLIBC.match(version.name))
            ]
            return Program(elf["e_machine"], max(versions, default=None), interpreter)
    except (ELFError, OSError, ValueError, KeyError, MemoryError, OverflowError) as problem:
        raise ActionError(
            f"{path.name} is no ELF program", why=str(problem) or type(problem).__name__
        ) from None


def check_program(name: str, program: Program, runtime: Runtime) -> None:
    """Refuses a program that an image could not run.

    Raises:
        ActionError: another architecture, or a newer C library than the image has.
    """
    machine = MACHINES.get(runtime.architecture, "")
    if machine and program.machine != machine:
        raise ActionError(
            f"{name} is built for {program.machine}, {runtime.image} is {runtime.architecture}",
            why="it would end with `exec format error`",
            hint="build it on the engine that runs it: inv pack-binaries",
        )
    if not program.interpreter:
        return
    if program.glibc and (runtime.glibc is None or program.glibc > runtime.glibc):
        has = f"glibc {_dotted(runtime.glibc)}" if runtime.glibc else "no GNU C library"
        raise ActionError(
            f"{name} needs GLIBC {_dotted(program.glibc)}, {runtime.image} has {has}",
            why=f"it would end with `version GLIBC_{_dotted(program.glibc)} not found`",
            hint="build it in an image with the same or an older C library (RUST_IMAGE)",
        )


def runtime_of(image: str, root: Path) -> Runtime:
    """What an image offers; its C library is asked for once per image id.

    Raises:
        EnvironmentLacksError: the engine does not answer or the image is missing.
    """
    shown = process.run(
        ["docker", "image", "inspect", "--format", "{{.Id}} {{.Architecture}}", image],
        timeout=QUERY_SECONDS,
        check=False,
    )
    if not shown.ok:
        raise EnvironmentLacksError(
            f"the image {image} is missing", why=shown.stderr.strip(), hint="run `inv setup`"
        )
    identity, _, architecture = shown.stdout.strip().partition(" ")
    file = root / STATE_DIRECTORY / FILE
    known = _load(file)
    if identity not in known:
        known = {identity: _ask_glibc(image)}
        keep_json(root, FILE, known)
    version = _VERSION.search(known[identity])
    return Runtime(image, architecture, (int(version[1]), int(version[2])) if version else None)


def _ask_glibc(image: str) -> str:
    """What ``getconf`` in the image says: ``glibc 2.36``; empty for another C library."""
    told = process.run(
        [
            *("docker", "run", "--rm", "--pull", "never", "--network", "none", "--read-only"),
            *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--log-driver", "none"),
            *("--entrypoint", "getconf", image, "GNU_LIBC_VERSION"),
        ],
        timeout=QUERY_SECONDS,
        check=False,
    )
    return told.stdout.strip() if told.ok else ""


def _load(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {str(key): str(value) for key, value in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _dotted(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
