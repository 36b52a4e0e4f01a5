"""The watch loop's fast path: cargo in a builder container, programs into running containers.

A service whose programs cannot be exchanged with certainty gets its code through its image, as
does a build whose causes reach more than its programs.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from attune_dev.docker.builder import BuilderLacksError
from attune_dev.docker.cancel import Cancel
from attune_dev.docker.cargo_call import CompileRequest
from attune_dev.errors import ActionError, AttuneDevError
from attune_dev.model.swap import NotSwappable, SwapNote, Swappable
from attune_dev.running.outcome import TargetResult
from attune_dev.running.ports import Talk
from attune_dev.running.update import telling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from attune_dev.docker.builder_run import CompileResult, Program
    from attune_dev.docker.port import DockerPort, SwapPlace
    from attune_dev.model.plan import Action
    from attune_dev.model.swap import CompileStage
    from attune_dev.running.swap_ports import Compiler, SwapSources
    from attune_dev.running.update import ImageUpdate


WORTH_TELLING = 3.0
"""Seconds of work beside everything else that are worth a line."""


@dataclass(slots=True)
class _Made:
    """What was compiled for a service and has not been put in place."""

    place: SwapPlace
    programs: Mapping[str, Program]
    note: SwapNote

    @property
    def files(self) -> dict[str, str]:
        return {path: program.digest for path, program in self.programs.items()}

    @property
    def runs(self) -> bool:
        """Whether all containers run it."""
        return all(
            lodging.container.running and lodging.note and dict(lodging.note.files) == self.files
            for lodging in self.place.lodgings
        )


@dataclass(slots=True)
class _Group:
    """Services whose programs one call of cargo compiles."""

    stage: CompileStage
    services: dict[str, Swappable] = field(default_factory=dict)

    @property
    def programs(self) -> tuple[str, ...]:
        named = {p.binary for one in self.services.values() for p in one.placements}
        return tuple(sorted(named))


class SwapUpdate:
    """Through a builder container, and through images where that is not possible.

    Args:
        port: the engine.
        images: the way through images.
        compiler: the builder.
        sources: what the repository says.
        say: is told, once each, why something goes through images, and what is done beside.
    """

    def __init__(
        self,
        port: DockerPort,
        images: ImageUpdate,
        compiler: Compiler,
        sources: SwapSources,
        say: Callable[[str], None],
    ) -> None:
        self._port = port
        self._images = images
        self._compiler = compiler
        self._sources = sources
        self._say = say
        self._told: set[str] = set()
        self._lacking = ""
        self._made: dict[str, _Made] = {}
        self._digests: dict[str, Mapping[str, str]] = {}  # what services were given last
        self._imaged: set[str] = set()
        self._warm = Cancel()
        self._warming: threading.Thread | None = None
        self._warmed = False
        self._unfit: dict[str, str] = {}

    def use(self, port: DockerPort, images: ImageUpdate) -> None:
        """Goes on with an engine port for definitions that were read anew."""
        self._port, self._images = port, images

    @property
    def swapped(self) -> tuple[str, ...]:
        """The services that were given other programs than their image holds, sorted."""
        return tuple(sorted(self._digests))

    # --- Update

    def via(self, action: Action) -> str:
        """See :class:`Update`."""
        return "swap" if self._groups(action) else "image"

    def build(self, action: Action, talk: Talk) -> tuple[TargetResult, ...]:
        """See :class:`Update`."""
        self.cool()
        for service in action.targets:
            self._made.pop(service, None)
            self._imaged.discard(service)
        found: dict[str, TargetResult] = {}
        try:
            for group in self._groups(action):
                found |= self._compile(group, action.paths, talk)
        except BuilderLacksError as problem:
            self._lack(problem)
        rest = [service for service in action.targets if service not in found]
        if rest:
            if not set(rest) <= set(action.compiles):
                self._compiler.forget()  # the stage that compiles may be another one
            for result in self._images.build_images(rest, talk):
                found[result.name] = result
                self._imaged.add(result.name)
        return tuple(found[service] for service in action.targets if service in found)

    def current(self, services: Sequence[str]) -> frozenset[str]:
        """See :class:`Update`."""
        made = {name for name in services if name in self._made}
        same = {name for name in made if self._made[name].runs}
        others = [name for name in services if name not in made]
        return frozenset(same | (self._images.current(others) if others else frozenset()))

    def apply(self, services: Sequence[str], always: Sequence[str], talk: Talk) -> tuple[str, ...]:
        """See :class:`Update`; a new container gets the present code through its image."""
        changed: set[str] = set()
        todo = {name: self._made.pop(name) for name in services if name in self._made}
        talk.cancel.check()
        if todo:
            with ThreadPoolExecutor(max_workers=len(todo)) as pool:
                changed |= set(pool.map(self._swap, todo, todo.values()))
        anew = [name for name in services if name not in todo or name in always]
        for name in anew:
            if name not in self._imaged and self._port.keep_swapped(name):
                talk.on_line(f"{name}: its image holds what it runs")
            self._digests.pop(name, None)
            self._unfit.pop(name, None)  # a new container may be another one
            self._imaged.discard(name)
        if anew:
            changed |= set(self._images.apply(anew, always, talk))
        return tuple(sorted(changed))

    # --- beside

    def warm(self, services: Iterable[str]) -> None:
        """Compiles beside everything else, so that the first save finds a warm target folder.

        A build ends it, and what it has compiled by then stays; it goes on after the build.
        """
        if self._warmed or (self._warming is not None and self._warming.is_alive()):
            return
        self._warm = Cancel()
        groups = self._group(services, lambda _: None)
        self._warming = threading.Thread(
            target=self._warm_up, args=(groups, self._warm), name="warm up", daemon=True
        )
        self._warming.start()

    def cool(self) -> None:
        """Ends what is done beside; what it has compiled stays."""
        if self._warming is not None:
            self._warm.request()
            self._warming.join()

    def close(self) -> None:
        """Ends the builder."""
        self.cool()
        self._compiler.close()

    def _warm_up(self, groups: Sequence[_Group], cancel: Cancel) -> None:
        clock = time.monotonic()
        try:
            for group in groups:
                self._call(group, (), Talk(cancel=cancel), frozenset())
        except BuilderLacksError as problem:
            self._lack(problem)
        except (AttuneDevError, OSError):
            return  # cancelled, or told by the build that needs it
        self._warmed = True
        if groups and not self._lacking and (seconds := time.monotonic() - clock) > WORTH_TELLING:
            self._say(f"the builder is ready after {seconds:.0f} s: saves are compiled in it")

    def _lack(self, problem: BuilderLacksError) -> None:
        self._lacking = problem.what
        self._tell(f"code gets into containers through images: {'; '.join(problem.lines())}")

    # --- compiling

    def _groups(self, action: Action) -> list[_Group]:
        compiled = [name for name in action.targets if name in action.compiles]
        return self._group(compiled, self._tell)

    def _group(self, services: Iterable[str], tell: Callable[[str], None]) -> list[_Group]:
        groups: dict[str, _Group] = {}
        for name in services:
            if self._lacking:
                break
            how = self._sources.swappable(name)
            why = how.reason if isinstance(how, NotSwappable) else self._unfit.get(name, "")
            if isinstance(how, NotSwappable) or why:
                tell(f"{name} gets its code through its image: {why}")
                continue
            group = groups.setdefault(how.stage.key, _Group(how.stage))
            group.services[name] = how
        return list(groups.values())

    def _compile(self, group: _Group, paths: Iterable[str], talk: Talk) -> dict[str, TargetResult]:
        clock = time.monotonic()
        known = self._known(group)
        with ThreadPoolExecutor(max_workers=len(group.services)) as pool:
            looked = {
                name: pool.submit(self._port.swap_place, name, [p.path for p in how.placements])
                for name, how in group.services.items()
            }
            made = self._call(group, paths, talk, known)
            places = {name: future.result() for name, future in looked.items()}
        programs = {program.name: program for program in made.programs}
        note = SwapNote(time.time(), made.sources, profile=self._sources.profile(group.stage))
        found: dict[str, TargetResult] = {}
        for name, how in group.services.items():
            place = places[name]
            if place.why:
                self._unfit[name] = place.why
                self._tell(f"{name} gets its code through its image: {place.why}")
                continue
            given = {p.path: programs[p.binary] for p in how.placements if p.binary in programs}
            entry = _Made(place, given, note)
            if not entry.runs and any(p.content is None for p in given.values()):
                if known:
                    self._digests.clear()  # someone else has changed what runs
                    return self._compile(group, paths, talk)
                raise ActionError(f"cargo did not make the programs of {name}")
            entry.note = SwapNote(note.since, note.sources, entry.files, note.profile)
            self._made[name] = entry
            found[name] = TargetResult(
                name,
                "unchanged" if entry.runs else "compiled",
                changed=not entry.runs,
                seconds=time.monotonic() - clock,
            )
        return found

    def _call(
        self, group: _Group, paths: Iterable[str], talk: Talk, known: frozenset[str]
    ) -> CompileResult:
        stage, sources = group.stage, self._sources
        try:
            files = sources.read(stage)
        except OSError as problem:
            why = problem.strerror or str(problem)
            raise ActionError("a source cannot be read", why=why, file=problem.filename) from None
        request = CompileRequest(
            stage,
            files,
            group.programs,
            sources.packages(group.programs),
            sources.workspace_packages(),
            profile=sources.profile(stage),
            locked=sources.is_locked(paths),
            known=known,
            config=sources.config(),
        )
        made = self._compiler.compile(request, telling(talk), talk.cancel)
        if made.lock is not None and not request.locked:
            talk.on_line(sources.keep_lock(stage, made.lock) or "Cargo.lock fits")
        return made

    def _known(self, group: _Group) -> frozenset[str]:
        """Digests of the programs that all who use them run already."""
        users: dict[str, list[str]] = {}
        for name, how in group.services.items():
            given = self._digests.get(name, {})
            for placement in how.placements:
                users.setdefault(placement.binary, []).append(given.get(placement.path, ""))
        return frozenset(found[0] for found in users.values() if found[0] and len(set(found)) == 1)

    def _swap(self, name: str, made: _Made) -> str:
        contents = {path: p.content for path, p in made.programs.items() if p.content is not None}
        self._port.swap(made.place, contents, made.note)
        self._digests[name] = made.files
        return name

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._say(text)
