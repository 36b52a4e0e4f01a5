"""YAML of a repository that nobody vouches for: bounded before anything is constructed.

A file of a few hundred bytes can describe billions of values by aliases of aliases, a deep one ends
in a ``RecursionError``, and duplicate keys silently lose a value. So a file is first read as a
stream of events, which costs no more than its size, and only then constructed.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from attune_dev.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML without libyaml: slower, the same result
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

SIZE_LIMIT = 5 * 1024 * 1024
NODE_LIMIT = 500_000
DEPTH_LIMIT = 100

_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A document and where its values stand.

    Attributes:
        value: dicts, lists and scalars; ``None`` for an empty document.
        file: the name that errors tell.
        marks: one-based line and column by path of keys and indexes; a mapping's entry is marked
            at its key, a list's at the item.
    """

    value: Any
    file: str
    marks: dict[tuple[str | int, ...], tuple[int, int]] = field(repr=False)

    def line(self, *path: str | int) -> int | None:
        """The line of the entry at ``path``, or of the nearest one above it that is known."""
        for length in range(len(path), -1, -1):
            if (mark := self.marks.get(path[:length])) is not None:
                return mark[0]
        return None

    def column(self, *path: str | int) -> int | None:
        """The column of the entry at ``path``, ``None`` where the document has no such entry."""
        mark = self.marks.get(path)
        return None if mark is None else mark[1]


def read_bounded(path: Path, *, name: str | None = None, limit: int = SIZE_LIMIT) -> str:
    """Reads a text file that must be a regular one, UTF-8 and not larger than ``limit`` bytes.

    Args:
        path: what to read.
        name: what errors call it; the path itself where it is ``None``.
        limit: bytes.

    Raises:
        FileNotFoundError: there is none.
        ConfigError: it is no regular file, too large, unreadable or not UTF-8.
    """
    file = str(path) if name is None else name
    try:
        # Without O_NONBLOCK the open of a FIFO waits for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise ConfigError("cannot be read", why=problem.strerror or "", file=file) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ConfigError("is not a regular file", file=file)
    with os.fdopen(descriptor, "rb") as opened:
        data = opened.read(limit + 1)
    if len(data) > limit:
        raise ConfigError(f"is larger than {limit / 2**20:g} MiB", file=file)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        why = f"byte 0x{data[problem.start]:02x} at column {_column(data, problem.start)}"
        raise ConfigError("is not UTF-8 text", why=why, file=file, line=line) from None


def load_yaml(source: Path | str, *, file: str | None = None) -> Any:
    """Loads one YAML document.

    Args:
        source: a path, or the text itself.
        file: the name that errors tell.

    Raises:
        FileNotFoundError: the path does not exist.
        ConfigError: not valid YAML, a duplicate key, too large or too deep once aliases count.
    """
    return load_yaml_document(source, file=file).value


def load_yaml_document(source: Path | str, *, file: str | None = None) -> YamlDocument:
    """Loads one YAML document together with the place of each of its values.

    Args:
        source: a path, or the text itself.
        file: the name that errors tell.

    Raises:
        FileNotFoundError: the path does not exist.
        ConfigError: not valid YAML, a duplicate key, too large or too deep once aliases count.
    """
    text, file = _text(source, file)
    check_bounds(text, file)
    loader = _Loader(text)
    marks: dict[tuple[str | int, ...], tuple[int, int]] = {}
    value = None
    try:
        root = loader.get_single_node()
        if root is not None:
            _check_keys(root, file, set())
            marks[()] = _mark(root)
            _collect_marks(root, (), marks, set())
            value = loader.construct_document(root)
    except yaml.YAMLError as problem:
        raise _broken(problem, file) from None
    except (ValueError, OverflowError) as problem:  # a date that is none, an endless number
        raise ConfigError("has a value that cannot be read", why=str(problem), file=file) from None
    finally:
        loader.dispose()
    return YamlDocument(value, file, marks)


def check_bounds(text: str, file: str) -> None:
    """Makes sure that a document is small enough to be constructed by any YAML reader.

    Args:
        text: any number of documents.
        file: the name that errors tell.

    Raises:
        ConfigError: not valid YAML, or more than 500,000 values or 100 levels once aliases are
            replaced by what they stand for.
    """
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in _events(text, file):
        if isinstance(event, yaml.CollectionStartEvent):
            total += 1
            open_nodes.append((event.anchor, total))
            if len(open_nodes) > DEPTH_LIMIT:
                raise _too_much(f"is nested more than {DEPTH_LIMIT} levels deep", event, file)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = total - before + 1
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_nodes):
                raise _too_much(f"`*{event.anchor}` contains itself", event, file)
            total += sizes.get(event.anchor or "", 1)
        if total > NODE_LIMIT:
            raise _too_much(f"describes more than {NODE_LIMIT:,} values", event, file)


def compose_nodes(text: str, file: str) -> list[yaml.Node]:
    """The node trees of all documents, with any tags, for looking without constructing.

    Args:
        text: any number of documents, checked by :func:`check_bounds`.
        file: the name that errors tell.

    Raises:
        ConfigError: not valid YAML.
    """
    try:
        return list(yaml.compose_all(text, Loader=_Loader))
    except yaml.YAMLError as problem:
        raise _broken(problem, file) from None


def _text(source: Path | str, file: str | None) -> tuple[str, str]:
    if isinstance(source, Path):
        return read_bounded(source, name=file), str(source) if file is None else file
    if len(source) > SIZE_LIMIT:
        raise ConfigError(f"is larger than {SIZE_LIMIT / 2**20:g} MiB", file=file)
    return source, file or "<text>"


def _events(text: str, file: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except yaml.YAMLError as problem:
        raise _broken(problem, file) from None


def _check_keys(node: yaml.Node, file: str, seen: set[int]) -> None:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item, file, seen)
    elif isinstance(node, yaml.MappingNode):
        first: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                identity, line = (key.tag, key.value), key.start_mark.line + 1
                if identity in first:
                    raise ConfigError(
                        f"duplicate key `{key.value}`",
                        why=f"line {first[identity]} has it too; one of the two would be lost",
                        file=file,
                        line=line,
                        column=key.start_mark.column + 1,
                    )
                first[identity] = line
            _check_keys(value, file, seen)


def _collect_marks(
    node: yaml.Node,
    path: tuple[str | int, ...],
    marks: dict[tuple[str | int, ...], tuple[int, int]],
    seen: set[int],
) -> None:
    if id(node) in seen:  # an alias: its place is where the anchor is
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            marks[(*path, index)] = _mark(item)
            _collect_marks(item, (*path, index), marks, seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                marks[(*path, key.value)] = _mark(key)
                _collect_marks(value, (*path, key.value), marks, seen)


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _too_much(what: str, event: yaml.Event, file: str) -> ConfigError:
    mark = event.start_mark
    line, column = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
    why = "aliases count as often as they are used"
    return ConfigError(what, why=why, file=file, line=line, column=column)


def _broken(problem: yaml.YAMLError, file: str) -> ConfigError:
    mark = getattr(problem, "problem_mark", None)
    why = getattr(problem, "problem", None) or str(problem).splitlines()[0]
    line, column = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
    return ConfigError("not valid YAML", why=str(why), file=file, line=line, column=column)


def _column(data: bytes, offset: int) -> int:
    return offset - data.rfind(b"\n", 0, offset)
