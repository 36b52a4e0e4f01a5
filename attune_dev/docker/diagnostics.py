"""Why a build failed, in the words of what failed (pure)."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.docker.progress import BuildEvent, Compiling, LogLine, Step, StepState
from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_BLOCKS = 3
MAX_LINES = 60
KEPT_LINES = 2000
TOLD_LINES = 15

_ERROR = re.compile(r"^error(\[[A-Z]\d+\])?: ")
_SUMMARY = re.compile(r"^error: (could not compile|aborting due to|build failed)")
_FAILED = re.compile(
    r"^error: (?:could not compile|failed to run custom build command for) `([^` ]+)"
)
_PLACE = re.compile(r"^\s*--> (?P<file>[^:\s][^:]*):(?P<line>\d+)(:\d+)?$")


class BuildFailed(ActionError):  # noqa: N818 - reads as what happened
    """A build failed; images and containers are as they were.

    Attributes:
        services: whose images were to be built.
        step: the step that failed, as BuildKit names it.
        packages: the Cargo packages that did not compile, where that is why.
    """

    def __init__(
        self,
        services: Sequence[str],
        *,
        why: str,
        hint: str = "",
        step: str = "",
        file: str | None = None,
        line: int | None = None,
        packages: Iterable[str] = (),
    ) -> None:
        super().__init__(
            f"the build of {', '.join(services)} failed", why=why, hint=hint, file=file, line=line
        )
        self.services = tuple(services)
        self.step = step
        self.packages = frozenset(packages)

    def only(self, services: Sequence[str], *, briefly: bool = False) -> BuildFailed:
        """The same failure, where it is one for some of the services alone.

        Args:
            services: which.
            briefly: whether all of it was told already, for what one call made with them.
        """
        first = next(iter(self.why.splitlines()), "")
        return BuildFailed(
            services,
            why=f"{first}\nin the same call of cargo as told before" if briefly else self.why,
            hint=self.hint,
            step=self.step,
            file=self.file,
            line=self.line,
            packages=self.packages,
        )


@dataclass(frozen=True, slots=True)
class CompilerError:
    """What rustc or cargo complained about.

    Attributes:
        text: the first blocks, as printed.
        file: where the first one is, relative to the folder that cargo was run in.
        line: one-based.
    """

    text: str
    file: str | None = None
    line: int | None = None


def failed_packages(lines: Iterable[str]) -> frozenset[str]:
    """The packages that cargo says have failed."""
    return frozenset(found[1] for line in lines if (found := _FAILED.match(line)))


def compiler_error(lines: Iterable[str]) -> CompilerError | None:
    """The first ``error…`` blocks of rustc's or cargo's output, ``None`` where there are none.

    A block ends at an empty line, or goes on with cargo's ``Caused by:``. Cargo's closing words
    ("could not compile …") are no block.
    """
    blocks: list[list[str]] = []
    inside = False
    for line in lines:
        if _SUMMARY.match(line):
            inside = False
        elif _ERROR.match(line):
            inside = True
            blocks.append([line])
        elif inside or (blocks and line.startswith("Caused by:")):
            inside = bool(line.strip())
            if inside:
                blocks[-1].append(line)
    if not blocks:
        return None
    places = (_PLACE.match(line) for block in blocks for line in block)
    place = next((found for found in places if found), None)
    told: list[str] = []
    for block in blocks[:MAX_BLOCKS]:
        told += ["", *block] if told else block
    if len(blocks) > MAX_BLOCKS:
        told += ["", f"… and {len(blocks) - MAX_BLOCKS} more"]
    text = "\n".join(told[:MAX_LINES])
    if place is None:
        return CompilerError(text)
    return CompilerError(text, place["file"], int(place["line"]))


_HINTS = (
    (r"no space left on device", "see what takes the space: docker system df"),
    (r"rawjson", "get a buildx that speaks rawjson: ./inv setup"),
    (
        r"pull access denied|failed to resolve source metadata|manifest unknown|no such image",
        "get the base images: ./inv setup",
    ),
    (
        r"(no such host|dns error|could not resolve host|connection timed out|network is un)",
        "check the network of builds, then try again",
    ),
    (r"unknown flag: --mount|the --mount option requires buildkit", "get buildx: ./inv setup"),
)


class BuildRecord:
    """Folds a build's events into figures, and into the error if it fails."""

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}
        self.compiled = 0
        self._logs: dict[str, deque[str]] = {}

    def add(self, event: BuildEvent) -> None:
        """Takes one more event into account."""
        match event:
            case Step():
                self.steps[event.id] = event
            case LogLine(step, text):
                self._logs.setdefault(step, deque(maxlen=KEPT_LINES)).append(text)
            case Compiling():
                self.compiled = event.count

    @property
    def counted(self) -> tuple[Step, ...]:
        """The steps that the Dockerfiles ask for."""
        return tuple(step for step in self.steps.values() if not step.internal)

    @property
    def cached(self) -> int:
        """How many of the counted steps came from the cache."""
        return sum(step.state is StepState.CACHED for step in self.counted)

    @property
    def all_cached(self) -> bool:
        """Whether nothing had to be run."""
        return self.cached == len(self.counted)

    def error_of_cargo(self, programs: Sequence[str]) -> BuildFailed:
        """What to tell of a call of cargo that failed.

        Args:
            programs: what was to be compiled.
        """
        lines = list(self._logs.get("cargo", ()))
        if found := compiler_error(lines):
            return _of_compiler(programs, found, packages=failed_packages(lines))
        why = "\n".join([text for text in lines if text.strip()][-TOLD_LINES:])
        return BuildFailed(programs, why=why, hint=_hint(why), packages=failed_packages(lines))

    def error(self, services: Sequence[str]) -> BuildFailed:
        """What to tell of a build that failed: the compiler's own words where it spoke."""
        failed = [step for step in self.steps.values() if step.state is StepState.FAILED]
        # BuildKit ends the other running steps as "canceled": they are not the cause
        step = next((s for s in failed if "context canceled" not in s.error), None)
        lines = list(self._logs.get(step.id, ())) if step else []
        name = step.name if step else ""
        if found := compiler_error(lines):
            return _of_compiler(services, found, name, failed_packages(lines))
        said = [text for text in self._logs.get("", ()) if text.strip()]
        told = [text for text in lines if text.strip()][-TOLD_LINES:]
        told += [step.error] if step else said[-TOLD_LINES:]
        why = "\n".join(([name] if name else []) + told)
        return BuildFailed(services, why=why, hint=_hint(why), step=name)


def _of_compiler(
    what: Sequence[str], found: CompilerError, step: str = "", packages: Iterable[str] = ()
) -> BuildFailed:
    place = f" {found.file}:{found.line}" if found.file else ""
    return BuildFailed(
        what,
        why=found.text,
        hint=f"correct{place} and save; what ran before still runs",
        step=step,
        file=found.file,
        line=found.line,
        packages=packages,
    )


def _hint(why: str) -> str:
    for pattern, hint in _HINTS:
        if re.search(pattern, why, re.IGNORECASE | re.MULTILINE):
            return hint
    return "read the step's last lines above, then build again"
