"""The workspace as it was at a revision, for what only differences tell."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from attune_dev.docker import process
from attune_dev.errors import AttuneDevError
from attune_dev.loading.compose import load_compose
from attune_dev.loading.compose_files import DEFAULT_NAMES, OVERRIDE_NAMES
from attune_dev.loading.git import export
from attune_dev.loading.tree import is_dockerfile
from attune_dev.loading.workspace import load_workspace
from attune_dev.model.compose import ComposeProject
from attune_dev.model.workspace import Workspace
from attune_dev.settings import Settings

_NAMES = frozenset(
    {
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain",
        "rust-toolchain.toml",
        ".dockerignore",
        ".gitignore",
        "config",
    }
)
_ENDINGS = (".rs", ".yaml", ".yml", ".toml", ".env", ".dockerignore", ".sh")


def load_earlier(
    root: Path, ref: str, settings: Settings, current: Workspace, *, same_compose: bool
) -> Workspace | None:
    """The workspace of a revision's tree, ``None`` where that tree cannot be understood.

    Args:
        root: repository root.
        ref: the revision.
        settings: of the repository, as they are now.
        current: the present workspace.
        same_compose: whether the Compose files are the same: then they are not read again.

    Raises:
        UsageError: this is no git repository, or it has no such revision.
    """
    with tempfile.TemporaryDirectory(prefix="attune-dev-") as name:
        folder = Path(name)
        paths = export(root, ref, _is_wanted, folder)
        try:
            compose = current.compose
            if not same_compose:
                compose = _earlier_compose(root, folder, paths, current.compose)
            return load_workspace(folder, settings, compose=compose, tolerate=[])
        except AttuneDevError:
            return None


def _is_wanted(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name in _NAMES or name.endswith(_ENDINGS) or is_dockerfile(name) or ".env" in name


def _earlier_compose(
    root: Path, folder: Path, paths: Sequence[str], current: ComposeProject
) -> ComposeProject:
    """The earlier Compose files, resolved as if they stood in the repository.

    The project folder stays the repository: its paths are part of what is compared.
    """
    names = [name for name in DEFAULT_NAMES if name in paths][:1]
    names += [name for name in OVERRIDE_NAMES if name in paths][:1]
    if separator := os.environ.get("COMPOSE_FILE"):
        names = separator.split(os.environ.get("COMPOSE_PATH_SEPARATOR") or os.pathsep)
    files = [os.fspath(folder / name) for name in names if (folder / name).exists()]

    def in_place(
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        check: bool = True,
    ) -> process.Completed:
        place = list(argv).index("--file")
        words = [*argv[:place], "--project-directory", os.fspath(root), *argv[place:]]
        return process.run(words, cwd=cwd, env=env, timeout=timeout, check=check)

    return load_compose(root, files=files, project_name=current.name, runner=in_place)
