"""``x-attune-dev`` on a service: what cannot be derived, said by hand and checked."""

from __future__ import annotations

import difflib
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from attune_dev.errors import ConfigError
from attune_dev.loading.compose_errors import locate, relative
from attune_dev.model.compose import Override
from attune_dev.planning.pack_roles import PackRole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from attune_dev.loading.compose_files import ComposeSources

KEY = "x-attune-dev"
_KNOWN = tuple(field.name.replace("_", "-") for field in fields(Override) if field.name != "place")
_NEEDS = ("restart", "nothing")
_ROLES = tuple(role.value for role in PackRole)


def overrides_of(
    data: Mapping[str, Any], root: Path, sources: ComposeSources
) -> dict[str, Override]:
    """Takes what ``x-attune-dev`` says on each service of the resolved project.

    Args:
        data: what ``docker compose config`` resolved, with extensions.
        root: project folder.
        sources: the files it read, for telling lines.

    Raises:
        ConfigError: an unknown key, a value of the wrong type, or the key at the top level.
    """
    if KEY in data:
        raise _wrong(f"`{KEY}` belongs on a service", [KEY], root, sources)
    found = {}
    for name, definition in (data.get("services") or {}).items():
        if isinstance(definition, dict) and KEY in definition:
            path = ["services", str(name), KEY]
            found[str(name)] = _override(definition[KEY], path, root, sources)
    return found


def _override(said: Any, path: list[str], root: Path, sources: ComposeSources) -> Override:
    if said is None:
        return Override()
    if not isinstance(said, dict):
        raise _wrong(f"`{'.'.join(path)}` must be a mapping", path, root, sources)
    values: dict[str, Any] = {}
    for key, value in said.items():
        name = str(key).replace("_", "-")
        here = [*path, str(key)]
        if name not in _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(_KNOWN)}"
            raise _wrong(f"unknown key `{'.'.join(here)}`", here, root, sources, hint)
        try:
            values[name.replace("-", "_")] = _typed(name, value)
        except ValueError as problem:
            what = f"`{'.'.join(here)}` must be {problem}"
            raise _wrong(what, here, root, sources) from None
    file, line = locate(path, sources)
    shown = relative(file, root)
    return Override(**values, place=shown if line is None else f"{shown}:{line}")


def _typed(name: str, value: Any) -> Any:
    if name == "one-shot":
        if isinstance(value, bool):
            return value
        raise ValueError("true or false")
    if name == "scripts":
        if value in _NEEDS:
            return value
        raise ValueError("`restart` or `nothing`")
    if name == "packs":
        return _by_role(value)
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError("a list of texts")


def _by_role(value: Any) -> tuple[tuple[str, str], ...]:
    known = f"a mapping of {', '.join(f'`{role}`' for role in _ROLES)} to `restart` or `nothing`"
    said = value.items() if isinstance(value, dict) else [("", "")]
    if any(role not in _ROLES or needs not in _NEEDS for role, needs in said):
        raise ValueError(known)
    return tuple(sorted(said))


def _wrong(
    what: str, path: list[str], root: Path, sources: ComposeSources, hint: str = ""
) -> ConfigError:
    file, line = locate(path, sources)
    return ConfigError(what, hint=hint, file=relative(file, root), line=line)
