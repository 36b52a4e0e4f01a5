"""Which features of a dependency are on anyway, so that one more who asks for them changes nothing.

Cargo turns on, for all that it compiles together, whatever any of them asks of a dependency. Only
what is certain counts here: plain ``[dependencies]``, neither optional nor for some platforms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Table = Mapping[str, Any]

DEFAULT = "default-features"
_SAYS_FEATURES_ALONE = frozenset({"version", "workspace", "features", "default-features"})
_ELSEWHERE = ("build-dependencies", "build_dependencies", "target")


def asked_of(manifest: Table, root: Table, name: str) -> frozenset[str] | None:
    """The features that a package asks of a dependency, ``default-features`` among them.

    Args:
        manifest: of the package, as parsed.
        root: of its workspace: what it inherits from there counts.
        name: package name of the dependency.

    Returns:
        Empty where it does not depend on it at all; ``None`` where it cannot be told for certain.
    """
    asked: frozenset[str] = frozenset()
    inheritable = _table(_table(root, "workspace"), "dependencies")
    for key, said in _table(manifest, "dependencies").items():
        spec = _spec(said)
        below = _spec(inheritable.get(key, {})) if spec.get("workspace") is True else {}
        if (spec.get("package") or below.get("package") or key) != name:
            continue
        if spec.keys() - _SAYS_FEATURES_ALONE or below.keys() - _SAYS_FEATURES_ALONE:
            return None
        asked |= {*_features(spec), *_features(below)}
        own_default = spec.get(DEFAULT, not below)
        if own_default or below.get(DEFAULT, bool(below)):
            asked |= {DEFAULT}
    return None if any(_mentions(_table(manifest, table), name) for table in _ELSEWHERE) else asked


def depends_on(manifest: Table, root: Table, name: str) -> bool:
    """Whether a package is always compiled with another one of the repository.

    Args:
        manifest: of the package, as parsed.
        root: of its workspace.
        name: package name of the other one.
    """
    inheritable = _table(_table(root, "workspace"), "dependencies")
    for key, said in _table(manifest, "dependencies").items():
        spec = _spec(said)
        below = _spec(inheritable.get(key, {})) if spec.get("workspace") is True else {}
        if (spec.get("package") or below.get("package") or key) == name:
            return not spec.get("optional")
    return False


def _mentions(table: Table, name: str) -> bool:
    """Whether a name is a key, or a renamed package, anywhere below a table."""
    return any(
        key == name or said == name or (isinstance(said, Mapping) and _mentions(said, name))
        for key, said in table.items()
    )


def _spec(said: object) -> Table:
    if isinstance(said, str):
        return {"version": said}
    return said if isinstance(said, Mapping) else {}


def _features(spec: Table) -> list[str]:
    listed = spec.get("features", [])
    return [str(name) for name in listed] if isinstance(listed, list) else []


def _table(data: Table, key: str) -> Table:
    found = data.get(key, {})
    return found if isinstance(found, Mapping) else {}
