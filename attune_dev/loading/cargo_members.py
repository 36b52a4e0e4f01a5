"""Which packages belong to which workspace, by cargo's rules.

Source: ``find_members``, ``find_path_deps`` and ``is_excluded`` in cargo's ``core/workspace.rs``.
"""

from __future__ import annotations

import fnmatch
import os
import re
from typing import TYPE_CHECKING

from attune_dev.loading.cargo_dependencies import path_folders
from attune_dev.loading.cargo_manifests import (
    Manifest,
    Manifests,
    ancestors,
    below,
    in_folder,
    within,
)

if TYPE_CHECKING:
    from attune_dev.errors import ConfigError

_MAGIC = re.compile(r"[*?\[]")


def workspace_root_of(manifests: Manifests, manifest: Manifest) -> Manifest | None:
    """The manifest of the workspace that cargo would look for from this one.

    Raises:
        ConfigError: ``package.workspace`` points to nothing, or a manifest above is broken.
    """
    if manifest.is_root:
        return manifest
    pointer = manifest.package.get("workspace") if manifest.is_package else None
    if isinstance(pointer, str):
        return _pointed_at(manifests, manifest, pointer)
    for folder in ancestors(manifest.folder):
        above = manifests.find(folder)
        if above is not None and above.is_root and not is_excluded(above, manifest.folder):
            return above
    return None


def _pointed_at(manifests: Manifests, manifest: Manifest, pointer: str) -> Manifest:
    folder = below(manifest.folder, pointer)
    found = None if folder is None else manifests.find(folder)
    if found is None or not found.is_root:
        why = f"`package.workspace` is `{pointer}`, where no manifest has a [workspace]."
        raise manifest.file.error("names no workspace", "workspace", pointer, why=why)
    return found


def is_excluded(root: Manifest, folder: str) -> bool:
    """Whether ``exclude`` keeps ``folder`` out of a workspace and no literal member takes it in."""
    workspace = root.workspace

    def listed(key: str) -> bool:
        paths = (below(root.folder, path) for path in root.file.strings(workspace, key))
        return any(path is not None and within(path, folder) for path in paths)

    return listed("exclude") and not listed("members")


def members_of(manifests: Manifests, root: Manifest) -> dict[str, Manifest]:
    """The packages of a workspace by folder, sorted.

    The listed ones, the root package, and every path dependency of a member that lies below the
    root.

    Raises:
        ConfigError: a listed member or a path dependency does not exist.
    """
    found: dict[str, Manifest] = {}
    todo = [*listed_members(manifests, root), *([root] if root.is_package else [])]
    while todo:
        manifest = todo.pop()
        if manifest.folder in found or is_excluded(root, manifest.folder):
            continue
        found[manifest.folder] = manifest
        for folder in path_folders(manifest, root):
            dependency = manifests.find(folder)
            if dependency is not None and _joins(manifests, dependency, root):
                todo.append(dependency)
    return dict(sorted(found.items()))


def _joins(manifests: Manifests, dependency: Manifest, root: Manifest) -> bool:
    # cargo refuses a second [workspace] below the first; here it is a workspace of its own.
    if not dependency.is_package or (dependency.is_root and dependency.folder != root.folder):
        return False
    if within(root.folder, dependency.folder):
        return True
    owner = workspace_root_of(manifests, dependency)
    return owner is not None and owner.folder == root.folder


def listed_members(manifests: Manifests, root: Manifest, key: str = "members") -> list[Manifest]:
    """The packages that ``workspace.members`` (or ``default-members``) names, in its order.

    Folders that a pattern matches and that hold no manifest are passed over: they are what a
    branch switch leaves behind.

    Raises:
        ConfigError: a name, or a pattern as a whole, leads to no package.
    """
    listed: list[Manifest] = []
    for pattern in root.file.strings(root.workspace, key):
        path = below(root.folder, pattern)
        if path is None:
            raise _missing(root, pattern, "It lies outside the repository.")
        folders = _expand(manifests.root, path) if _MAGIC.search(path) else [path]
        packages = [found for folder in folders if (found := manifests.find(folder)) is not None]
        if not packages:
            raise _missing(root, pattern, f"There is no {in_folder(path, 'Cargo.toml')}.")
        listed += packages
    return listed


def _missing(root: Manifest, pattern: str, why: str) -> ConfigError:
    hint = "create the package, or take it off the list"
    what = f"the workspace member `{pattern}` does not exist"
    return root.file.error(what, f'"{pattern}"', why=why, hint=hint)


def _expand(root: str, pattern: str) -> list[str]:
    """Folders that match, sorted; hidden ones too, as for cargo."""
    found = {""}
    for part in pattern.split("/"):
        found = {folder for base in found for folder in _step(root, base, part)}
    return sorted(found)


def _step(root: str, base: str, part: str) -> list[str]:
    if part == "**":
        return _all_below(root, base)
    if not _MAGIC.search(part):
        return [in_folder(base, part)]
    matches = re.compile(fnmatch.translate(part)).match
    return [sub for sub in _folders(root, base) if matches(sub.rpartition("/")[2])]


def _all_below(root: str, base: str) -> list[str]:
    found = [base]
    for folder in found:  # grows while it is walked
        found += _folders(root, folder, follow=False)
    return found


def _folders(root: str, base: str, *, follow: bool = True) -> list[str]:
    try:
        with os.scandir(in_folder(root, base) if base else root) as listing:
            return [
                in_folder(base, entry.name)
                for entry in listing
                if entry.is_dir(follow_symlinks=follow)
            ]
    except OSError:
        return []
