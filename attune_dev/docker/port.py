"""The narrow door to Docker: what the rest of the program may ask of an engine.

One implementation talks to a real engine (``whales``), one only raises why there is none
(``unavailable``), and one is a stand-in for tests (``attune_dev.testing``). Services are always
named: an empty tuple is refused, because to Compose it would mean all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from attune_dev.docker.progress import BuildEvent

if TYPE_CHECKING:
    from attune_dev.docker.cancel import Cancel
    from attune_dev.docker.containers import ContainerState, ImageState
    from attune_dev.model.compose import ComposeProject
    from attune_dev.model.swap import SwapNote

OnLine = Callable[[str], None]
OnBuildEvent = Callable[[BuildEvent], None]


class ImageOutcome(StrEnum):
    """What a build made of one image.

    ``COMPILED``: its id is new and steps were run for it. ``CACHED``: its id is new, but all of it
    came out of the cache (an older state is back). ``UNCHANGED``: the id is the one it had.
    """

    COMPILED = "compiled"
    CACHED = "cached"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build of one or more services' images.

    Attributes:
        services: whose images, at least one.
        binaries: all Cargo binaries to compile in one call; empty leaves it to the Dockerfiles.
        args: further build arguments, for every image.
        no_cache: whether no cached layer is used.
    """

    services: tuple[str, ...]
    binaries: tuple[str, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)
    no_cache: bool = False


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What a build did to the image of one service.

    Attributes:
        service: whose image.
        outcome: compiled, cached or unchanged.
        before: image id before, empty where there was none.
        after: image id now.
        seconds: from the start of the build until this image was there.
        size: bytes.
    """

    service: str
    outcome: ImageOutcome
    before: str
    after: str
    seconds: float
    size: int = 0

    @property
    def changed(self) -> bool:
        """Whether the image is another one than before."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did.

    Attributes:
        images: per service, sorted.
        seconds: of the whole build.
        steps: build steps that count (no loading of files and definitions).
        cached: those of them that came from the cache.
        compiled: Cargo packages that were compiled.
        removed: images that earlier builds had superseded and that are gone now.
    """

    images: tuple[ImageResult, ...]
    seconds: float
    steps: int = 0
    cached: int = 0
    compiled: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Whose a file of a container is, and its permission bits."""

    uid: int
    gid: int
    mode: int


@dataclass(frozen=True, slots=True)
class Lodging:
    """A container in which programs can be exchanged.

    Attributes:
        container: which.
        files: its present programs by path.
        note: what was exchanged in it before, ``None`` where it runs what its image holds.
    """

    container: ContainerState
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    note: SwapNote | None = None


@dataclass(frozen=True, slots=True)
class SwapPlace:
    """The containers of a service as places for other programs.

    Attributes:
        service: whose.
        lodgings: one per container, none where it cannot be done.
        why: why it cannot be done, empty where it can.
    """

    service: str
    lodgings: tuple[Lodging, ...] = ()
    why: str = ""


