"""Taking a repository over to rendered Dockerfiles and packs in a volume: what files become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from attune_dev.errors import ConfigError
from attune_dev.loading.dockerfile import parse_dockerfile
from attune_dev.loading.images import SIZE_LIMIT
from attune_dev.loading.rendered import freshen_script
from attune_dev.loading.safe_yaml import read_bounded
from attune_dev.model.compose import Service
from attune_dev.model.dockerfile import Dockerfile
from attune_dev.model.workspace import Workspace
from attune_dev.planning.builder_stages import FRESHEN
from attune_dev.planning.globs import within
from attune_dev.planning.image_ignore import IgnoreRules
from attune_dev.planning.migrate import copies_packs, with_rendered_part, without_packs
from attune_dev.planning.rendered import Rendered, Strategy, take_apart

PACKS_DOCKERFILE = "docker/Dockerfile.pack-binaries"
FILLER = "init-packs"
VOLUME = "packs_data"
OVERRIDES = ("docker-compose.override.yaml", "compose.override.yaml")

_PACKS_HEAD = f"""\
# Programs that packs carry, compiled against the C library of the runtime images:
#   docker buildx build -f {PACKS_DOCKERFILE} --output type=local,dest=DIR .

"""
_PACKS_TAIL = """

FROM scratch AS export
COPY --from=builder /out/ /
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """Files to write.

    Attributes:
        writes: repository path to new text.
        notes: what is done and why, for people.
    """

    writes: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def plan_migration(root: Path, workspace: Workspace) -> Migration:
    """What has to be written so that Dockerfiles have a rendered part and packs come from a volume.

    The rendered parts are still empty in it: they are rendered once it is written.

    Args:
        root: repository root.
        workspace: as it is.

    Raises:
        ConfigError: something needs a person's decision; tells which and where.
    """
    writes: dict[str, str] = {}
    notes: list[str] = []
    packs = _pack_folders(root, workspace)
    baked: dict[str, str] = {}
    for path, services in sorted(_dockerfiles(workspace).items()):
        text = read_bounded(root / path, name=path, limit=SIZE_LIMIT)
        dockerfile = parse_dockerfile(text, path)
        if copies_packs(dockerfile, packs):
            baked |= {s.name: target for s in services if (target := _baked_at(dockerfile, packs))}
            notes.append(f"{path}: packs are copied into images no more")
        new = _converted(workspace, path, text, dockerfile, services, packs)
        if new != text:
            writes[path] = new
            if take_apart(path, text) is None:
                notes.append(f"{path}: what compiles is rendered from the workspace")
    if not writes and not any(_taken_apart(root, path) for path in _dockerfiles(workspace)):
        raise ConfigError(
            "no Dockerfile of a service compiles with cargo", hint="nothing can be taken over here"
        )
    if baked:
        writes |= _volume(root, workspace, baked, packs, notes)
    writes |= _common(root, workspace, notes)
    return Migration(writes, tuple(notes))


def plan_pack_binaries(root: Path, workspace: Workspace) -> Migration:
    """A Dockerfile for pack binaries, where there are some and none compiles them."""
    binaries = [b for f in workspace.packs_folders for p in f.packs.values() for b in p.binaries]
    known = [binary.name for binary in binaries if binary.package is not None]
    if not known or workspace.pack_binary_images or (root / PACKS_DOCKERFILE).exists():
        return Migration()
    used = sorted({image.dockerfile for image in workspace.images.values()})
    part = next(filter(None, (_taken_apart(root, path) for path in used)), None)
    if part is None:
        return Migration()
    note = f"{PACKS_DOCKERFILE}: compiles {', '.join(sorted(set(known)))}"
    # what prepares the compile of services prepares this one, too
    body = f"FROM {part.base} AS builder\n" if part.base else ""
    head = _PACKS_HEAD + part.head
    text = Rendered(PACKS_DOCKERFILE, head, body, _PACKS_TAIL, Strategy.ONCE).text
    return Migration({PACKS_DOCKERFILE: text}, (note,))


def _taken_apart(root: Path, path: str) -> Rendered | None:
    return take_apart(path, read_bounded(root / path, name=path, limit=SIZE_LIMIT))


def _dockerfiles(workspace: Workspace) -> dict[str, list[Service]]:
    """Dockerfiles of services whose builds call cargo."""
    found: dict[str, list[Service]] = {}
    for name, image in workspace.images.items():
        service = workspace.compose.services[name]
        if image.cargo_builds and service.build is not None and service.build.inline is None:
            found.setdefault(image.dockerfile, []).append(service)
    return found


