"""Checks packs: reads what they say, and holds it against what is there."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attune_dev.packs.check import rules
from attune_dev.packs.check.facts import KINDS, OTHER_FOLDERS, Facts, Kind, kind_of
from attune_dev.packs.check.known import KnownFacts
from attune_dev.packs.check.problem import Problem, errors_of
from attune_dev.packs.check.scripts import Fits, anywhere, check_entry_point, check_workflow
from attune_dev.packs.scan import left_out, pack_names


@dataclass(frozen=True, slots=True)
class PackCheck:
    """What was found in one pack.

    Attributes:
        name: its folder.
        folder: the same from the repository's root, ``packs/core``.
        problems: sorted by place; errors stop its sync.
        files: YAML files that were looked at.
        seconds: how long it took.
    """

    name: str
    folder: str
    problems: tuple[Problem, ...] = ()
    files: int = 0
    seconds: float = 0.0

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop its sync."""
        return errors_of(self.problems)


def faults(check: PackCheck) -> tuple[tuple[str, str], ...]:
    """The errors of a pack as ``(place, reason)``, for whoever refuses it."""
    return tuple(
        (error.place, f"{error.message}; {error.fix}" if error.fix else error.message)
        for error in check.errors
    )


@dataclass(slots=True)
class Checker:
    """Checks the packs of one folder.

    Attributes:
        root: repository root.
        folder: folder of packs, relative to the root.
        binaries: names of Cargo binaries of the repository: a sensor may name one as its program.
        runner_types: runner types that the settings declare.
        fits: why a program could not run in the services' image, empty where it can.
    """

    root: Path
    folder: str
    binaries: Collection[str] = ()
    runner_types: Collection[str] = ()
    fits: Fits = anywhere
    _known: KnownFacts = field(init=False)

    def __post_init__(self) -> None:
        self._known = KnownFacts(self.root)

    def check(self, names: Sequence[str] | None = None) -> tuple[PackCheck, ...]:
        """Checks packs.

        Args:
            names: folder names; all where it is ``None``. One that is not there is left out.
        """
        source = self.root / self.folder
        there = pack_names(source)
        chosen = there if names is None else [name for name in there if name in names]
        started = time.monotonic()
        heads = {name: self._read(source / name, whole=name in chosen) for name in there}
        self._known.save()
        shared: dict[str, list[Problem]] = {}
        for name, problem in rules.check_pack_refs(heads):
            shared.setdefault(name, []).append(problem)
        everything = [facts for files in heads.values() for facts in files]
        runtimes = {word for f in everything if f.kind is Kind.RUNTIME for word in f.names}
        runtimes |= set(self.runner_types)
        found = []
        for name in chosen:
            problems = self._problems(source / name, heads[name], runtimes)
            took, started = time.monotonic() - started, time.monotonic()
            found.append(
                PackCheck(
                    name,
                    f"{self.folder}/{name}",
                    tuple(sorted({*problems, *shared.get(name, ())})),
                    len(heads[name]),
                    took,
                )
            )
        return tuple(found)

    def _read(self, pack: Path, *, whole: bool) -> list[Facts]:
        paths = yaml_files(pack) if whole else _heads(pack)
        return [self._known.facts(pack, path) for path in paths]

    def _problems(
        self, pack: Path, files: Sequence[Facts], runtimes: Collection[str]
    ) -> Iterator[Problem]:
        if pack.is_symlink():
            return  # the sync refuses it
        own = rules.pack_ref(files, pack.name)
        for facts in files:
            yield from facts.problems
        yield from rules.check_pack_file(files)
        yield from rules.check_refs(files, own)
        yield from rules.check_runners(files, runtimes)
        yield from rules.check_triggers(files, own)
        yield from rules.check_uses(files, own)
        for facts in files:
            folder = _FOLDER.get(facts.kind)
            if folder and not any(problem.is_error for problem in facts.problems):
                yield from check_entry_point(pack, facts, folder, self.binaries, self.fits)
                yield from check_workflow(pack, facts)


_FOLDER: Mapping[Kind, str] = {Kind.ACTION: "actions", Kind.SENSOR: "sensors"}


def yaml_files(pack: Path) -> list[str]:
    """The YAML files of a pack that describe something, relative to it and sorted."""
    found = _names(pack, "")
    for folder in KINDS:
        found += _names(pack, folder)
    for folder in sorted(OTHER_FOLDERS):
        for below, _, names in os.walk(pack / folder):
            place = Path(below).relative_to(pack).as_posix()
            found += [f"{place}/{name}" for name in names if not left_out(name, folder=False)]
    return sorted({path for path in found if kind_of(path) is not None})


def _heads(pack: Path) -> list[str]:
    """What other packs must know of a pack: its reference and its runtimes."""
    found = [*_names(pack, ""), *_names(pack, "runtimes")]
    return sorted(path for path in found if kind_of(path) is not None)


def _names(pack: Path, folder: str) -> list[str]:
    try:
        names = os.listdir(pack / folder)  # noqa: PTH208 - thousands of names, as texts
    except OSError:
        return []
    prefix = f"{folder}/" if folder else ""
    return [prefix + name for name in names if not left_out(name, folder=False)]
