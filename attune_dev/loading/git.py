"""What git knows: changes since a revision, and the files of an earlier tree."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from attune_dev.docker import process
from attune_dev.errors import ConfigError, UsageError
from attune_dev.model.change import Change, ChangeKind

TIMEOUT_SECONDS = 60.0
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_QUOTED = re.compile(r"\\([0-7]{3}|.)|([^\\]+)", re.DOTALL)
_KINDS = {
    "A": ChangeKind.CREATED,
    "C": ChangeKind.CREATED,
    "D": ChangeKind.DELETED,
    "R": ChangeKind.MOVED,
}


def changes_since(root: Path, ref: str = "HEAD") -> tuple[Change, ...]:
    """The files that differ between a revision's tree and the working tree, sorted.

    What is not committed counts, staged or not, and so do untracked files that git does not ignore.
    A rename is one change.

    Args:
        root: a folder of the repository; only what is below it counts.
        ref: any revision that git understands.

    Raises:
        UsageError: this is no git repository, or it has no such revision.
        EnvironmentLacksError: git is not installed.
    """
    tree = resolve(root, ref)
    told = _git(root, "diff", "--name-status", "-M", "--relative", "--no-ext-diff", tree, "--")
    found = {change.path: change for change in _parse_status(told)}
    for path in _untracked(root):
        known = found.get(path)
        kind = ChangeKind.MODIFIED if known is not None else ChangeKind.CREATED
        found[path] = Change(path, kind)
    return tuple(found[path] for path in sorted(found))


def resolve(root: Path, ref: str) -> str:
    """The object name of a revision's tree; the empty tree for ``HEAD`` before the first commit.

    Raises:
        UsageError: this is no git repository, or it has no such revision.
    """
    if not is_repository(root):
        raise UsageError(
            f"{root} is no git repository",
            why="changes are counted from a revision",
            hint="name the changed paths: inv plan PATH",
        )
    spec = f"{ref}^{{tree}}"
    done = process.run(
        _argv(root, "rev-parse", "--verify", "--quiet", "--end-of-options", spec),
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.ok:
        return done.stdout.strip()
    if ref == "HEAD":
        return _EMPTY_TREE
    raise UsageError(f"git knows no revision `{ref}`", hint="git fetch, or name another one")


def is_repository(root: Path) -> bool:
    """Whether a folder is in the working tree of a git repository."""
    done = process.run(
        _argv(root, "rev-parse", "--is-inside-work-tree"), timeout=TIMEOUT_SECONDS, check=False
    )
    return done.ok and done.stdout.strip() == "true"


def tracked_below(root: Path, path: str) -> tuple[str, ...]:
    """Files of the index at or below a path, sorted; none outside of a repository."""
    done = process.run(
        _argv(root, "ls-files", "--", f":(literal){path}"), timeout=TIMEOUT_SECONDS, check=False
    )
    return tuple(sorted(map(unquote, done.stdout.splitlines()))) if done.ok else ()


def export(root: Path, ref: str, wanted: Callable[[str], bool], target: Path) -> tuple[str, ...]:
    """Writes those files of a revision that are wanted into an empty folder.

    Neither the repository nor its index is touched: an index of its own, in the folder, is used.

    Args:
        root: a folder of the repository; it becomes the folder's root.
        ref: the revision.
        wanted: decides by path, relative to ``root``.
        target: where to write.

    Returns:
        The paths that were written, sorted.

    Raises:
        UsageError: this is no git repository, or it has no such revision.
    """
    tree = resolve(root, ref)
    prefix = unquote(_git(root, "rev-parse", "--show-prefix").rstrip("\n")).rstrip("/")
    base = f"{tree}:{prefix}" if prefix else tree
    top = Path(unquote(_git(root, "rev-parse", "--show-toplevel").rstrip("\n")))
    index = target / ".index"
    env = {**os.environ, "GIT_INDEX_FILE": os.fspath(index)}
    listed = process.run(_argv(top, "ls-tree", "-r", "--name-only", base), check=False)
    paths = tuple(sorted(p for line in listed.stdout.splitlines() if wanted(p := unquote(line))))
    if paths:
        _git(top, "read-tree", base, env=env)
        _git(
            top,
            "checkout-index",
            f"--prefix={os.fspath(target)}/",
            "-q",
            "-z",
            "--stdin",
            env=env,
            data=b"\0".join(os.fsencode(path) for path in paths) + b"\0",
        )
        index.unlink()
    return paths


def unquote(name: str) -> str:
    """A name as git prints it: plain, or quoted as in C where it is not plain ASCII."""
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):
        return name
    out = bytearray()
    for escape, plain in _QUOTED.findall(name[1:-1]):
        if plain:
            out += plain.encode()
        elif escape.isdigit():
            out.append(int(escape, 8))
        else:
            out.append(_ESCAPES.get(escape, ord(escape[0])))
    return os.fsdecode(bytes(out))


def _parse_status(text: str) -> Iterator[Change]:
    for line in text.splitlines():
        status, *names = line.split("\t")
        paths = [unquote(name) for name in names]
        kind = _KINDS.get(status[:1], ChangeKind.MODIFIED)
        if kind is ChangeKind.MOVED:
            yield Change(paths[1], kind, paths[0])
        else:
            yield Change(paths[-1], kind)


def _untracked(root: Path) -> list[str]:
    told = _git(root, "ls-files", "--others", "--exclude-standard")
    return [unquote(line) for line in told.splitlines()]


def _git(
    root: Path, *words: str, env: Mapping[str, str] | None = None, data: bytes | None = None
) -> str:
    done = process.run(
        _argv(root, *words), env=env, input=data, timeout=TIMEOUT_SECONDS, check=False
    )
    if not done.ok:
        raise ConfigError(f"git {words[0]} failed", why=done.stderr.strip()[-500:])
    return done.stdout


def _argv(root: Path, *words: str) -> list[str]:
    return ["git", "-c", "core.quotepath=true", "-C", os.fspath(root), *words]