def _converted(
    workspace: Workspace,
    path: str,
    text: str,
    dockerfile: Dockerfile,
    services: Iterable[Service],
    packs: frozenset[str],
) -> str:
    if take_apart(path, text) is not None:
        return without_packs(dockerfile, text, packs) if copies_packs(dockerfile, packs) else text
    images = [workspace.images[service.name] for service in services]
    called = {build.line for image in images for build in image.cargo_builds}
    compiling = {
        stage.index
        for stage in dockerfile.stages
        if any(i.line in called for i in stage.instructions)
    }
    shipped = {
        tuple(sorted(b for b in image.shipped if workspace.cargo.package_of_binary(b)))
        for image in images
    }
    alike = shipped.pop() if len(shipped) == 1 else ()
    only = alike[0] if len(alike) == 1 else ""
    return with_rendered_part(dockerfile, text, compiling, packs=packs, only=only)


def _pack_folders(root: Path, workspace: Workspace) -> frozenset[str]:
    known = {folder.root for folder in workspace.packs_folders}
    known |= {
        path.parent.parent.relative_to(root).as_posix() for path in root.glob("*/*/pack.yaml")
    }
    mounted = set(workspace.bound_packs)  # folders that services write to are no content of images
    return frozenset(folder for folder in known - mounted if folder not in ("", "."))


def _baked_at(dockerfile: Dockerfile, packs: frozenset[str]) -> str:
    """Where images have the packs: the target of the last copy of a whole folder."""
    for stage in reversed(dockerfile.stages):
        for instruction in reversed(stage.instructions):
            sources = [word.strip("./") for word in instruction.words[:-1]]
            if instruction.keyword == "COPY" and any(source in packs for source in sources):
                return instruction.words[-1].rstrip("/")
    return ""


def _volume(
    root: Path,
    workspace: Workspace,
    baked: Mapping[str, str],
    packs: frozenset[str],
    notes: list[str],
) -> dict[str, str]:
    """A Compose file by which the services that had packs in their image read them in a volume."""
    compose = workspace.compose
    missing = {
        name: target
        for name, target in baked.items()
        if not any(within(m.target, target) for m in compose.services[name].mounts)
    }
    if not missing:
        return {}
    folder = min(packs)
    filler = next((f.filler for f in workspace.packs_folders if f.root == folder), "")
    volume = next((f.volume for f in workspace.packs_folders if f.root == folder), VOLUME)
    services: dict[str, Any] = {}
    if not filler:
        filler = FILLER
        place = next(iter(missing.values()))
        services[filler] = {
            "image": "${DEBIAN_IMAGE:-debian:bookworm-slim}",
            "restart": "no",
            "network_mode": "none",
            "command": ["cp", "-a", "/source/.", f"{place}/"],
            "volumes": [f"./{folder}:/source:ro", f"{volume}:{place}"],
        }
    for name, target in sorted(missing.items()):
        services[name] = {
            "depends_on": {filler: {"condition": "service_completed_successfully"}},
            "volumes": [f"{volume}:{target}:ro"],
        }
    text = yaml.safe_dump({"services": services, "volumes": {volume: None}}, sort_keys=False)
    for path in OVERRIDES:
        if (root / path).exists():
            raise ConfigError(
                f"{', '.join(sorted(missing))} read packs out of their image",
                why=f"they have to mount a volume instead, and there is a {path} already\n{text}",
                hint=f"add that to {path}, then run it again",
                file=path,
            )
    notes.append(f"{OVERRIDES[0]}: {', '.join(sorted(missing))} read packs in the volume {volume}")
    return {OVERRIDES[0]: text}


def _common(root: Path, workspace: Workspace, notes: list[str]) -> dict[str, str]:
    """freshen.sh, and an ignore file that lets it and the sources in."""
    writes: dict[str, str] = {}
    if not (root / FRESHEN).exists():
        writes[FRESHEN] = freshen_script()
        notes.append(f"{FRESHEN}: makes content decide what is compiled")
    ignored = workspace.ignore_files.get(".dockerignore")
    if ignored is not None:
        rules = IgnoreRules.parse(ignored.lines, ignored.path)
        needed = ("Cargo.toml", "Cargo.lock", FRESHEN)
        if missing := [path for path in needed if rules.ignores(path)]:
            added = "".join(f"!{path}\n" for path in missing)
            writes[".dockerignore"] = "\n".join(ignored.lines) + "\n" + added
            notes.append(f".dockerignore: lets {', '.join(missing)} in")
    return writes
