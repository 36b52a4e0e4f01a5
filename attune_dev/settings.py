"""Settings: where each value comes from, in one place.

Order of precedence: default < ``[tool.attune-dev]`` in ``pyproject.toml`` < ``attune-dev.toml``
< environment (``ATTUNE_DEV_…``) < command line.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from attune_dev.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, with defaults.

    Attributes:
        debounce_quiet: seconds without a change until a batch is taken.
        debounce_cap: seconds after which a batch is taken although changes go on.
        health_timeout: seconds to wait for services to become healthy.
        packs: folder of packs, where it cannot be derived from the Compose file.
        profiles: Compose profiles that are on.
        bell: whether the loop rings the terminal's bell on a failure and on its recovery.
        runner_types: runner types of packs that no runtime in a pack declares.
        provenance: setting to ``default``, a file or an environment variable.
    """

    debounce_quiet: float = 0.15
    debounce_cap: float = 2.0
    health_timeout: float = 90.0
    packs: str = ""
    profiles: tuple[str, ...] = ()
    bell: bool = False
    runner_types: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)


def load_settings(root: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings of a repository.

    Args:
        root: repository root.
        environ: the environment; ours where it is ``None``.

    Raises:
        ConfigError: a file is no TOML, a key is unknown or a value has the wrong type.
    """
    environ = os.environ if environ is None else environ
    names = [f.name for f in fields(Settings) if f.name != "provenance"]
    values: dict[str, Any] = {}
    provenance = dict.fromkeys(names, "default")
    for file, table in _tables(root):
        for key, value in table.items():
            name = key.replace("-", "_")
            if name not in names:
                known = ", ".join(n.replace("_", "-") for n in names)
                raise ConfigError(
                    f"unknown setting `{key}`",
                    hint=f"known settings: {known}",
                    file=file,
                    line=_line_of(root / file, key),
                )
            values[name] = _typed(name, value, file, _line_of(root / file, key))
            provenance[name] = file
    for name in names:
        variable = f"ATTUNE_DEV_{name.upper()}"
        if variable in environ:
            values[name] = _typed(name, _from_text(name, environ[variable]), variable)
            provenance[name] = variable
    return Settings(**values, provenance=provenance)


def _tables(root: Path) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for file, path in (("pyproject.toml", ("tool", "attune-dev")), ("attune-dev.toml", ())):
        if not (root / file).exists():
            continue
        if not (root / file).is_file():
            raise ConfigError("is not a regular file", file=file)
        text = ""
        try:
            text = (root / file).read_text(encoding="utf-8")
            data: Any = tomllib.loads(text)
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            told = re.search(r"\(at line (\d+),", str(problem))
            line = int(told[1]) if told else text.count("\n") or None
            raise ConfigError("is not valid TOML", why=str(problem), file=file, line=line) from None
        for key in path:
            data = data.get(key, {}) if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            raise ConfigError("[tool.attune-dev] must be a table", file=file)
        found.append((file, data))
    return found


def _line_of(path: Path, key: str) -> int:
    """The first line that begins with a key, which is good enough to point at; 1 without one."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pattern = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""")
    return next((n for n, line in enumerate(lines, start=1) if pattern.match(line)), 1)


def _from_text(name: str, text: str) -> Any:
    default = getattr(Settings(), name)
    if isinstance(default, bool):
        return {"true": True, "1": True, "false": False, "0": False, "": False}.get(text, text)
    if isinstance(default, float):
        try:
            return float(text)
        except ValueError:
            return text
    if isinstance(default, tuple):
        return [word for word in text.split(",") if word]
    return text


def _typed(name: str, value: Any, where: str, line: int | None = None) -> Any:
    default = getattr(Settings(), name)
    if (
        isinstance(default, float)
        and isinstance(value, int | float)
        and not isinstance(value, bool)
    ):
        if value < 0:
            raise ConfigError(
                f"`{name.replace('_', '-')}` cannot be negative", file=where, line=line
            )
        return float(value)
    if isinstance(default, bool) and isinstance(value, bool):
        return value
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(str(item) for item in value)
    if isinstance(default, str) and isinstance(value, str):
        return value
    wanted = {float: "a number", bool: "true or false", tuple: "a list of names", str: "a text"}[
        type(default)
    ]
    what = f"`{name.replace('_', '-')}` must be {wanted}, not {value!r}"
    raise ConfigError(what, file=where, line=line)
