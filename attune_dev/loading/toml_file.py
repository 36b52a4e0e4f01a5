"""TOML files of a repository, read within bounds; what is wrong in one is told with its line."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attune_dev.errors import ConfigError
from attune_dev.loading.toml_newer import to_toml_1_0

if TYPE_CHECKING:
    from collections.abc import Mapping

_AT = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
# The time that `tomllib` takes for one dotted key grows with the cube of its parts.
_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){64}""",
)


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A parsed TOML file.

    Attributes:
        path: relative to the repository root.
        text: as it stands on disk.
        data: what it says.
    """

    path: str
    text: str
    data: Mapping[str, Any]

    def line_of(self, *words: str) -> int | None:
        """The one-based line that most likely says this.

        Args:
            words: the first line that holds all of them; if there is none, the first line that
                holds the last one, then the one before it.
        """
        lines = [line.partition("#")[0] for line in self.text.splitlines()]
        for wanted in (words, *((word,) for word in reversed(words))):
            for number, line in enumerate(lines, start=1):
                if all(word in line for word in wanted):
                    return number
        return None

    def error(self, what: str, *words: str, why: str = "", hint: str = "") -> ConfigError:
        """The error that this file causes, at the line found by ``words``."""
        line = self.line_of(*words) if words else None
        return ConfigError(what, why=why, hint=hint, file=self.path, line=line)

    def table(self, *keys: str) -> Mapping[str, Any]:
        """The table below ``keys``; empty where there is none.

        Raises:
            ConfigError: something else than a table stands there.
        """
        found: Any = self.data
        for depth, key in enumerate(keys, start=1):
            found = found.get(key, {})
            if not isinstance(found, dict):
                raise self.error(f"`{'.'.join(keys[:depth])}` must be a table", key)
        return found if isinstance(found, dict) else self.data

    def strings(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """The list of strings at ``key`` of ``table``; empty where there is none.

        Raises:
            ConfigError: something else stands there.
        """
        found = table.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise self.error(f"`{key}` must be a list of strings", key)
        return tuple(found)


def read_toml(root: str, path: str, *, limit: int) -> TomlFile:
    """Read and parse one file.

    Args:
        root: the repository root.
        path: relative to it.
        limit: bytes that the file may have.

    Raises:
        FileNotFoundError: nothing is there.
        ConfigError: it is too large, no regular file, unreadable, not UTF-8 or no TOML.
    """
    return parse_toml(read_text(root, path, limit=limit), path)


def read_text(root: str, path: str, *, limit: int) -> str:
    """The text of a regular file of at most ``limit`` bytes.

    Raises:
        FileNotFoundError: nothing is there.
        ConfigError: it is too large, no regular file, unreadable or not UTF-8.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for a writer for ever.
        handle = os.open(os.path.join(root, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # noqa: PTH118 - joined paths stay text
    except FileNotFoundError:
        raise
    except NotADirectoryError as error:
        raise FileNotFoundError(path) from error
    except OSError as error:
        raise ConfigError("cannot be read", why=error.strerror or str(error), file=path) from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError("is not a regular file", file=path)
        content = _bounded(handle, limit, path)
    finally:
        os.close(handle)
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text", file=path, line=line) from error


def _bounded(handle: int, limit: int, path: str) -> bytes:
    parts: list[bytes] = []
    left = limit + 1
    try:
        while left > 0 and (part := os.read(handle, left)):
            parts.append(part)
            left -= len(part)
    except OSError as error:
        raise ConfigError("cannot be read", why=error.strerror or str(error), file=path) from error
    if left <= 0:
        why = f"A file of this kind has at most {limit // 1024} KiB."
        raise ConfigError("is too large", why=why, file=path)
    return b"".join(parts)


def parse_toml(text: str, path: str) -> TomlFile:
    """Parse text as TOML 1.0, or 1.1 as newer versions of cargo accept it.

    Raises:
        ConfigError: with the line at which it cannot be understood.
    """
    if long := _LONG_KEY.search(text):
        line = text.count("\n", 0, long.start()) + 1
        raise ConfigError("is nested too deeply", file=path, line=line)
    try:
        return TomlFile(path, text, _parsed(text, path))
    except tomllib.TOMLDecodeError as error:
        first = error
    newer, lines = to_toml_1_0(text)
    if newer == text:
        raise _no_toml(first, text, path) from first
    try:
        return TomlFile(path, text, _parsed(newer, path))
    except tomllib.TOMLDecodeError as error:
        told = _no_toml(error, newer, path)
        told.line = None if told.line is None else lines[told.line - 1]
        raise told from first


def _parsed(text: str, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError("is nested too deeply", file=path) from error


def _no_toml(error: tomllib.TOMLDecodeError, text: str, path: str) -> ConfigError:
    told = str(error)
    at = _AT.search(told)
    if at is None:
        return ConfigError("is not valid TOML", why=told, file=path)
    line = int(at[1]) if at[1] else text.count("\n") + 1
    return ConfigError("is not valid TOML", why=told[: at.start()], file=path, line=line)
