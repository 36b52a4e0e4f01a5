"""Files that no output reads, whatever they are: what editors and tools leave behind."""

from __future__ import annotations

import re
from fnmatch import translate

EDITOR_TEMPORARIES = (
    "4913",
    "*~",
    ".#*",
    "#*#",
    ".*.swp",
    ".*.swo",
    ".*.swn",
    ".*.swx",
    "*___jb_tmp___",
    "*___jb_old___",
    ".*.kate-swp",
    "*-go-tmp-umask",
    ".goutputstream-*",
    "*.vsctmp",
    ".DS_Store",
)
"""Names that vim, Emacs, Kate, JetBrains, VS Code, gedit and macOS make beside what is saved."""

EDITOR_FOLDERS = (".idea", ".vscode", ".fleet", ".zed")
GENERATED_FOLDERS = (".git", ".attune-dev", "node_modules", "__pycache__", ".venv")


_ANY = re.compile("|".join(translate(pattern) for pattern in EDITOR_TEMPORARIES))
_EACH = tuple((pattern, re.compile(translate(pattern))) for pattern in EDITOR_TEMPORARIES)
_FOLDER = re.compile("(?:^|/)(" + "|".join(map(re.escape, EDITOR_FOLDERS)) + ")/")


def editor_temporary(path: str) -> str | None:
    """The rule by which a path is an editor's temporary file, or ``None``.

    Args:
        path: relative to the root.
    """
    in_folder = _FOLDER.search(path)
    if in_folder is not None:
        return f"{in_folder[1]}/"
    name = path.rpartition("/")[2]
    if _ANY.match(name) is None:
        return None
    return next((pattern for pattern, matcher in _EACH if matcher.match(name)), None)


def generated(path: str, target_folders: frozenset[str]) -> str | None:
    """The generated folder that holds a path, or ``None``.

    Args:
        path: relative to the root.
        target_folders: cargo's target folders.
    """
    folder = ""
    for part in path.split("/")[:-1]:
        folder = f"{folder}/{part}" if folder else part
        if part in GENERATED_FOLDERS or folder in target_folders:
            return f"{folder}/"
    return None
