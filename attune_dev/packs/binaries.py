"""Pack binaries: what the packs' sensors name, compiled, checked and put in its place."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attune_dev.errors import ActionError, ConfigError, UsageError
from attune_dev.loading.dep_info import keep_all
from attune_dev.model.dockerfile import ImageInputs
from attune_dev.model.packs import PackBinary
from attune_dev.model.workspace import Workspace
from attune_dev.packs.built import MadeFrom, remember
from attune_dev.packs.compile import Compiler, ImageCompiler, Silent, Talk
from attune_dev.packs.sources import Sources
from attune_dev.planning.graph import build_graph, find_pack_binaries
from attune_dev.packs.elf import Program, check_program, read_program, runtime_of
from attune_dev.state import state_directory

CHUNK = 1 << 20
MODE = 0o755


@dataclass(frozen=True, slots=True)
class BinaryMade:
    """What became of one pack binary.

    Attributes:
        name: the Cargo binary.
        packs: packs that carry it.
        changed: whether any of them has other bytes than before.
        program: what it needs to run.
        size: bytes.
        seconds: how long the build took that made it, with others maybe.
    """

    name: str
    packs: tuple[str, ...]
    changed: bool
    program: Program
    size: int
    seconds: float

    @property
    def detail(self) -> str:
        """One line: ``needs GLIBC 2.34, 1.3 MB``."""
        needs = (
            self.program.needs if self.program.needs == "static" else f"needs {self.program.needs}"
        )
        told = f"{needs}, {self.size / 1e6:.1f} MB"
        return told if self.changed else f"the same bytes, {told}"

    def to_dict(self) -> dict[str, Any]:
        """The binary as ``inv pack-binaries --json`` shows it."""
        return {
            "name": self.name,
            "outcome": "built" if self.changed else "unchanged",
            "seconds": round(self.seconds, 3),
            "packs": list(self.packs),
            "machine": self.program.machine,
            "needs": self.program.needs,
            "bytes": self.size,
        }


@dataclass(frozen=True, slots=True)
class BinariesReport:
    """What a build of pack binaries made, in the order asked for.

    Attributes:
        binaries: one per name.
        seconds: of all.
    """

    binaries: tuple[BinaryMade, ...]
    seconds: float

    def __iter__(self) -> Iterator[BinaryMade]:
        return iter(self.binaries)

    @property
    def changed(self) -> bool:
        """Whether any pack has other bytes than before."""
        return any(made.changed for made in self.binaries)


def build_pack_binaries(
    root: Path,
    workspace: Workspace,
    names: Sequence[str] = (),
    *,
    talk: Talk | None = None,
    image: str = "",
    compiler: Compiler | None = None,
) -> BinariesReport:
    """Compiles pack binaries, all in one build, checks them and places them in their packs.

    Nothing is placed unless all of them are built and pass; a binary of the same bytes is left
    as it is.

    Args:
        root: repository root.
        workspace: tells which there are and which Dockerfile compiles them.
        names: Cargo binaries; all where it is empty.
        talk: is told the build's progress, and ends it.
        image: the image that they will run in; the project's plain Debian where it is empty.
        compiler: how they are compiled; by a build of their Dockerfile where it is ``None``.

    Raises:
        UsageError: a name is no pack binary; the hint tells the near ones.
        ConfigError: no Dockerfile compiles them.
        BuildFailed: with the compiler's own message; the old binaries stay.
        ActionError: a binary could not run in the image, or could not be placed.
        EnvironmentLacksError: engine, buildx or the image are missing.
    """
    started = time.monotonic()
    talk = talk or Silent()
    known = find_pack_binaries(workspace)
    chosen = _chosen(known, names)
    if not chosen:
        return BinariesReport((), 0.0)
    sources = Sources(root, build_graph(workspace))
    before = {name: sources.digest(name) for name in chosen}
    places = {name: tuple(_place(root, binary) for binary in known[name]) for name in chosen}
    state = state_directory(root)
    compiler = compiler or ImageCompiler(root, workspace)
    profiles: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="pack-binaries-", dir=state) as scratch:
        for number, (dockerfile, some) in enumerate(by_dockerfile(workspace, chosen)):
            profile = compiler(dockerfile, some, Path(scratch) / str(number), talk)
            profiles |= dict.fromkeys(some, profile)
        keep_all(root, Path(scratch))
        exported = {path.name: path for path in Path(scratch).glob("*/*")}
        programs = _checked(root, chosen, exported, image)
        made = []
        for name in chosen:
            changed = [place_binary(exported[name], place) for place in places[name]]
            made.append(
                BinaryMade(
                    name,
                    tuple(binary.pack for binary in known[name]),
                    any(changed),
                    programs[name],
                    exported[name].stat().st_size,
                    time.monotonic() - started,
                )
            )
    made_from = {name: MadeFrom(before[name], profiles[name]) for name in chosen}
    remember(root, {place: made_from[name] for name in chosen for place in places[name]})
    return BinariesReport(tuple(made), time.monotonic() - started)


def place_binary(source: Path, place: Path) -> bool:
    """Puts a program in its place: written beside, then renamed, for the old one may be running.

    Args:
        source: the new file.
        place: where it goes; its folder is made.

    Returns:
        Whether anything was written: the same bytes with the run bit stay as they are.

    Raises:
        ActionError: it cannot be written.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if _same_bytes(source, place):
            if place.stat().st_mode & 0o111 == 0o111:
                return False
            place.chmod(MODE)
            return True
        # the name is one that the sync and the watcher leave alone
        draft = place.with_name(f".attune-dev-{place.name}.{os.getpid()}")
        try:
            draft.unlink(missing_ok=True)
            shutil.copyfile(source, draft)
            draft.chmod(MODE)
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as problem:
        raise ActionError(
            f"{place.name} could not be placed", why=str(problem), file=os.fspath(place)
        ) from None
    return True


