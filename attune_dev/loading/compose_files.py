"""Which files a Compose project is read from, found without constructing what they say.

``docker compose config`` tells no file names, and it can be brought to eat all memory by a few
lines; so the files are found and bounded here before it is called.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from attune_dev.errors import ConfigError
from attune_dev.loading.safe_yaml import check_bounds, compose_nodes, read_bounded
from attune_dev.planning.image_words import expand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# In the order in which Compose looks for them (compose-go, cli/options.go).
DEFAULT_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
_FILES_LIMIT = 200
_SECRET = re.compile(r"TOKEN|SECRET|PASS|KEY|CREDENTIAL|AUTH", re.IGNORECASE)


@dataclass(slots=True)
class ComposeSources:
    """The files of a Compose project.

    Attributes:
        main: Compose files that Compose itself is started with, absolute.
        nodes: YAML documents by absolute path, for telling lines.
        environment: ``.env`` files, absolute; they count whether or not they exist.
        candidates: files that would be read if they existed, absolute.
        env_files: ``env_file`` and ``label_file`` entries of services, absolute.
        texts: content of the Compose files by absolute path.
        named_at: a file that another one names, to the naming file and line.
        secrets: values of variables whose names tell that they must not be shown.
    """

    main: tuple[str, ...] = ()
    nodes: dict[str, list[yaml.Node]] = field(default_factory=dict, repr=False)
    environment: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    env_files: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict, repr=False)
    named_at: dict[str, tuple[str, int]] = field(default_factory=dict)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def all_files(self) -> set[str]:
        """Everything that the resolved project depends on, absolute."""
        return {*self.main, *self.nodes, *self.environment, *self.env_files}


def find_sources(
    root: Path, files: Sequence[str] | None, environ: Mapping[str, str]
) -> ComposeSources:
    """Finds and bounds the files that Compose would read for a project.

    Args:
        root: project folder.
        files: Compose files given by the user, relative to the root; ``None`` for Compose's own
            search by ``COMPOSE_FILE`` and the default names.
        environ: the environment.

    Raises:
        ConfigError: there is no Compose file, one cannot be read, or one is too much to parse.
    """
    sources = ComposeSources()
    base = str(root)
    named = environ.get("COMPOSE_ENV_FILES")
    sources.environment = tuple(
        os.path.normpath(Path(base, name)) for name in (named.split(",") if named else [".env"])
    )
    values = {**_dotenv(sources.environment, root), **environ}
    sources.secrets = tuple(
        value for name, value in values.items() if len(value) > 3 and _SECRET.search(name)
    )
    sources.main, culprit = _main_files(root, files, values, sources)
    _check_existence(sources.main, culprit, root)
    todo = [(path, base) for path in sources.main]
    while todo:
        path, folder = todo.pop()
        if path in sources.nodes or not Path(path).exists():  # Compose tells a missing one
            continue
        if len(sources.nodes) >= _FILES_LIMIT:
            raise ConfigError(f"includes more than {_FILES_LIMIT} files", file=_shown(path, root))
        todo += _scan(path, folder, root, values, sources)
    return sources


def _check_existence(paths: Iterable[str], culprit: str, root: Path) -> None:
    for path in paths:
        if not os.path.lexists(path):
            raise ConfigError(
                "the Compose file does not exist",
                why=f"{culprit} names it" if culprit else "",
                hint=f"correct or unset {culprit}" if culprit else "",
                file=_shown(path, root),
            )


def _main_files(
    root: Path,
    files: Sequence[str] | None,
    values: Mapping[str, str],
    sources: ComposeSources,
) -> tuple[tuple[str, ...], str]:
    def absolute(name: str) -> str:
        return os.path.normpath(root / name)

    if files is not None:
        return tuple(absolute(name) for name in files), ""
    if values.get("COMPOSE_FILE"):
        separator = values.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        names = values["COMPOSE_FILE"].split(separator)
        return tuple(absolute(name) for name in names if name), "COMPOSE_FILE"
    sources.candidates = tuple(absolute(name) for name in (*DEFAULT_NAMES, *OVERRIDE_NAMES))
    for name in DEFAULT_NAMES:
        if (root / name).exists():
            overrides = [n for n in OVERRIDE_NAMES if (root / n).exists()][:1]
            return tuple(absolute(found) for found in (name, *overrides)), ""
    raise ConfigError(
        f"no Compose file in {root}",
        why=f"looked for {', '.join(DEFAULT_NAMES)}, and COMPOSE_FILE is not set",
        hint="change to the folder that has it, or set COMPOSE_FILE",
    )


def _dotenv(paths: Iterable[str], root: Path) -> dict[str, str]:
    """Variables of ``.env`` files, as far as they can name a file: no multi-line values."""
    values: dict[str, str] = {}
    for path in paths:
        if not Path(path).exists():
            continue
        for line in read_bounded(root / path, name=_shown(path, root)).splitlines():
            name, has, value = line.strip().removeprefix("export ").partition("=")
            if has and not name.startswith("#"):
                text = value.strip()
                if text[:1] in ("'", '"') and text[-1:] == text[:1]:
                    text = text[1:-1]
                else:
                    text = text.split(" #", 1)[0].rstrip()
                values[name.strip()] = text
    return values


def _scan(
    path: str, folder: str, root: Path, values: Mapping[str, str], sources: ComposeSources
) -> Iterator[tuple[str, str]]:
    """Takes one Compose file in, and yields those it names with their project folders."""
    shown = _shown(path, root)
    text = read_bounded(root / path, name=shown)
    check_bounds(text, shown)
    documents = compose_nodes(text, shown)
    sources.texts[path], sources.nodes[path] = text, documents
    here = str(Path(path).parent)

    def resolve(node: yaml.Node | None, base: str) -> Iterator[str]:
        for item in _items(node):
            if isinstance(item, yaml.ScalarNode) and item.value:
                found = os.path.normpath(Path(base, expand(item.value, values, quotes=False)))
                sources.named_at.setdefault(found, (path, item.start_mark.line + 1))
                yield found

    for document in documents:
        for entry in _items(get(document, "include")):
            named = get(entry, "path") if isinstance(entry, yaml.MappingNode) else entry
            given = next(resolve(get(entry, "project_directory"), folder), None)
            sources.environment += tuple(resolve(get(entry, "env_file"), folder))
            for found in resolve(named, folder):
                below = given or str(Path(found).parent)
                sources.environment += (f"{below}/.env",)
                yield found, below
        services = get(document, "services")
        for definition in _values(services):
            for name in resolve(get(get(definition, "extends"), "file"), here):
                yield name, str(Path(name).parent)
            for key in ("env_file", "label_file"):
                for entry in _items(get(definition, key)):
                    named = get(entry, "path") if isinstance(entry, yaml.MappingNode) else entry
                    sources.env_files.update(resolve(named, folder))


def get(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a key, also one that a merge key (``<<``) brings in."""
    found = entry(node, key)
    return None if found is None else found[1]


def entry(node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    """A key and its value where they are written, also where a merge key (``<<``) brings them in.

    Args:
        node: a mapping.
        key: as text.
    """
    merged: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode):
                if name.value == key:
                    return name, value
                if name.value == "<<":
                    merged += _items(value)
    for other in merged:
        if other is not node and (found := entry(other, key)) is not None:
            return found
    return None


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    if node is None:
        return []
    return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]


def _values(node: yaml.Node | None) -> list[yaml.Node]:
    return [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else []


def _shown(path: str, root: Path) -> str:
    relative = os.path.relpath(path, root)
    return path if relative.startswith("..") else relative
