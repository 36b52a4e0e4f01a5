"""What a file of a pack is, and so which services must start anew when it changes."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class PackRole(Enum):
    """The part that a file plays in its pack; the value is how it is told."""

    DOCUMENT = "documents"
    SENSOR = "sensor"
    RUNTIME = "runtime"
    SCRIPT = "script"
    CONTENT = "content"


_YAML = (".yaml", ".yml")
_DOCUMENTS = (".md", ".rst", ".adoc")
_DEPENDENCY_FILES = (
    "requirements.txt",
    "pyproject.toml",
    "poetry.lock",
    "uv.lock",
    "package.json",
    "package-lock.json",
    "yarn.lock",
)


def _is_document(parts: list[str]) -> bool:
    return parts[-1].endswith(_DOCUMENTS) or parts[-1] == "LICENSE" or parts[0] in ("tests", "docs")


def _is_runtime(parts: list[str]) -> bool:
    return parts[0] == "runtimes" or parts[-1] in _DEPENDENCY_FILES


_TABLE: tuple[tuple[PackRole, Callable[[list[str]], bool]], ...] = (
    (PackRole.DOCUMENT, _is_document),
    (PackRole.SENSOR, lambda parts: parts[0] == "sensors" and len(parts) > 1),
    (PackRole.RUNTIME, _is_runtime),
    (PackRole.SCRIPT, lambda parts: parts[0] == "actions" and not parts[-1].endswith(_YAML)),
    (PackRole.CONTENT, lambda _: True),
)

SERVICE_WORDS: dict[PackRole, tuple[str, ...]] = {
    PackRole.SENSOR: ("sensor",),
    PackRole.RUNTIME: ("sensor", "worker"),
}
"""Roles that concern only some readers: words of which their name or binary has one."""


def pack_role(path: str) -> PackRole:
    """The role of a file; the first line of the table that fits decides.

    Args:
        path: relative to the pack's folder.
    """
    parts = path.split("/")
    return next(role for role, fits in _TABLE if fits(parts))
