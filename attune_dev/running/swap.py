"""How services get new code by the fast path: into the containers that run.

A service whose programs cannot be exchanged with certainty gets its code through its image, as
does a build whose causes reach more than its programs.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from attune_dev.docker.builder_image import BuilderLacksError
from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.errors import ActionError
from attune_dev.model.plan import ActionKind
from attune_dev.model.swap import NotSwappable, SwapNote
from attune_dev.running.one_call import Wanted
from attune_dev.running.outcome import TargetResult
from attune_dev.running.swap_parts import Group, Made
from attune_dev.running.update import PartlyBuilt, telling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from attune_dev.docker.port import DockerPort, SwapPlace
    from attune_dev.model.plan import Action, Plan
    from attune_dev.running.one_call import OneCall
    from attune_dev.running.ports import Talk
    from attune_dev.running.swap_ports import Compiler, SwapSources
    from attune_dev.running.update import ImageUpdate
    from attune_dev.running.warm import WarmUp


class SwapUpdate:
    """Through a builder container, and through images where that is not possible.

    Args:
        port: the engine.
        images: the way through images.
        compiler: the builder.
        sources: what the repository says.
        call: compiles; is told why something goes through images.
        warm: is ended by any build.
    """

    def __init__(
        self,
        port: DockerPort,
        images: ImageUpdate,
        compiler: Compiler,
        sources: SwapSources,
        call: OneCall,
        warm: WarmUp,
    ) -> None:
        self._port = port
        self._images = images
        self._compiler = compiler
        self._sources = sources
        self._call = call
        self._warm = warm
        self._made: dict[str, Made] = {}
        self._digests: dict[str, Mapping[str, str]] = {}  # what services were given last
        self._imaged: set[str] = set()
        self._unfit: dict[str, str] = {}
        self._starved: dict[str, str] = {}
        self._looks: dict[str, Future[Mapping[str, SwapPlace]]] = {}

    def use(self, port: DockerPort, images: ImageUpdate) -> None:
        """Goes on with an engine port for definitions that were read anew."""
        self._port, self._images = port, images

    def wanted(self, plan: Plan) -> list[Wanted]:
        """What the builds of a plan will ask for; their containers are looked at meanwhile."""
        found = []
        for action in plan.of(ActionKind.BUILD):
            for group in self._groups(action):
                found.append(self._wanted(group, action.paths))
                self._look(group)
        return found

    def all(self, services: Iterable[str]) -> list[Wanted]:
        """Everything that these services run and that can be compiled in a builder."""
        groups = self._group(services, lambda _: None)
        return [Wanted(group.stage, group.programs) for group in groups]

    def forget_looks(self) -> None:
        """How containers were found is old by now."""
        self._looks.clear()

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
        self._warm.end()
        for service in action.targets:
            self._made.pop(service, None)
            self._imaged.discard(service)
        found: dict[str, TargetResult] = {}
        failures: list[PartlyBuilt | BuildFailed] = []
        try:
            for group in self._groups(action):
                found |= self._compile_spared(group, action.paths, talk, failures)
        except BuilderLacksError as problem:
            self._call.lack(problem)
        failed = {name for failure in failures for name in failure.services}
        rest = [name for name in action.targets if name not in found and name not in failed]
        if rest:
            if not set(rest) <= set(action.compiles):
                self._compiler.forget()  # the stage that compiles may be another one
            try:
                results = self._images.build_images(rest, talk)
            except PartlyBuilt as failure:
                results = failure.built
                failures.append(failure)
                self._feed_again(failure.services)
            except BuildFailed:
                self._feed_again(rest)
                raise
            for result in results:
                found[result.name] = result
                self._imaged.add(result.name)
        made = tuple(found[service] for service in action.targets if service in found)
        if failures:
            raise PartlyBuilt.of(failures, made) if made else failures[0]
        return made

    def current(self, services: Sequence[str]) -> frozenset[str]:
        """See :class:`Update`."""
        made = {name for name in services if name in self._made}
        same = {name for name in made if self._made[name].runs}
        others = [name for name in services if name not in made]
        return frozenset(same | (self._images.current(others) if others else frozenset()))

    def apply(self, services: Sequence[str], anew: Sequence[str], talk: Talk) -> tuple[str, ...]:
        """See :class:`Update`; a new container gets the present code through its image."""
        changed: set[str] = set()
        made = {name: self._made.pop(name) for name in services if name in self._made}
        talk.cancel.check()
        if todo := {name: each for name, each in made.items() if not each.runs}:
            with ThreadPoolExecutor(max_workers=len(todo)) as pool:
                changed |= set(pool.map(self._swap, todo, todo.values()))
        made_anew = [name for name in services if name not in made or name in anew]
        for name in made_anew:
            if name not in self._imaged and self._port.keep_swapped(name):
                talk.on_line(f"{name}: its image holds what it runs")
            self._digests.pop(name, None)
            self._unfit.pop(name, None)  # a new container may be another one
            self._imaged.discard(name)
        if made_anew:
            changed |= set(self._images.apply(made_anew, anew, talk))
        return tuple(sorted(changed))

    # --- compiling

    def _groups(self, action: Action) -> list[Group]:
        compiled = [name for name in action.targets if name in action.compiles]
        return self._group(compiled, self._call.tell)

    def _group(self, services: Iterable[str], tell: Callable[[str], None]) -> list[Group]:
        groups: dict[str, Group] = {}
        for name in services:
            if self._call.lacking:
                break
            how = self._sources.swappable(name)
            why = self._unfit.get(name) or self._starved.get(name, "")
            why = how.reason if isinstance(how, NotSwappable) else why
            if isinstance(how, NotSwappable) or why:
                tell(f"{name} gets its code through its image: {why}")
                continue
            group = groups.setdefault(how.stage.key, Group(how.stage))
            group.services[name] = how
        return list(groups.values())

    def _feed_again(self, services: Iterable[str]) -> None:
        """Their images do not build either: what the builder lacks is not why."""
        for name in services:
            self._starved.pop(name, None)

    def _compile_spared(
        self,
        group: Group,
        paths: Iterable[str],
        talk: Talk,
        failures: list[PartlyBuilt | BuildFailed],
    ) -> dict[str, TargetResult]:
        """Compiles; what cannot be compiled keeps nobody else from new code."""
        try:
            return self._compile(group, paths, talk)
        except BuildFailed as failure:
            concerned = self._sources.concerned(failure.packages, group.programs)
            rest = group.without(concerned)
            names = sorted(group.services.keys() - rest.services.keys())
            if why := self._call.starved(group.stage, failure):
                self._starved |= dict.fromkeys(names, why)
                self._group(names, self._call.tell)
            else:
                failures.append(failure.only(names))
            return self._compile(rest, paths, talk) if rest.services else {}

    def _compile(
        self, group: Group, paths: Iterable[str], talk: Talk, *, anew: bool = False
    ) -> dict[str, TargetResult]:
        clock = time.monotonic()
        self._look(group)
        wanted = self._wanted(group, paths)
        told = replace(talk, on_build=telling(talk))
        made = self._call.alone(wanted, told) if anew else self._call.compile(wanted, told)
        places = {name: self._looks.pop(name).result()[name] for name in group.services}
        programs = {program.name: program for program in made.programs}
        note = SwapNote(time.time(), made.sources, profile=self._sources.profile(group.stage))
        found: dict[str, TargetResult] = {}
        for name, how in group.services.items():
            place = places[name]
            if place.why:
                self._unfit[name] = place.why
                self._call.tell(f"{name} gets its code through its image: {place.why}")
                continue
            given = {p.path: programs[p.binary] for p in how.placements if p.binary in programs}
            entry = Made(place, given, note)
            if not entry.runs and any(p.content is None for p in given.values()):
                if not anew:
                    self._digests.clear()  # someone else has changed what runs
                    return self._compile(group, paths, talk, anew=True)
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

    def _wanted(self, group: Group, paths: Iterable[str]) -> Wanted:
        return Wanted(group.stage, group.programs, self._known(group), frozenset(paths))

    def _look(self, group: Group) -> None:
        """Looks at the containers beside the compile."""
        todo = {
            name: [placement.path for placement in how.placements]
            for name, how in group.services.items()
            if name not in self._looks
        }
        if todo:
            pool = ThreadPoolExecutor(max_workers=1)
            self._looks |= dict.fromkeys(todo, pool.submit(self._port.swap_places, todo))
            pool.shutdown(wait=False)

    def _known(self, group: Group) -> frozenset[str]:
        """Digests of the programs that all who use them run already."""
        users: dict[str, list[str]] = {}
        for name, how in group.services.items():
            given = self._digests.get(name, {})
            for placement in how.placements:
                users.setdefault(placement.binary, []).append(given.get(placement.path, ""))
        return frozenset(found[0] for found in users.values() if found[0] and len(set(found)) == 1)

    def _swap(self, name: str, made: Made) -> str:
        contents = {path: p.content for path, p in made.programs.items() if p.content is not None}
        self._port.swap(made.place, contents, made.note)
        self._digests[name] = made.files
        return name
