"""How a service gets new code: build, then put it in place.

By image: one bake, and containers recreated where the image differs. Another way, such as a
swapped binary in a running container, is another implementation of :class:`Update`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.docker.port import BuildRequest
from attune_dev.docker.progress import LogLine, Step, StepState
from attune_dev.errors import ActionError
from attune_dev.running import skips
from attune_dev.running.outcome import TargetResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attune_dev.docker.port import DockerPort
    from attune_dev.docker.progress import BuildEvent
    from attune_dev.model.plan import Action
    from attune_dev.running.ports import Talk

MOST_OF_A_NAME = 100

MakeRequest = Callable[[tuple[str, ...]], BuildRequest]
Concerned = Callable[["BuildFailed", "Sequence[str]"], "frozenset[str]"]
Mend = Callable[["BuildFailed", "Talk"], bool]
T = TypeVar("T")


def _no_mend(_failure: BuildFailed, _talk: Talk) -> bool:
    return False


def _all(_failure: BuildFailed, services: Sequence[str]) -> frozenset[str]:
    return frozenset(services)


def mended(build: Callable[[], T], mend: Mend, talk: Talk) -> T:
    """What a build gives, tried once more where ``mend`` could do away with why it failed."""
    try:
        return build()
    except BuildFailed as failure:
        if not mend(failure, talk):
            raise
    return build()


class PartlyBuilt(ActionError):  # noqa: N818 - reads as what happened
    """Some services could not be built; the others were.

    Args:
        failure: what went wrong with those that were not.
        built: what became of the others.
    """

    def __init__(self, failure: BuildFailed, built: tuple[TargetResult, ...]) -> None:
        super().__init__(
            failure.what, why=failure.why, hint=failure.hint, file=failure.file, line=failure.line
        )
        self.failure = failure
        self.services = failure.services
        self.built = built

    @property
    def targets(self) -> tuple[TargetResult, ...]:
        """What became of all."""
        failed = tuple(TargetResult(name, "failed", changed=False) for name in self.services)
        return tuple(sorted((*self.built, *failed), key=lambda target: target.name))

    @classmethod
    def of(
        cls, failures: Sequence[PartlyBuilt | BuildFailed], built: tuple[TargetResult, ...]
    ) -> PartlyBuilt:
        """Several failures of one build; the first one is told."""
        first = failures[0].failure if isinstance(failures[0], PartlyBuilt) else failures[0]
        names = sorted({name for failure in failures for name in failure.services})
        return cls(first.only(names), built)


class Update(Protocol):
    """One way from sources to running code."""

    def via(self, action: Action) -> str:
        """How a build is done, as events tell it: ``image`` or ``swap``."""
        ...

    def build(self, action: Action, talk: Talk) -> tuple[TargetResult, ...]:
        """Makes new code for the targets of a build; what runs is not touched.

        Raises:
            PartlyBuilt: it failed for some of them.
            AttuneDevError: it failed or was cancelled, and everything is as it was.
        """
        ...

    def current(self, services: Sequence[str]) -> frozenset[str]:
        """Those of the services that run what was made for them last."""
        ...

    def apply(self, services: Sequence[str], anew: Sequence[str], talk: Talk) -> tuple[str, ...]:
        """Puts what was built in place.

        Args:
            services: what is to run it.
            anew: those of them that need a new container, whatever was built.
            talk: where to tell.

        Returns:
            The services that run something else than before, sorted.
        """
        ...


class ImageUpdate:
    """Through images and new containers."""

    def __init__(
        self,
        port: DockerPort,
        make_request: MakeRequest = BuildRequest,
        mend: Mend = _no_mend,
        concerned: Concerned = _all,
    ) -> None:
        """Keeps its tools.

        Args:
            port: the engine.
            make_request: tells binaries and arguments for the services of a build.
            mend: tells whether a build that failed is worth another try, and makes it so.
            concerned: tells which of some services a failure is about.
        """
        self._port = port
        self._make_request = make_request
        self._mend = mend
        self._concerned = concerned

    def via(self, action: Action) -> str:  # noqa: ARG002
        """See :class:`Update`."""
        return "image"

    def build(self, action: Action, talk: Talk) -> tuple[TargetResult, ...]:
        """See :class:`Update`."""
        return self.build_images(action.targets, talk)

    def build_images(self, services: Sequence[str], talk: Talk) -> tuple[TargetResult, ...]:
        """Builds the images of these services in one solve.

        What fails for some of them alone is left out of a second one, so that the others come up.

        Raises:
            PartlyBuilt: it failed for some.
            AttuneDevError: it failed or was cancelled, and everything is as it was.
        """
        try:
            return self._build(services, talk)
        except BuildFailed as failure:
            concerned = self._concerned(failure, services)
            spared = [name for name in services if name not in concerned]
            if not spared:
                raise
            talk.on_line(f"without {', '.join(sorted(concerned))}: it does not build")
            try:
                built = self._build(spared, talk)
            except BuildFailed:
                raise failure from None
            raise PartlyBuilt(failure.only(sorted(concerned)), built) from None

    def _build(self, services: Sequence[str], talk: Talk) -> tuple[TargetResult, ...]:
        request = self._make_request(tuple(services))
        result = mended(
            lambda: self._port.build(request, telling(talk), cancel=talk.cancel), self._mend, talk
        )
        if result.removed:
            was = (
                "image that an earlier build"
                if result.removed == 1
                else "images that earlier builds"
            )
            talk.on_line(f"removed {result.removed} {was} had superseded")
        return tuple(
            TargetResult(
                image.service,
                image.outcome.value,
                changed=image.changed,
                seconds=image.seconds,
                size=image.size,
            )
            for image in result.images
        )

    def current(self, services: Sequence[str]) -> frozenset[str]:
        """See :class:`Update`; what was exchanged in a container is not what its image holds."""
        containers, images = self._port.containers(), self._port.images(services)
        same = {name for name in services if skips.runs_image(name, containers, images)}
        return frozenset(same - self._port.swapped().keys() if same else same)

    def apply(
        self,
        services: Sequence[str],
        anew: Sequence[str],  # noqa: ARG002
        talk: Talk,
    ) -> tuple[str, ...]:
        """See :class:`Update`; nothing that was exchanged in a container outlives this."""
        swapped = [name for name in services if name in self._port.swapped()]
        changed = self._port.recreate(swapped, talk.on_line, force=True) if swapped else ()
        rest = [name for name in services if name not in swapped]
        return tuple(sorted({*changed, *(self._start(rest, talk) if rest else ())}))

    def _start(self, services: Sequence[str], talk: Talk) -> tuple[str, ...]:
        return self._port.recreate(services, talk.on_line)


class StartingUpdate(ImageUpdate):
    """Through images; containers are started with all that they need, in its order."""

    def _start(self, services: Sequence[str], talk: Talk) -> tuple[str, ...]:
        """What runs as it should is left alone."""
        return self._port.up(services, talk.on_line, cancel=talk.cancel)


def telling(talk: Talk) -> Callable[[BuildEvent], None]:
    """Tells build events both as data and as lines."""

    def on_event(event: BuildEvent) -> None:
        if line := build_line(event):
            talk.on_line(line)
        talk.on_build(event)

    return on_event


def build_line(event: BuildEvent) -> str:
    """A build event as a line of output, empty for what is not worth one."""
    match event:
        case LogLine(_, text):
            return text
        case Step(_, name, StepState.STARTED) if not event.internal:
            return f"=> {_short(name)}"
        case Step(_, name, StepState.CACHED) if not event.internal:
            return f"=> {_short(name)} (cached)"
        case _:
            return ""


def _short(name: str) -> str:
    """A step's name on one line: a long ``RUN`` is known by its beginning."""
    line = " ".join(name.split())
    return line if len(line) <= MOST_OF_A_NAME else f"{line[: MOST_OF_A_NAME - 1]}…"