class DockerPort(Protocol):
    """What can be asked of Docker for one Compose project.

    Every method raises :class:`attune_dev.errors.EnvironmentLacksError` where the engine or a
    plugin is missing, and :class:`attune_dev.errors.ActionError` where the engine refused.
    ``on_line`` receives lines of output, free of control sequences, maybe from another thread.
    Where a ``cancel`` is taken, its request ends the call with
    :class:`attune_dev.errors.Interrupted`; replacing a container is never left half done.
    """

    @property
    def project(self) -> ComposeProject:
        """The project that all calls are about."""
        ...

    def build(
        self,
        request: BuildRequest,
        on_event: OnBuildEvent = ...,
        *,
        cancel: Cancel | None = None,
    ) -> BuildResult:
        """Builds images in one solve; containers stay as they are.

        A build that fails or is cancelled leaves every image as it was.

        Raises:
            BuildFailed: with the compiler's own message.
            UsageError: a service does not exist.
            ConfigError: a service has no build section.
        """
        ...

    def up(
        self,
        services: Sequence[str],
        on_line: OnLine = ...,
        *,
        timeout: float = ...,
        cancel: Cancel | None = None,
    ) -> tuple[str, ...]:
        """Starts services and what they depend on, in order, waiting as ``depends_on`` says.

        A one-shot whose last run ended well on the present image and definition is not run again;
        a service that runs as it should is left alone. The last ones are not waited for.

        Returns:
            The services that were started, sorted.
        """
        ...

    def recreate(
        self,
        services: Sequence[str],
        on_line: OnLine = ...,
        *,
        force: bool = False,
        timeout: float = ...,
    ) -> tuple[str, ...]:
        """Replaces the containers whose image or definition is not the present one.

        Of these services, one that waits for another's health comes after it, within ``timeout``
        seconds.

        Returns:
            The services that have a new or newly started container, sorted.
        """
        ...

    def restart(self, services: Sequence[str], on_line: OnLine = ...) -> frozenset[str]:
        """Restarts the containers of exactly these services.

        All at once, but for those that depend on others of them: these come after, and where they
        wait for health or completion, after that.

        Returns:
            Those that have passed their health check since, and need not be waited for.
        """
        ...

    def rerun(
        self,
        service: str,
        on_line: OnLine = ...,
        *,
        timeout: float = ...,
        cancel: Cancel | None = None,
    ) -> None:
        """Runs a one-shot again, on the present image, and waits for its end.

        Raises:
            ActionError: it ended with another status than 0; tells its last lines.
        """
        ...

    def stop(self, services: Sequence[str], on_line: OnLine = ...) -> None:
        """Stops the containers of exactly these services."""
        ...

    def down(self, on_line: OnLine = ..., *, volumes: bool = False) -> None:
        """Removes the project's containers and networks, with ``volumes`` its volumes too."""
        ...

    def swapped(self) -> Mapping[str, SwapNote]:
        """The services that run other programs than their image holds, by service."""
        ...

    def swap_places(self, paths: Mapping[str, Sequence[str]]) -> Mapping[str, SwapPlace]:
        """Looks whether programs of services' containers can be exchanged.

        Args:
            paths: by service, absolute, of its programs.
        """
        ...

    def swap(self, place: SwapPlace, programs: Mapping[str, bytes], note: SwapNote) -> None:
        """Puts other programs into a service's containers and restarts them.

        The old ones stay beside them for :meth:`swap_back`. A container is started again even
        where nothing could be copied into it.

        Args:
            place: as it was found.
            programs: path to content.
            note: what the containers tell of it from now on.
        """
        ...

    def swap_back(self, service: str) -> SwapNote | None:
        """Exchanges the programs with those that were there before, and restarts.

        Returns:
            What runs now, with no time and no profile where it is what the image holds; ``None``
            where nothing was exchanged.
        """
        ...

    def keep_swapped(self, service: str) -> bool:
        """Makes an image of a service's present one and the programs that its container runs.

        A new container then runs the same code. Whether there was anything to keep.
        """
        ...

    def previous_image(self, service: str) -> bool:
        """Makes the image before a service's present one; containers stay.

        Returns:
            Whether one is known.
        """
        ...

    def containers(self) -> tuple[ContainerState, ...]:
        """The project's containers, running or not, sorted by service.

        One whose check has passed here since its start is healthy, whatever the engine thinks.
        """
        ...

    def tried(self) -> tuple[ContainerState, ...]:
        """The same; the check of one that the engine has not tried yet is tried now, once."""
        ...

    def current(self, services: Sequence[str]) -> frozenset[str]:
        """Services whose container runs, or ended well, on the present image and definition."""
        ...

    def images(self, services: Sequence[str]) -> Mapping[str, ImageState]:
        """The present image of each service that has one, by service."""
        ...

    def logs(self, service: str, lines: int = 20) -> tuple[str, ...]:
        """The last lines of a service's log, oldest first."""
        ...

    def wait_healthy(
        self, services: Sequence[str], timeout: float, *, cancel: Cancel | None = None
    ) -> None:
        """Waits until each service answers its health check, or runs where it has none.

        Raises:
            ActionError: one ended or did not become healthy within ``timeout`` seconds; tells
                the check's output and its last log lines.
        """
        ...
