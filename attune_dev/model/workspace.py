"""The aggregate of all that is derived from a repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attune_dev.model.cargo import CargoModel
from attune_dev.model.compose import ComposeProject
from attune_dev.model.dockerfile import ImageInputs
from attune_dev.model.packs import PacksFolder


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """A ``.dockerignore`` as text.

    Attributes:
        path: relative to the root.
        context: the folder that its patterns are relative to.
        lines: its lines.
    """

    path: str
    context: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workspace:
    """A repository: Cargo, Compose, Dockerfiles and packs.

    Attributes:
        cargo: workspaces and packages.
        compose: services.
        images: what each service's image reads, by service.
        packs_folders: folders of packs that fill a volume.
        bound_packs: folders of packs that are bind-mounted, so that services see them at once.
        pack_binary_images: what the images that compile pack binaries read, by Dockerfile path.
        dep_info: all files that cargo's own dep-info names, by binary; relative to the root.
        includes: files that a package's sources name (``include_str!`` and the like) and that
            exist, by the package's folder; known before the first build, unlike ``dep_info``.
        compile_lines: lines of the Dockerfile whose sources only feed a cargo compile, by service
            (by Dockerfile path for pack binaries).
        ignore_files: ``.dockerignore`` files by path.
        git_ignore: lines of the repository's ignore files, by folder.
        manifests: ``Cargo.toml`` files as parsed, by path: what a change of one concerns is told
            from its two versions.
        provenance: setting to the place it was taken from, for ``inv plan``.
    """

    cargo: CargoModel
    compose: ComposeProject
    images: Mapping[str, ImageInputs] = field(default_factory=dict)
    packs_folders: tuple[PacksFolder, ...] = ()
    bound_packs: tuple[str, ...] = ()
    pack_binary_images: Mapping[str, ImageInputs] = field(default_factory=dict)
    dep_info: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    includes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compile_lines: Mapping[str, frozenset[int]] = field(default_factory=dict)
    ignore_files: Mapping[str, IgnoreFile] = field(default_factory=dict)
    git_ignore: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    manifests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
