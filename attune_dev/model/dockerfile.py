"""A Dockerfile as its instructions say it, before any argument is substituted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunMount:
    """One ``--mount`` of a ``RUN``.

    Attributes:
        kind: ``bind``, ``cache``, ``secret``, ``ssh`` or ``tmpfs``.
        source: for binds: path in the context or in the stage ``from_``.
        target: path in the stage.
        from_: stage, image or named context; empty means the build context.
        cache_id: for caches: the ``id`` as written (the target path where none is given).
        sharing: for caches: ``shared``, ``private`` or ``locked``.
    """

    kind: str
    source: str = ""
    target: str = ""
    from_: str = ""
    cache_id: str = ""
    sharing: str = "shared"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: upper case: ``FROM``, ``COPY``, ``RUN`` …
        value: the text after keyword and flags, continuation lines joined.
        words: ``COPY``/``ADD``: sources then destination, without here-documents; ``ARG``/``ENV``:
            ``name=value`` with the quotes as written, a bare ``name`` where no value is given;
            ``RUN``/``CMD``/``ENTRYPOINT``: the exec form's words, empty for the shell form.
        flags: ``--from=…`` as ``{"from": …}``; flags without value map to an empty string, the
            values of a repeated one stand in lines of their own.
        mounts: of a ``RUN``.
        heredocs: bodies of here-documents.
        trigger: the instruction behind ``ONBUILD``.
        line: one-based line where it starts.
    """

    keyword: str
    value: str
    words: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[RunMount, ...] = ()
    heredocs: tuple[str, ...] = ()
    trigger: Instruction | None = None
    line: int = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """One ``FROM`` and what follows it.

    Attributes:
        index: position, from zero.
        name: after ``AS``, lower case; empty where there is none.
        base: the image or stage as written, with its ``${…}``.
        instructions: without the ``FROM`` itself.
        line: line of the ``FROM``.
    """

    index: int
    name: str
    base: str
    instructions: tuple[Instruction, ...] = ()
    line: int = 1


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A parsed Dockerfile.

    Attributes:
        path: relative to the repository root.
        global_args: ``ARG`` before the first ``FROM``: name to default, ``None`` without one.
        stages: in order.
        escape: the escape character, a backslash unless a directive says otherwise.
    """

    path: str
    global_args: Mapping[str, str | None]
    stages: tuple[Stage, ...]
    escape: str = "\\"


@dataclass(frozen=True, slots=True)
class CargoBuild:
    """One ``cargo build`` (or ``install``, ``rustc``) that a stage in use runs.

    Attributes:
        directory: working folder in the stage, absolute.
        binaries: names or glob patterns after ``--bin``; a part that only the build knows is ``*``.
        packages: names or glob patterns after ``-p``/``--package``.
        workspace: whether ``--workspace``/``--all`` or no selection at all is given.
        profile: ``release``, ``dev`` or the name after ``--profile``.
        manifest: value of ``--manifest-path``, empty where not given.
        line: line of the ``RUN``.
        note: why the selection is not known, empty where it is.
        options: further words that decide what comes out: features, target, configuration.
        environment: variables that the call is given beside the stage's, as ``name=value``.
    """

    directory: str = "/"
    binaries: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    workspace: bool = False
    profile: str = "dev"
    manifest: str = ""
    line: int = 1
    note: str = ""
    options: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcePattern:
    """A path of a build context that a stage in use reads.

    Attributes:
        pattern: relative to the context, Docker's ``COPY`` glob syntax; ``""`` is all of it.
        context: repository-relative folder of the context it is taken from.
        destination: absolute path in the stage, empty where unknown.
        how: ``COPY``, ``ADD``, ``bind`` or ``FROM`` (a folder that stands for an image).
        line: line of the instruction.
        exclude: patterns of ``--exclude``.
        final: whether the final stage reads it, so that the image holds it.
    """

    pattern: str
    context: str
    destination: str = ""
    how: str = "COPY"
    line: int = 1
    exclude: tuple[str, ...] = ()
    final: bool = False


@dataclass(frozen=True, slots=True)
class ImageInputs:
    """What building one service's image reads: a Dockerfile resolved for target and arguments.

    Attributes:
        service: whose image.
        dockerfile: repository-relative path.
        context: repository-relative folder.
        stages: names (or indexes as text) of the stages in use, in file order.
        sources: context paths that these stages read, before ``.dockerignore``.
        base_images: images that are not stages, after substitution, sorted.
        cargo_builds: the cargo calls of the stages in use.
        shipped: file names that the final stage takes out of other stages (``COPY --from``), after
            substitution and traced back to the name they were compiled under: the binaries that
            the image ships are among them. A name that is only partly known is a glob pattern;
            ``*`` stands for whatever was compiled.
        cache_ids: ids of cache mounts in use, sorted.
        args: name to value of all arguments that were substituted.
        ignore_file: the ``.dockerignore`` in force, repository-relative, empty where none exists.
        scripts: files of the context that a ``RUN`` executes and whose text was not given.
    """

    service: str
    dockerfile: str
    context: str
    stages: tuple[str, ...] = ()
    sources: tuple[SourcePattern, ...] = ()
    base_images: tuple[str, ...] = ()
    cargo_builds: tuple[CargoBuild, ...] = ()
    shipped: tuple[str, ...] = ()
    cache_ids: tuple[str, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict, repr=False)
    ignore_file: str = ""
    scripts: tuple[str, ...] = ()
