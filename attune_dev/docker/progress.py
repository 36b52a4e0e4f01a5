"""BuildKit's progress as data (pure): both forms in which buildx can write it.

``rawjson`` (buildx >= 0.13) is a sequence of JSON objects, BuildKit's ``client.SolveStatus``:
``vertexes``, ``statuses``, ``logs`` with base64 data, ``warnings``; one per line in later versions,
indented over many lines in 0.13. ``plain`` is text for people
whose lines start with the number of the step; it is what older versions write.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from attune_dev.docker.containers import epoch
from attune_dev.docker.text import sanitise

if TYPE_CHECKING:
    from collections.abc import Mapping


class StepState(StrEnum):
    """How far a build step is."""

    STARTED = "started"
    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a build changed its state.

    Attributes:
        id: names the step within one build.
        name: as BuildKit shows it: ``[api builder 3/7] RUN …``.
        state: its new state.
        seconds: how long it took, 0 while it runs and for cached steps.
        error: BuildKit's message, where it failed.
    """

    id: str
    name: str
    state: StepState
    seconds: float = 0.0
    error: str = ""

    @property
    def internal(self) -> bool:
        """Whether it is BuildKit's own work: loading files, finding base images, exporting."""
        head, _, what = self.name.partition("] ")
        own = what.startswith(("FROM ", "exporting "))
        return own or not head.startswith("[") or "internal" in head.removeprefix("[").split()


@dataclass(frozen=True, slots=True)
class LogLine:
    """A step wrote a line.

    Attributes:
        step: id of the step, empty for buildx itself.
        text: the line without control sequences.
    """

    step: str
    text: str


@dataclass(frozen=True, slots=True)
class Compiling:
    """Cargo started with a package.

    Attributes:
        package: its name.
        count: how many it has been in this build, this one included.
    """

    package: str
    count: int


@dataclass(frozen=True, slots=True)
class Units:
    """How far cargo is.

    Attributes:
        done: units that are compiled.
        total: all units of the call.
        active: what is being compiled, as cargo names it: ``attune-api(bin)``.
    """

    done: int
    total: int
    active: tuple[str, ...] = ()

    @property
    def linking(self) -> bool:
        """Whether programs alone are left: compiling their last part and linking them."""
        return bool(self.active) and all(name.endswith("(bin)") for name in self.active)


BuildEvent = Step | LogLine | Compiling | Units


def is_last_part(event: BuildEvent) -> bool:
    """Whether an event tells that nothing is left of a build but linking or exporting."""
    match event:
        case Units():
            return event.linking
        case Step(_, name, StepState.STARTED):
            return name.partition("] ")[2].startswith("exporting") or name.startswith("exporting")
        case _:
            return False


class ProgressParser(Protocol):
    """Lines in, events out."""

    def feed(self, line: str) -> list[BuildEvent]:
        """The events that a line of output tells, in order."""
        ...


_COMPILING = re.compile(r"^\s*Compiling (\S+) v\S+")


_UNITS = re.compile(r"^\s*Building \[[^\]]*\] (?P<done>\d+)/(?P<total>\d+)(?:: (?P<active>.*))?$")


class CargoParser:
    """Parser for what cargo itself says, its progress bar included."""

    def __init__(self) -> None:
        self._lines = _Lines()

    def feed(self, line: str) -> list[BuildEvent]:
        """The events of a line; a state of the progress bar is a line of its own."""
        found = _UNITS.match(sanitise(line))
        if found is None:
            return self._lines.events("cargo", line) if line.strip() else []
        active = tuple(filter(None, (found["active"] or "").strip().split(", ")))
        return [Units(int(found["done"]), int(found["total"]), active)]


class _Lines:
    """Log lines of all steps; counts the packages that cargo compiles."""

    def __init__(self) -> None:
        self._compiled = 0

    def events(self, step: str, text: str) -> list[BuildEvent]:
        text = sanitise(text)
        told: list[BuildEvent] = [LogLine(step, text)]
        if found := _COMPILING.match(text):
            self._compiled += 1
            told.append(Compiling(found[1], self._compiled))
        return told


