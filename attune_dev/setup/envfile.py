"""The managed block in the git-ignored ``.env``: how Compose learns the names of the base images.

Everything outside the block is the user's and stays byte for byte.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

BEGIN = "# attune-dev: begin (managed by `inv setup`, do not edit)"
END = "# attune-dev: end"
_BLOCK = re.compile(
    r"^# attune-dev: begin\b.*?^# attune-dev: end[^\n]*(?:\n|\Z)", re.MULTILINE | re.DOTALL
)
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*[=:]\s*(.*?)\s*$")


def _assignments(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := _ASSIGNMENT.match(line):
            value = match[2]
            if value[:1] in {"'", '"'} and value[0] in value[1:]:
                value = value[1 : value.index(value[0], 1)]
            else:
                value = re.sub(r"\s+#.*$", "", value)
            found[match[1]] = value
    return found


def users_values(text: str) -> dict[str, str]:
    """What the user has set, outside the managed block."""
    return _assignments(_BLOCK.sub("", text))


def managed_values(text: str) -> dict[str, str]:
    """What the managed block sets."""
    found: dict[str, str] = {}
    for block in _BLOCK.findall(text):
        found |= _assignments(block)
    return found


def with_managed(text: str, values: Mapping[str, str]) -> str:
    """The file with its managed block set to ``values``; without the block where that is empty."""
    rest = _BLOCK.sub("", text)
    if not values:
        return rest
    if rest and not rest.endswith("\n"):
        rest += "\n"
    lines = [BEGIN, *(f"{name}={values[name]}" for name in sorted(values)), END]
    return rest + "\n".join(lines) + "\n"


def read(path: Path) -> str:
    """The file's text, empty where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""


def update(path: Path, values: Mapping[str, str]) -> bool:
    """Sets the managed block on disk, by a file beside and a rename.

    Args:
        path: the ``.env`` file; a symbolic link is followed, not replaced.
        values: the whole content of the block; a file that is empty then is removed.

    Returns:
        Whether anything was written.
    """
    before = read(path)
    after = with_managed(before, values)
    if after == before:
        return False
    target = path.resolve()
    if not after.strip():
        target.unlink()
        return True
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=".env.", text=False)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after.encode("utf-8", errors="surrogateescape"))
            os.fchmod(file.fileno(), mode)
        Path(beside).replace(target)
    finally:
        Path(beside).unlink(missing_ok=True)
    return True
