"""How the watch loop compiles a service without building its image, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Feed:
    """Sources that the compile reads, and where they stand in the builder.

    Attributes:
        context: repository-relative folder of the build context.
        pattern: relative to it, Docker's ``COPY`` glob syntax; ``""`` is all of it.
        destination: absolute path in the builder.
        inside: whether a file is put into the folder ``destination``, and is not that path itself.
        exclude: patterns of ``--exclude``.
    """

    context: str
    pattern: str
    destination: str
    inside: bool = False
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompileStage:
    """The stage of a Dockerfile that compiles, without its sources and without the compile.

    Attributes:
        dockerfile: repository-relative path of the file it was taken from.
        text: a Dockerfile for the tools alone: toolchain, packages, environment.
        target: the stage in it.
        context: repository-relative folder of the build context.
        additional_contexts: as the service's build section has them.
        args: build arguments that ``text`` may use.
        directory: absolute folder in which cargo is called.
        feeds: what the stage takes of the context for the compile, in order.
        ignore: lines of the ``.dockerignore`` in force.
        environment: variables that the call of cargo is given, as ``name=value``.
        options: options of the call that decide what comes out.
        profile: the profile that the Dockerfile compiles with.
        by_package: whether it selects packages, so that features are settled for them alone.
    """

    dockerfile: str
    text: str
    target: str
    context: str
    additional_contexts: Mapping[str, str] = field(default_factory=dict)
    args: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    directory: str = "/"
    feeds: tuple[Feed, ...] = ()
    ignore: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    profile: str = "release"
    by_package: bool = False

    @property
    def key(self) -> str:
        """What tells one builder from another: twelve hexadecimal digits.

        Services whose Dockerfiles have the same stage share a builder.
        """
        parts = (
            *(self.text, self.target, self.context, sorted(self.additional_contexts.items())),
            *(sorted(self.args.items()), self.directory, self.feeds, self.ignore),
            *(self.environment, self.options, self.by_package),
        )
        return hashlib.sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()[:12]

    @property
    def volume_key(self) -> str:
        """What tells one volume of sources and compiled code from another.

        Another toolchain or environment goes on with what is there: cargo sees the difference.
        """
        parts = (self.context, self.directory, self.feeds)
        return hashlib.sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Placement:
    """A program of a service's image.

    Attributes:
        binary: Cargo's name for it.
        path: absolute path in the image.
    """

    binary: str
    path: str


@dataclass(frozen=True, slots=True)
class Swappable:
    """A service whose programs can be exchanged in its running container.

    Attributes:
        stage: compiles them.
        placements: sorted; all Cargo binaries that its image ships.
    """

    stage: CompileStage
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class NotSwappable:
    """A service that gets its code through images, and the one-line reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class SwapNote:
    """What a container tells of the programs that were exchanged in it.

    Attributes:
        since: seconds since the epoch.
        sources: digest of all sources that they were compiled from.
        files: path in the container to SHA-256 of the program there.
        profile: Cargo profile.
    """

    since: float
    sources: str
    files: Mapping[str, str] = field(default_factory=dict)
    profile: str = "dev"
