"""What one YAML file of a pack says, with the places where it says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from attune_dev.errors import ConfigError
from attune_dev.loading.safe_yaml import YamlDocument, load_yaml_document, read_bounded
from attune_dev.packs.check.problem import Problem, Severity
from attune_dev.packs.check.schema import check_schema

PACK_FILES = ("pack.yaml", "pack.yml")
OTHER_FOLDERS = frozenset(
    ("runtimes", "rules", "workflows", "queues", "policies", "permission_sets", "dashboards")
) | {"caches", "aliases"}
"""Folders in which all YAML is looked at, however deep; of what has no kind of its own only the
syntax, for its content varies from installation to installation."""


class Kind(StrEnum):
    """What a YAML file of a pack describes; the values are the names of the schemas."""

    PACK = "pack"
    ACTION = "action"
    SENSOR = "sensor"
    TRIGGER = "trigger"
    RUNTIME = "runtime"
    RULE = "rule"
    WORKFLOW = "workflow"
    OTHER = "other"


KINDS = {
    "actions": Kind.ACTION,
    "sensors": Kind.SENSOR,
    "triggers": Kind.TRIGGER,
    "runtimes": Kind.RUNTIME,
    "rules": Kind.RULE,
    "workflows": Kind.WORKFLOW,
    "actions/workflows": Kind.WORKFLOW,
}
_LOOSE = frozenset((Kind.RULE, Kind.WORKFLOW, Kind.OTHER))
"""What may hold several documents."""


@dataclass(frozen=True, slots=True)
class Word:
    """A text in a file, and where it stands (one-based)."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What one file says.

    Attributes:
        path: relative to the pack.
        kind: what it describes.
        problems: what is wrong with the file by itself.
        ref: its reference, if it gives one.
        runner: its ``runner_type``.
        entry_point: its script or program.
        elsewhere: whether it says in another way what is run: a workflow, a launch.
        workflow: the workflow file that it names.
        triggers: the triggers that it fires or waits for, as written.
        calls: the actions that it starts, as written.
        names: what a runtime is called; the triggers that a sensor itself declares.
    """

    path: str
    kind: Kind
    problems: tuple[Problem, ...] = ()
    ref: Word | None = None
    runner: Word | None = None
    entry_point: Word | None = None
    elsewhere: bool = False
    workflow: Word | None = None
    triggers: tuple[Word, ...] = ()
    names: tuple[str, ...] = ()
    calls: tuple[Word, ...] = ()


def kind_of(path: str) -> Kind | None:
    """What a file of a pack describes by its place; ``None`` for what is not looked at."""
    folder, _, name = path.rpartition("/")
    if not name.endswith((".yaml", ".yml")):
        return None
    if not folder:
        return Kind.PACK if name in PACK_FILES else None
    if folder in KINDS:
        return KINDS[folder]
    return Kind.OTHER if folder.partition("/")[0] in OTHER_FOLDERS else None


def read_facts(file: Path, path: str) -> Facts:
    """Reads one file; it never raises for what is in it.

    Args:
        file: on disk.
        path: relative to the pack; it must be one that :func:`kind_of` knows.
    """
    kind = kind_of(path) or Kind.OTHER
    try:
        text = read_bounded(file, name=path)
        if kind in _LOOSE and _many_documents(text):
            return Facts(path, kind)
        document = load_yaml_document(text, file=path)
    except FileNotFoundError:
        return Facts(path, kind)  # gone since the folder was read
    except ConfigError as problem:
        return Facts(path, kind, (_broken(problem, path),))
    if kind is Kind.OTHER:
        return Facts(path, kind)
    if not isinstance(document.value, dict):
        what = "is empty" if document.value is None else "is no mapping of names to values"
        fix = "" if kind is Kind.PACK else "fill it, or delete it"
        return Facts(path, kind, (Problem(path, 1, 1, f"the file {what}", fix),))
    return _facts(document, path, kind)


def _facts(document: YamlDocument, path: str, kind: Kind) -> Facts:
    data: dict[Any, Any] = document.value
    facts = Facts(
        path,
        kind,
        ref=_word(document, "ref"),
        runner=_word(document, "runner_type") or _class_runner(document),
        entry_point=_word(document, "entry_point"),
        elsewhere=any(key in data for key in ("workflow_file", "launch")),
        workflow=_word(document, "workflow_file"),
        triggers=_triggers(document, _TRIGGERS[kind is Kind.RULE]),
        names=_names(data, kind),
        calls=tuple(_calls(document, kind)),
    )
    if kind is Kind.RUNTIME:
        return facts
    found = list(check_schema(kind.value, document, path))
    version = data.get("version")
    if kind is Kind.PACK and isinstance(version, float | int) and not isinstance(version, bool):
        line, column = document.line("version") or 1, document.column("version") or 1
        message = f"`version` is the number {version} without quotes"
        fix = f'write `version: "{version}"`, so that it stays as it is written'
        found.append(Problem(path, line, column, message, fix, Severity.WARNING))
    return replace(facts, problems=tuple(found))


def _word(document: YamlDocument, key: str) -> Word | None:
    value = document.value.get(key)
    if not isinstance(value, str) or not value:
        return None
    return Word(value, document.line(key) or 1, document.column(key) or 1)


def _class_runner(document: YamlDocument) -> Word | None:
    """A sensor that names a class is a module of Python, and no program."""
    found = _word(document, "class_name")
    return Word("python-script", found.line, found.column) if found else None


_TRIGGERS = (("triggers", "trigger_types", "trigger_type"), ("trigger", "trigger_ref"))
"""Where a sensor and where a rule names triggers."""


def _triggers(document: YamlDocument, keys: tuple[str, ...]) -> tuple[Word, ...]:
    found: list[Word] = []
    for key in keys:
        value = document.value.get(key)
        places: list[tuple[str | int, ...]] = [(key,)]
        if isinstance(value, list):
            places = [(key, index) for index in range(len(value))]
        elif isinstance(value, dict):
            places = [(key, name) for name in ("type", "ref")]
        found += _texts(document, places)
    return tuple(found)


def _calls(document: YamlDocument, kind: Kind) -> list[Word]:
    """The actions that a rule or the tasks of a workflow name."""
    if kind is Kind.RULE:
        return _texts(document, [("action",), ("action", "ref"), ("action_ref",)])
    # a task may go on with what the action is given: `core.local cmd=date`
    return [replace(word, text=word.text.split()[0]) for word in _of_tasks(document, kind)]


def _of_tasks(document: YamlDocument, kind: Kind) -> list[Word]:
    tasks = document.value.get("tasks") if kind is Kind.WORKFLOW else None
    names: Iterable[Any] = tasks if isinstance(tasks, dict) else range(len(tasks or ()))
    usable = isinstance(tasks, dict | list)
    return _texts(document, [("tasks", name, "action") for name in names]) if usable else []


def _texts(document: YamlDocument, places: Iterable[tuple[Any, ...]]) -> list[Word]:
    """The texts at some places; what is something else there is left out."""
    found = []
    for place in places:
        value = document.value
        for key in place:
            if isinstance(value, dict) or (isinstance(value, list) and isinstance(key, int)):
                value = value.get(key) if isinstance(value, dict) else value[key]
            else:
                value = None
        if isinstance(value, str) and value.strip():
            found.append(Word(value, document.line(*place) or 1, document.column(*place) or 1))
    return found


def _names(data: dict[Any, Any], kind: Kind) -> tuple[str, ...]:
    if kind is Kind.SENSOR:
        listed = [item for key in _TRIGGERS[0] for item in _listed(data.get(key))]
        said = [item.get(word) for item in listed for word in ("name", "ref")]
        return tuple(name for name in said if isinstance(name, str))
    if kind is not Kind.RUNTIME:
        return ()
    given = [data.get("ref"), data.get("name")]
    aliases = data.get("aliases")
    given += aliases if isinstance(aliases, list) else []
    texts = [text for text in given if isinstance(text, str)]
    return tuple(dict.fromkeys([*texts, *(text.rpartition(".")[2] for text in texts)]))


def _listed(value: Any) -> list[dict[Any, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _many_documents(text: str) -> bool:
    """Whether a file may hold several documents, which only its own reader can judge."""
    return "\n---" in text.removeprefix("---")


def _broken(problem: ConfigError, path: str) -> Problem:
    message = f"{problem.what}: {problem.why}" if problem.why else problem.what
    return Problem(path, problem.line or 0, problem.column or 0, " ".join(message.split()))