def _chosen(known: Mapping[str, object], names: Sequence[str]) -> list[str]:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            raise UsageError(
                f"no pack binary `{name}`",
                why=f"there are: {', '.join(known)}" if known else "no pack carries one",
                hint=f"did you mean `{near[0]}`?" if near else "",
            )
    return list(dict.fromkeys(names)) or list(known)


def by_dockerfile(
    workspace: Workspace, names: Sequence[str]
) -> list[tuple[ImageInputs, list[str]]]:
    """Which Dockerfile compiles which of the binaries: the one that names it, else the first.

    Raises:
        ConfigError: no Dockerfile compiles one.
    """
    images = list(workspace.pack_binary_images.values())
    if not images:
        raise ConfigError(
            "no Dockerfile compiles pack binaries",
            why="none compiles a Cargo binary that a pack's sensor names",
            hint="add docker/Dockerfile.pack-binaries",
        )
    found: dict[str, tuple[ImageInputs, list[str]]] = {}
    for name in names:
        naming = [i for i in images if any(name in build.binaries for build in i.cargo_builds)]
        image = naming[0] if naming else images[0]
        if not naming:
            _require_inside(workspace, name, image)
        found.setdefault(image.dockerfile, (image, []))[1].append(name)
    return list(found.values())


def _require_inside(workspace: Workspace, name: str, image: ImageInputs) -> None:
    """A Dockerfile that does not name a binary can compile it only in its own Cargo workspace.

    Raises:
        ConfigError: the binary's package is elsewhere.
    """
    package = workspace.cargo.package_of_binary(name)
    context = "" if image.context == "." else image.context
    if package is None or package.workspace == context:
        return
    raise ConfigError(
        f"no Dockerfile compiles {name}",
        why=f"{package.root} is outside of the workspace that {image.dockerfile} compiles",
        hint=f"add one that runs `cargo build --bin {name}` with {package.root} as its context",
        file=package.manifest,
    )


def _place(root: Path, binary: PackBinary) -> Path:
    """Where a binary goes.

    Raises:
        ConfigError: a link on the way leads out of the repository.
    """
    place = root / binary.path
    if not place.parent.resolve().is_relative_to(root.resolve()):
        raise ConfigError("a link leads out of the repository", file=binary.path)
    return place


def _checked(
    root: Path, names: Sequence[str], exported: Mapping[str, Path], image: str
) -> dict[str, Program]:
    if not image:
        from attune_dev.setup.base_images import plain_image

        image = plain_image(root)
    runtime = runtime_of(image, root)
    programs: dict[str, Program] = {}
    for name in names:
        path = exported.get(name)
        if path is None or path.is_symlink() or not path.is_file():
            raise ActionError(
                f"the build did not hand over {name}",
                why=f"it handed over: {', '.join(sorted(exported)) or 'nothing'}",
                hint="let the Dockerfile's last stage hold the binaries that BINARIES names",
            )
        programs[name] = read_program(path)
        check_program(name, programs[name], runtime)
    return programs


def _same_bytes(one: Path, two: Path) -> bool:
    if two.is_symlink() or not two.is_file() or one.stat().st_size != two.stat().st_size:
        return False
    with one.open("rb") as left, two.open("rb") as right:
        while chunk := left.read(CHUNK):
            if chunk != right.read(CHUNK):
                return False
    return True
