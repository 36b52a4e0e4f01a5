"""What a change of a ``Cargo.toml`` concerns, by what the two versions of it say.

Source: "The Manifest Format" in the Cargo book; for each key, whether cargo compiles again after
it changed was tried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Table: TypeAlias = Mapping[str, Any]

_NONE: frozenset[str] = frozenset()
_FOR_TESTS = frozenset({"test", "bench", "example", "badges"})
# Everything else in [package] is compiled in, or can be: cargo hands the description, the authors
# and so on to the compiler as CARGO_PKG_….
_ONLY_PUBLISHED = frozenset(
    {
        "autobenches",
        "autoexamples",
        "autotests",
        "categories",
        "default-run",
        "documentation",
        "exclude",
        "include",
        "keywords",
        "publish",
    }
)
_MEMBERSHIP = frozenset({"members", "exclude", "default-members"})
_COMPILED_TABLES = (
    "dependencies",
    "build-dependencies",
    "build_dependencies",
)
_DEV_TABLES = ("dev-dependencies", "dev_dependencies")
_PATCHES = frozenset({"patch", "replace"})
_PACKAGE = frozenset({"package", "project"})


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """What differs between two versions of a manifest.

    Attributes:
        affects_all: how everything in the workspace is compiled, or something unknown.
        inherited_dependencies: changed keys of ``[workspace.dependencies]``.
        inherited_package_keys: changed keys of ``[workspace.package]`` that can be compiled in;
            ``lints`` if ``[workspace.lints]`` changed.
        membership: which packages there are, or which of them are built by default.
        package_itself: how the package of this manifest is compiled.
        dependencies: packages that it depends on in another way, by their own names: features
            asked for here are on for whatever is compiled together with it.
        patched: packages that ``[patch]`` or ``[replace]`` take from elsewhere.
    """

    affects_all: bool = False
    inherited_dependencies: frozenset[str] = _NONE
    inherited_package_keys: frozenset[str] = _NONE
    membership: bool = False
    package_itself: bool = False
    dependencies: frozenset[str] = _NONE
    patched: frozenset[str] = _NONE

    @property
    def nothing(self) -> bool:
        """Whether no output can differ."""
        return self == ManifestChange()


def manifest_change(
    old: Table | None,
    new: Table | None,
    *,
    resolver: str = "2",
    has_build_script: bool = False,
) -> ManifestChange:
    """What differs between two versions of a manifest; what is unknown counts.

    Args:
        old: the earlier version as parsed, ``None`` if there was none or it could not be read.
        new: the present one; ``None`` likewise.
        resolver: of the workspace; up to ``1``, the features that dev-dependencies ask for are on
            in what is built.
        has_build_script: a build script may read the whole manifest.
    """
    if old is None or new is None:
        both_missing = old is None and new is None
        return ManifestChange(
            affects_all=_is_workspace(old) or _is_workspace(new) or both_missing,
            membership=True,
            package_itself=True,
        )
    tables = _COMPILED_TABLES + (_DEV_TABLES if resolver <= "1" else ())
    changed_dependencies = _changed_dependencies(old, new, tables)
    keys = _changed(old, new)
    in_package = _changed_in_package(old, new)
    if not has_build_script:
        in_package -= {"metadata"}
    known = {"target", "workspace", "lib", "bin", "features", "lints", *_DEV_TABLES}
    known |= _FOR_TESTS | _PATCHES | _PACKAGE | {*_COMPILED_TABLES}
    workspace = _workspace_change(_table(old, "workspace"), _table(new, "workspace"))
    return ManifestChange(
        affects_all=bool(keys - known)
        or _unknown_for_targets(old) != _unknown_for_targets(new)
        or workspace.affects_all
        or "resolver" in in_package,
        inherited_dependencies=workspace.inherited_dependencies,
        inherited_package_keys=workspace.inherited_package_keys,
        membership=workspace.membership
        or _is_workspace(old) != _is_workspace(new)
        or "workspace" in in_package,
        package_itself=bool(changed_dependencies)
        or bool(in_package - _ONLY_PUBLISHED)
        or bool(keys & {"lib", "bin", "features", "lints"}),
        dependencies=changed_dependencies,
        patched=_changed_patches(old, new),
    )


def _is_workspace(data: Table | None) -> bool:
    return data is not None and "workspace" in data


def _table(data: Table, *keys: str) -> Table:
    found: Any = data
    for key in keys:
        found = found.get(key, {})
        if not isinstance(found, Mapping):
            return {}
    return found if isinstance(found, Mapping) else {}


def _changed(old: Table, new: Table) -> frozenset[str]:
    return frozenset(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def _changed_in_package(old: Table, new: Table) -> frozenset[str]:
    return _changed(
        {**_table(old, "project"), **_table(old, "package")},
        {**_table(new, "project"), **_table(new, "package")},
    )


def _workspace_change(old: Table, new: Table) -> ManifestChange:
    keys = _changed(old, new)
    package_keys = _changed(_table(old, "package"), _table(new, "package")) - _ONLY_PUBLISHED
    lints = {"lints"} & keys
    return ManifestChange(
        affects_all=bool(keys - _MEMBERSHIP - {"dependencies", "package", "lints", "metadata"}),
        inherited_dependencies=_changed(_table(old, "dependencies"), _table(new, "dependencies")),
        inherited_package_keys=package_keys | lints,
        membership=bool(keys & _MEMBERSHIP),
    )


def _changed_dependencies(old: Table, new: Table, tables: tuple[str, ...]) -> frozenset[str]:
    return frozenset(
        _name(key, spec)
        for table, condition in _places(old, new, tables)
        for before, after in [(_at(old, table, condition), _at(new, table, condition))]
        for key in _changed(before, after)
        for spec in (before.get(key), after.get(key))
        if spec is not None
    )


def _places(old: Table, new: Table, tables: tuple[str, ...]) -> list[tuple[str, str | None]]:
    conditions = _table(old, "target").keys() | _table(new, "target").keys()
    return [(table, where) for table in tables for where in (None, *conditions)]


def _unknown_for_targets(data: Table) -> dict[str, dict[str, Any]]:
    known = {*_COMPILED_TABLES, *_DEV_TABLES}
    conditions = _table(data, "target")
    told = {
        condition: {key: value for key, value in table.items() if key not in known}
        for condition, table in conditions.items()
        if isinstance(table, Mapping)
    }
    return {condition: table for condition, table in told.items() if table}


def _at(data: Table, table: str, condition: str | None) -> Table:
    return _table(data, table) if condition is None else _table(data, "target", condition, table)


def _name(key: str, spec: object) -> str:
    name = spec.get("package") if isinstance(spec, Mapping) else None
    return name if isinstance(name, str) else key


def _patches(data: Table) -> dict[tuple[str, str, str], Any]:
    found: dict[tuple[str, str, str], Any] = {}
    for source, table in (*_table(data, "patch").items(), ("", _table(data, "replace"))):
        if isinstance(table, Mapping):
            for key, spec in table.items():
                name = _name(key, spec).rpartition("#")[2].partition(":")[0]
                found[source, key, name] = spec
    return found


def _changed_patches(old: Table, new: Table) -> frozenset[str]:
    before, after = _patches(old), _patches(new)
    return frozenset(
        place[2] for place in before.keys() | after.keys() if before.get(place) != after.get(place)
    )
