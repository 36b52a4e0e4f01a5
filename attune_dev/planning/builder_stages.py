"""The stages of a Dockerfile that compile, as text, for each strategy (pure).

The text is plain: no variables in cache ids, no ``COPY --parents``, no here-documents. So the
frontend that is built into an old engine builds the same as a current one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError
from attune_dev.planning.rendered import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FRESHEN = "docker/freshen.sh"
WORKDIR = "/build"
CARGO_HOME = "/usr/local/cargo"
SERVICE_ARG = "SERVICE"

_PLAIN_NAME = re.compile(r"[\w./+@-]+")


@dataclass(frozen=True, slots=True)
class Crate:
    """A package as far as its build needs it.

    Attributes:
        manifest: its ``Cargo.toml``.
        places: files and folders that hold its sources, the manifest besides.
        stubs: files that must exist for cargo to read the manifest.
    """

    manifest: str
    places: tuple[str, ...]
    stubs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """One builder stage of a strategy in which each compiles for itself.

    Attributes:
        service: value of the build argument that chooses it; empty where there is no choice.
        cache: id of its target cache, where it has one of its own.
        binaries: what it compiles.
        crates: of which it is compiled.
        extra: further files that its sources name.
    """

    service: str
    cache: str
    binaries: tuple[str, ...]
    crates: tuple[Crate, ...]
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the rendered part of one Dockerfile is made from.

    Attributes:
        path: of the Dockerfile.
        base: image or stage to compile in.
        cache_prefix: what the ids of common caches start with.
        roots: files and folders that hold the sources of all, the root's files besides.
        root_files: files in the root that cargo reads.
        crates: all of the workspace.
        binaries: what is compiled together where nothing else is asked for.
        selections: the builder stages, where each compiles for itself.
        listed: whether ``BINARIES`` chooses in such a stage, too.
        first: whether no stage comes before.
    """

    path: str
    base: str
    cache_prefix: str
    roots: tuple[str, ...]
    root_files: tuple[str, ...]
    crates: tuple[Crate, ...]
    binaries: tuple[str, ...]
    selections: tuple[Selection, ...]
    listed: bool = False
    first: bool = True


def builder_stages(recipe: Recipe, strategy: Strategy) -> str:
    """The rendered part of a Dockerfile.

    Its stage ``builder`` has the binaries in ``/out``, its stage ``dep-info`` is what cargo wrote
    beside each of them: the files that it was compiled from.

    Raises:
        ConfigError: a name that would need quoting, or no way to choose a service.
    """
    _require_plain(recipe)
    stages = _once(recipe) if strategy is Strategy.ONCE else _each(recipe, strategy)
    return stages + _text(["", "FROM scratch AS dep-info", "COPY --from=builder /dep-info/ /"])


def command_stage(recipe: Recipe, commands: Sequence[str]) -> str:
    """A rendered part that runs other commands than the compile, over all sources.

    Args:
        recipe: of the Dockerfile that it stands in for.
        commands: shell commands, after which a stage ``builder`` has what they left.
    """
    _require_plain(recipe)
    return _once(recipe, commands)


def _once(recipe: Recipe, commands: Sequence[str] = ()) -> str:
    mounts = [
        f"type=bind,source={path},target={WORKDIR}/{path},rw"
        for path in (*recipe.root_files, *recipe.roots)
    ]
    target = f"{recipe.cache_prefix}target"
    lines = [
        f"FROM {recipe.base} AS builder",
        *_settings(),
        f'ARG BINARIES="{" ".join(recipe.binaries)}"',
        "# Sources are writable bind mounts, for freshen.sh sets their times; writes are dropped.",
        *_CACHE_COMMENT,
        *_run([*mounts, *_caches(recipe, "shared", target, "locked")], commands or _LISTED),
    ]
    return _text(lines)


def _each(recipe: Recipe, strategy: Strategy) -> str:
    sharing = strategy.value
    choice = any(selection.service for selection in recipe.selections)
    lines = []
    if choice and recipe.first:
        lines += ["# Which service it is; there is no builder of none.", f"ARG {SERVICE_ARG}=none"]
        lines.append("")
    lines += [f"FROM {recipe.base} AS manifests", *_settings()]
    beside = [path for path in recipe.root_files if "/" not in path]
    below = [path for path in recipe.root_files if "/" in path]
    lines.append(f"COPY {' '.join(beside)} ./")
    lines += [f"COPY {p} {p}" for p in (*below, *(crate.manifest for crate in recipe.crates))]
    for selection in recipe.selections:
        stage = f"builder-{selection.service}" if selection.service else "builder"
        lines += ["", f"FROM manifests AS {stage}"]
        if recipe.listed:
            lines.append(f'ARG BINARIES="{" ".join(selection.binaries)}"')
        places = dict.fromkeys(place for crate in selection.crates for place in crate.places)
        lines += [f"COPY {place} {place}" for place in (*places, *selection.extra)]
        if selection is recipe.selections[0]:
            lines += _CACHE_COMMENT
        cache = selection.cache if strategy is Strategy.SHARED else "target-builder"
        mounts = _caches(recipe, sharing, cache, sharing)
        others = [c for c in recipe.crates if c not in selection.crates]
        lines += _run(mounts, _compile(recipe, selection), _absent(others), _stubs(others))
    if choice:
        lines += ["", f"FROM builder-${{{SERVICE_ARG}}} AS builder"]
    return _text(lines)


