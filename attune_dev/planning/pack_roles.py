"""What a file of a pack is, and so which services must start anew when it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class PackRole(Enum):
    """The part that a file plays in its pack; the value is how it is told and overridden."""

    DOCUMENT = "documents"
    SENSOR = "sensor"
    RUNTIME = "runtime"
    SCRIPT = "script"
    CONTENT = "content"


_YAML = (".yaml", ".yml")
_DOCUMENTS = (".md", ".rst", ".adoc")
_DOCUMENT_NAMES = ("README", "LICENSE", "LICENCE", "NOTICE", "CHANGELOG", "CHANGES", "CONTRIBUTING")
_DOCUMENT_FOLDERS = ("tests", "docs")
_DEPENDENCY_FILES = (
    *("requirements.txt", "constraints.txt", "pyproject.toml", "Pipfile", "Pipfile.lock"),
    *("poetry.lock", "uv.lock", "setup.py", "setup.cfg"),
    *("package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"),
    *("Gemfile", "Gemfile.lock", "go.mod", "go.sum"),
)


def _is_document(parts: list[str]) -> bool:
    name = parts[-1]
    if parts[0] in _DOCUMENT_FOLDERS and len(parts) > 1:
        return True
    if name.split(".")[0].upper() in _DOCUMENT_NAMES:
        return not name.endswith(_YAML)
    return len(parts) == 1 and name.endswith(_DOCUMENTS)  # deeper ones may be someone's templates


def _is_runtime(parts: list[str]) -> bool:
    return (parts[0] == "runtimes" and len(parts) > 1) or parts[-1] in _DEPENDENCY_FILES


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: what files play a role, and whom a change of one concerns.

    Attributes:
        role: the role.
        fits: whether a path, relative to the pack and split, plays it.
        restarts: words of which a reader's name or binary has one, empty for all readers of
            packs, ``None`` for nobody. Where none has, nobody can tell them apart: all are meant.
    """

    role: PackRole
    fits: Callable[[list[str]], bool]
    restarts: tuple[str, ...] | None


TABLE: tuple[Rule, ...] = (
    Rule(PackRole.DOCUMENT, _is_document, None),
    Rule(PackRole.SENSOR, lambda parts: parts[0] == "sensors" and len(parts) > 1, ("sensor",)),
    Rule(PackRole.RUNTIME, _is_runtime, ("sensor", "worker")),
    Rule(
        PackRole.SCRIPT,
        lambda parts: parts[0] == "actions" and not parts[-1].endswith(_YAML),
        ("worker",),
    ),
    Rule(PackRole.CONTENT, lambda _: True, ()),
)
"""Who must restart, by what a file is: the first line that fits decides. ``x-attune-dev`` on a
service overrides it for that service."""

_BY_ROLE = {rule.role: rule for rule in TABLE}


def pack_role(path: str) -> PackRole:
    """The role of a file.

    Args:
        path: relative to the pack's folder.
    """
    parts = path.split("/")
    return next(rule.role for rule in TABLE if rule.fits(parts))


def restarted_words(role: PackRole) -> tuple[str, ...] | None:
    """The words by which the table tells who restarts; see :class:`Rule`."""
    return _BY_ROLE[role].restarts
