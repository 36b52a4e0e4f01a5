"""Where to look: the folders and files that outputs read, and what is never descended into.

Watches are a limited resource of the machine, and a walk through ``target/`` costs more than all
else together, so the watcher and the snapshot share one answer to "is this one of ours?".
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from attune_dev.model.compose import MountKind
from attune_dev.planning.git_ignored import GitIgnore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from attune_dev.model.workspace import Workspace

# Never content of any output: version control, our own state, caches that readers write.
PRUNED_NAMES = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".jj",
        ".attune-dev",
        ".venv",
        ".idea",
        "node_modules",
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
    }
)

# What editors put beside a file while it is edited or saved (after docker/compose and Tilt).
EPHEMERAL = re.compile(
    "|".join(
        fnmatch.translate(pattern)
        for pattern in (
            "*___jb_old___",
            "*___jb_tmp___",
            ".#*",
            "#*#",
            "4913",
            "*~",
            ".*.swp",
            ".*.swx",
            ".*.swo",
            ".*.swn",
            ".*.kate-swp",
            "*-go-tmp-umask",
            ".goutputstream-*",
            ".DS_Store",
            ".attune-dev-*",  # a pack binary while it is written
        )
    )
)

IgnoreFolder = Callable[[str], bool]


def _nothing(_folder: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at below a root.

    Attributes:
        trees: folders that are read with all that is below them; ``""`` is the root.
        flat: folders of which only the files directly in them are looked at.
        pruned: folders that are left out wherever they lie.
        kept: folders that are content although an ignore file names them (packs, bind mounts).
        ignored: whether an ignore file leaves a folder out.
        rules: the lines that ``ignored`` goes by: scopes with other lines are not equal.
        own: files that we write ourselves while we watch: events, our own output.
    """

    trees: frozenset[str] = frozenset({""})
    flat: frozenset[str] = frozenset({""})
    pruned: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    ignored: IgnoreFolder = field(default=_nothing, compare=False)
    rules: tuple[tuple[str, tuple[str, ...]], ...] = ()
    own: frozenset[str] = frozenset()

    def descends(self, folder: str) -> bool:
        """Whether the files directly in a folder are looked at or may hold what is.

        It is asked from the root downwards: a folder below one that is left out is not asked for.
        """
        if folder in self.flat:
            return True
        if folder in self.pruned or _name(folder) in PRUNED_NAMES:
            return False
        if not any(tree in self.trees for tree in _above(folder)):
            return False
        if any(above in self.kept for above in _above(folder)):
            return True
        return not self.ignored(folder)

    def wants(self, path: str) -> bool:
        """Whether a path, taken as a file, is looked at."""
        return self.wants_file(path) and self.reaches(path.rpartition("/")[0])

    def wants_file(self, path: str) -> bool:
        """Whether a file is looked at that lies in a folder that is."""
        return path not in self.own and EPHEMERAL.match(_name(path)) is None

    def reaches(self, folder: str) -> bool:
        """Whether a folder and all folders above it are descended into."""
        return all(self.descends(above) for above in _above(folder))


def scope_of(workspace: Workspace, own: frozenset[str] = frozenset()) -> Scope:
    """Where the outputs of a workspace read, but for files that we write ourselves.

    Git-ignored folders are left out unless they are packs or mounted; one that a service mounts
    writable is that service's own data, and is left out too.
    """
    rules = GitIgnore(workspace.git_ignore)

    @cache
    def ignored(folder: str) -> bool:
        return bool(folder) and rules.rule(f"{folder}/") is not None

    trees, files, kept = set[str](), set[str](), set[str]()
    pruned = {_join(root, "target") for root in workspace.cargo.workspaces}
    for root, package in workspace.cargo.packages().items():
        trees.add(root)
        pruned.add(_join(root, "target"))
        files.add(package.manifest)
    for cargo in workspace.cargo.workspaces.values():
        files |= {cargo.manifest, cargo.lock_file, *cargo.config_files}
        files |= {_join(cargo.root, ".cargo/config.toml")}
    kept |= {folder.root for folder in workspace.packs_folders} | set(workspace.bound_packs)
    for service in workspace.compose.services.values():
        files |= set(service.files)
        kept |= {
            mount.source
            for mount in service.mounts
            if mount.kind is MountKind.BIND
            and (mount.read_only or not _inside(mount.source) or not ignored(_clean(mount.source)))
        }
    files |= {*workspace.compose.files, *workspace.compose.candidates}
    for inputs in (*workspace.images.values(), *workspace.pack_binary_images.values()):
        files |= {inputs.dockerfile, inputs.ignore_file or _join(inputs.context, ".dockerignore")}
        trees |= {_literal(source.context, source.pattern) for source in inputs.sources}
    for extra in (workspace.dep_info, workspace.includes):
        files |= {path for paths in extra.values() for path in paths}
    scope = _scope(trees | kept, files, kept, pruned)
    rules_by = tuple(sorted(workspace.git_ignore.items()))
    return replace(scope, ignored=ignored, rules=rules_by, own=own)


def _scope(trees: set[str], files: set[str], kept: set[str], pruned: set[str]) -> Scope:
    """Brings the sets in order: no absolute path, no tree below a tree, a way to each of them.

    Folders in which several trees lie side by side (``crates/``) become one tree: a new one next
    to them must be seen without anything else changing. The root stays as it is.
    """
    trees = {_clean(tree) for tree in trees if _inside(tree)}
    beside = [tree.rpartition("/")[0] for tree in trees]
    trees |= {above for above in beside if above and beside.count(above) > 1}
    trees = {t for t in trees if not any(above in trees for above in _above(t) if above != t)}
    flat = {""}
    for path in (*(_clean(f) for f in files if _inside(f)), *trees):
        flat |= set(_above(path.rpartition("/")[0]))
    kept = {_clean(folder) for folder in kept if _inside(folder)} - {""}
    return Scope(frozenset(trees), frozenset(flat), frozenset(pruned), frozenset(kept))


def _literal(context: str, pattern: str) -> str:
    """The folder or file that a ``COPY`` pattern names, up to its first wildcard."""
    words = []
    for word in pattern.strip("/").split("/"):
        if any(c in word for c in "*?["):
            break
        words.append(word)
    return _join(context, "/".join(words))


def _inside(path: str) -> bool:
    return not path.startswith("/") and path != ".." and not path.startswith("../")


def _clean(path: str) -> str:
    return "/".join(word for word in path.split("/") if word not in {"", "."})


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _above(path: str) -> Iterator[str]:
    """The root, then each folder down to ``path`` itself."""
    yield ""
    position = path.find("/")
    while position >= 0:
        yield path[:position]
        position = path.find("/", position + 1)
    if path:
        yield path


def everything(names: Iterable[str] = ()) -> Scope:
    """A scope of whole trees, for tests and for repositories that could not be read."""
    return _scope(set(names) or {""}, set(), set(), set())