_CACHE_COMMENT = [
    "# Cache ids are literal (Engine 20.10 expands no variable in them) and global to the engine;",
    "# the build argument BUILDKIT_CACHE_MOUNT_NS separates checkouts.",
]
_FOLDER = 'folder=$CARGO_PROFILE; [ "$folder" != dev ] || folder=debug'
_LISTED = [
    'for binary in $BINARIES; do set -- "$@" --bin "$binary"; done',
    'cargo build --locked --profile "$CARGO_PROFILE" "$@"',
    _FOLDER,
    'for binary in $BINARIES; do install -D -t /out "target/$folder/$binary"; done',
    'for binary in $BINARIES; do install -D -m 644 -t /dep-info "target/$folder/$binary.d"; done',
]


def _compile(recipe: Recipe, selection: Selection) -> list[str]:
    if recipe.listed:
        return _LISTED
    chosen = " ".join(f"--bin {name}" for name in selection.binaries)
    made = " ".join(f'"target/$folder/{name}"' for name in selection.binaries)
    build = f'cargo build --locked --profile "$CARGO_PROFILE" {chosen}'
    told = " ".join(f'"target/$folder/{name}.d"' for name in selection.binaries)
    return [build, _FOLDER, f"install -D -t /out {made}", f"install -D -m 644 -t /dep-info {told}"]


def _settings() -> list[str]:
    return [f"WORKDIR {WORKDIR}", f"ENV CARGO_HOME={CARGO_HOME}", "ARG CARGO_PROFILE=release"]


def _caches(recipe: Recipe, sharing: str, target: str, target_sharing: str) -> list[str]:
    prefix = recipe.cache_prefix
    return [
        f"type=bind,source={FRESHEN},target=/freshen.sh",
        f"type=cache,id={prefix}cargo-registry,target={CARGO_HOME}/registry,sharing={sharing}",
        f"type=cache,id={prefix}cargo-git,target={CARGO_HOME}/git,sharing={sharing}",
        f"type=cache,id={target},target={WORKDIR}/target,sharing={target_sharing}",
    ]


def _absent(others: Iterable[Crate]) -> list[str]:
    """What freshen.sh is told: packages of which only the manifest is here."""
    places = [place for crate in others for place in crate.places]
    return [f'absent="{" ".join(places)}"'] if places else []


def _stubs(others: Iterable[Crate]) -> list[str]:
    """Cargo reads no manifest without its targets; none of these is compiled."""
    paths = " ".join(stub for crate in others for stub in crate.stubs)
    if not paths:
        return []
    return [f'for stub in {paths}; do mkdir -p "${{stub%/*}}"; : >"$stub"; done']


def _run(
    mounts: list[str], build: Sequence[str], before: Iterable[str] = (), after: Iterable[str] = ()
) -> list[str]:
    steps = ["set -eu", *before, ". /freshen.sh", *after, *build]
    words = [f"--mount={mount}" for mount in mounts] + [f"{step};" for step in steps]
    words[-1] = words[-1].removesuffix(";")
    first, *rest = words
    return [f"RUN {first} \\", *(f"    {word} \\" for word in rest[:-1]), f"    {rest[-1]}"]


def _require_plain(recipe: Recipe) -> None:
    crates = [recipe.crates, *(selection.crates for selection in recipe.selections)]
    names = {path for some in crates for crate in some for path in (crate.manifest, *crate.places)}
    names |= {*recipe.roots, *recipe.root_files, *recipe.binaries}
    names |= {stub for crate in recipe.crates for stub in crate.stubs}
    names |= {
        name for s in recipe.selections for name in (*s.binaries, *s.extra, s.service) if name
    }
    for name in sorted(names):
        if not _PLAIN_NAME.fullmatch(name):
            raise ConfigError(
                f"`{name}` cannot stand in a rendered Dockerfile",
                why="a name there has letters, digits and . / + @ - _ alone",
                file=recipe.path,
            )


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