class RawJsonParser:
    """Parser for ``--progress=rawjson``."""

    def __init__(self) -> None:
        self._states: dict[str, StepState] = {}
        self._unfinished: dict[tuple[str, int], str] = {}
        self._lines = _Lines()
        self._object: list[str] = []

    def feed(self, line: str) -> list[BuildEvent]:
        """The events of one line; a line that is no JSON object is buildx speaking plainly."""
        if line == "{" or self._object:
            self._object.append(line)
            if line != "}":
                return []
            line = "".join(self._object)
            self._object.clear()
        try:
            status = json.loads(line)
        except ValueError:
            status = None
        if not isinstance(status, dict):
            text = sanitise(line)
            return [LogLine("", text)] if text.strip() else []
        return self._status(status)

    def _status(self, status: Mapping[str, Any]) -> list[BuildEvent]:
        told: list[BuildEvent] = []
        vertexes = status.get("vertexes") or ()
        # what a step wrote comes before the news of its end, however BuildKit batches them
        for vertex in vertexes:
            if not vertex.get("completed"):
                told += self._vertex(vertex)
        for log in status.get("logs") or ():
            told += self._log(log)
        for vertex in vertexes:
            if vertex.get("completed"):
                told += self._vertex(vertex)
        return told

    def _vertex(self, vertex: Mapping[str, Any]) -> list[BuildEvent]:
        step, name = str(vertex.get("digest", "")), str(vertex.get("name", ""))
        state = _state(vertex)
        # all exports of one solve share a digest; other steps that images share are told once
        key = name if "] exporting" in name else step
        known = self._states.get(key)
        # a step that was run comes out of the cache for the next image that shares it
        again = known is StepState.DONE and state is not StepState.FAILED
        if state is None or known is state or again:
            return []
        self._states[key] = state
        told: list[BuildEvent] = []
        if state is not StepState.STARTED:
            for stream in (1, 2):
                if rest := self._unfinished.pop((step, stream), ""):
                    told += self._lines.events(step, rest)
        seconds = 0.0
        if state in (StepState.DONE, StepState.FAILED):
            seconds = max(0.0, epoch(vertex["completed"]) - epoch(vertex.get("started") or ""))
        error = sanitise(str(vertex.get("error") or ""))
        told.append(Step(step, sanitise(name), state, seconds, error))
        return told

    def _log(self, log: Mapping[str, Any]) -> list[BuildEvent]:
        step = str(log.get("vertex", ""))
        source = (step, int(log.get("stream") or 1))
        try:
            data = base64.b64decode(str(log.get("data", ""))).decode(errors="replace")
        except binascii.Error:
            return []
        *whole, rest = (self._unfinished.pop(source, "") + data).split("\n")
        if rest:
            self._unfinished[source] = rest
        return [event for text in whole for event in self._lines.events(step, text)]


def _state(vertex: Mapping[str, Any]) -> StepState | None:
    if vertex.get("error"):
        return StepState.FAILED
    if vertex.get("cached"):
        return StepState.CACHED
    if vertex.get("completed"):
        return StepState.DONE
    return StepState.STARTED if vertex.get("started") else None


_PLAIN = re.compile(r"^#(?P<step>\d+) (?P<rest>.*)$")
_DONE = re.compile(r"^DONE (?P<seconds>[\d.]+)s$")
_TIMED = re.compile(r"^[\d.]+ (?P<text>.*)$")


class PlainParser:
    """Parser for ``--progress=plain``."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._lines = _Lines()

    def feed(self, line: str) -> list[BuildEvent]:
        """The events of one line."""
        line = sanitise(line)
        found = _PLAIN.match(line)
        if not found:
            return [LogLine("", line)] if line.strip() else []
        step, rest = found["step"], found["rest"]
        if step not in self._names:
            self._names[step] = rest
            return [Step(step, rest, StepState.STARTED)]
        name = self._names[step]
        if rest == "CACHED":
            return [Step(step, name, StepState.CACHED)]
        if done := _DONE.match(rest):
            return [Step(step, name, StepState.DONE, float(done["seconds"]))]
        if rest.startswith("ERROR: "):
            return [Step(step, name, StepState.FAILED, error=rest.removeprefix("ERROR: "))]
        if timed := _TIMED.match(rest):
            return self._lines.events(step, timed["text"])
        return []
