"""What this project has made on the engine, and its removal, each kind by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attune_dev.docker.containers import PROJECT_LABEL
from attune_dev.docker.labels import HELPER_LABEL
from attune_dev.docker.process import run
from attune_dev.model.compose import ComposeProject

SECONDS = 120.0
_CACHE_MOUNT = re.compile(
    r"^(?:cached )?mount (?P<target>\S+) from exec (?P<command>.*)$", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that can be removed.

    Attributes:
        id: what the docker client removes it by.
        name: what a person calls it.
        detail: size or state, as Docker tells it.
    """

    id: str
    name: str
    detail: str = ""


def containers(project: ComposeProject) -> list[Leftover]:
    """The project's containers, running or not."""
    template = "{{.ID}}\t{{.Names}}\t{{.Status}}"
    return _listed(["container", "ls", "-a", *_of(project), "--format", template])


def networks(project: ComposeProject) -> list[Leftover]:
    """The project's networks."""
    return _listed(["network", "ls", *_of(project), "--format", "{{.ID}}\t{{.Name}}\t"])


def volumes(project: ComposeProject) -> list[Leftover]:
    """The project's volumes."""
    return _listed(["volume", "ls", *_of(project), "--format", "{{.Name}}\t{{.Name}}\t"])


def builder_volumes(project: ComposeProject) -> list[Leftover]:
    """The volumes in which the watch loop compiles."""
    label = ["--filter", f"label={HELPER_LABEL}=builder"]
    return _listed(["volume", "ls", *_of(project), *label, "--format", "{{.Name}}\t{{.Name}}\t"])


def builder_images(project: ComposeProject) -> list[Leftover]:
    """The images of the builder, which add next to nothing to the toolchain's."""
    label = ["--filter", f"label={HELPER_LABEL}=builder"]
    template = "{{.Repository}}:{{.Tag}}\t{{.Repository}}\t"
    return _listed(["image", "ls", *_of(project), *label, "--format", template])


def helpers(project: ComposeProject) -> list[Leftover]:
    """The containers that help with packs and builds; ``detail`` is whose they are."""
    label = ["--filter", f"label={HELPER_LABEL}.project={project.name}"]
    template = f'{{{{.ID}}}}\t{{{{.Names}}}}\t{{{{.Label "{HELPER_LABEL}.owner"}}}}'
    return _listed(["container", "ls", "-a", *label, "--format", template])


def images(names: Iterable[str]) -> list[Leftover]:
    """Those of the named images that are there."""
    found = []
    for name in sorted(set(names)):
        template = "{{.Repository}}:{{.Tag}}\t{{.Repository}}\t{{.Size}}"
        found += _listed(["image", "ls", "--filter", f"reference={name}", "--format", template])
    return found


def caches(commands: Iterable[str]) -> list[Leftover]:
    """Cache mounts that the given ``RUN`` commands filled.

    The engine keeps neither the id nor the namespace of a cache mount, only where it was mounted
    and for which command; other clones of the repository have the same commands.
    """
    known = {_squeezed(command) for command in commands}
    # no time limit: while builds run, an engine of 20.10 may take minutes to answer
    told = run(["docker", "buildx", "du", "--verbose"]).stdout
    found = []
    for block in told.split("\n\n"):
        fields = dict(line.partition(":")[::2] for line in block.splitlines() if ":" in line)
        if fields.get("Type", "").strip() != "exec.cachemount":
            continue
        match = _CACHE_MOUNT.match(fields.get("Description", "").strip())
        if match and any(command in _squeezed(match["command"]) for command in known):
            size = fields.get("Size", "").strip()
            found.append(Leftover(fields["ID"].strip(), match["target"], size))
    return found


def remove(kind: str, items: Sequence[Leftover]) -> None:
    """Removes what was listed: ``container``, ``network``, ``volume``, ``image`` or ``cache``.

    Raises:
        CommandFailed: the engine refused one of them.
    """
    if not items:
        return
    if kind == "cache":
        for item in items:
            # Engine 20.10 never builds again after the client of a prune went away in its middle
            run(["docker", "buildx", "prune", "-f", "--filter", f"id={item.id}"], whole=True)
        return
    force = ["-f"] if kind == "container" else []
    run(["docker", kind, "rm", *force, *(item.id for item in items)], timeout=SECONDS)


def _of(project: ComposeProject) -> list[str]:
    return ["--filter", f"label={PROJECT_LABEL}={project.name}"]


def _listed(words: Sequence[str]) -> list[Leftover]:
    told = run(["docker", *words], timeout=SECONDS).stdout
    rows = [line.split("\t") for line in told.splitlines() if line.strip()]
    return sorted((Leftover(row[0], row[1], row[2]) for row in rows), key=lambda item: item.name)


def _squeezed(text: str) -> str:
    return " ".join(text.replace("\\\n", " ").split())
