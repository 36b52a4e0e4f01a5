"""What ``.cargo/config.toml`` says about where packages are taken from.

Source: "Configuration" in the Cargo book: ``[patch]`` and ``paths``.
"""

from __future__ import annotations

from attune_dev.loading.cargo_dependencies import Dependency, patches_of
from attune_dev.loading.cargo_manifests import (
    MANIFEST_LIMIT,
    Manifest,
    Manifests,
    ancestors,
    below,
    in_folder,
)
from attune_dev.loading.toml_file import read_toml
from attune_dev.model.cargo import DependencyKind

# Where both are, cargo reads the first one.
_NAMES = (".cargo/config", ".cargo/config.toml")


def overrides_of(manifests: Manifests, root: Manifest) -> dict[str, Dependency]:
    """Paths that stand for packages from elsewhere in one workspace, by package name.

    Args:
        manifests: all manifests.
        root: the manifest of the workspace, or of the package that stands alone.

    Raises:
        ConfigError: a path leads out of the repository, or a configuration file is broken.
    """
    found: dict[str, Dependency] = {}
    for folder in (*reversed([*ancestors(root.folder)]), root.folder):
        config = _config(manifests.root, folder)
        if config is not None:
            found |= patches_of(config) | _paths(manifests, config)
    return found | patches_of(root)


def _config(root: str, folder: str) -> Manifest | None:
    for name in _NAMES:
        try:
            file = read_toml(root, in_folder(folder, name), limit=MANIFEST_LIMIT)
        except FileNotFoundError:
            continue
        return Manifest(folder, file)
    return None


def _paths(manifests: Manifests, config: Manifest) -> dict[str, Dependency]:
    found: dict[str, Dependency] = {}
    for path in config.file.strings(config.file.data, "paths"):
        folder = below(config.folder, path)
        manifest = None if folder is None else manifests.find(folder)
        if manifest is not None and manifest.is_package:
            name = manifest.name
            found[name] = Dependency(name, name, DependencyKind.NORMAL, config, folder, path)
    return found
