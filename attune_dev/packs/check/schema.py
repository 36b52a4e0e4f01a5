"""The JSON Schemas of packs: the one door to the library that compiles them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attune_dev.packs.check.problem import Problem

if TYPE_CHECKING:
    from attune_dev.loading.safe_yaml import YamlDocument

SCHEMAS = Path(__file__).parents[1] / "schemas"
SHOWN = 40

Validate = Callable[[Any], Any]

_TYPES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "empty",
}


def schema_file(kind: str) -> Path:
    """The schema of a kind (``pack``, ``action``, ``sensor`` …), for editors too."""
    return SCHEMAS / f"{kind}.schema.json"


def check_schema(kind: str, document: YamlDocument, path: str) -> Iterator[Problem]:
    """What a file says otherwise than its schema has it, each field once.

    Args:
        kind: which schema.
        document: a mapping.
        path: the file, relative to the pack.
    """
    from fastjsonschema import JsonSchemaValueException

    schema, whole, by_field = _compiled(kind)
    # the library ends at the first fault, so each field is asked for by itself
    try:
        whole(document.value)
    except JsonSchemaValueException:
        yield Problem(path, 1, 1, *_split(str(schema["errorMessage"])))
    for key, value in document.value.items():
        validate = by_field.get(key)
        if validate is None:
            continue
        try:
            validate(value)
        except JsonSchemaValueException as problem:
            line, column = document.line(key) or 1, document.column(key) or 1
            yield Problem(path, line, column, *_told(key, value, problem))


@lru_cache
def _compiled(kind: str) -> tuple[dict[str, Any], Validate, dict[str, Validate]]:
    from fastjsonschema import compile as compile_schema

    schema = json.loads(schema_file(kind).read_bytes())
    frame = {key: schema[key] for key in ("$schema", "type", "anyOf") if key in schema}
    made: dict[str, Validate] = {}
    by_field: dict[str, Validate] = {}
    for key, rule in schema["properties"].items():
        known = {name: text for name, text in rule.items() if name != "description"}
        same = json.dumps(known, sort_keys=True)
        if same not in made:
            definitions = {"definitions": schema["definitions"], "$schema": schema["$schema"]}
            made[same] = compile_schema({**definitions, "allOf": [known]})
        by_field[key] = made[same]
    return schema, compile_schema(frame), by_field


def _split(text: str) -> tuple[str, str]:
    what, _, fix = text.partition(": ")
    return what, f"add {fix}" if fix else ""


def _told(key: str, value: Any, problem: Any) -> tuple[str, str]:
    at = problem.path[1:]
    name = key + "".join(f"[{p}]" if str(p).isdigit() else f".{p}" for p in at)
    found = problem.value
    if problem.rule == "type":
        types = problem.rule_definition
        wanted = " or ".join(_TYPES[t] for t in ([types] if isinstance(types, str) else types))
        fix = "put it in quotes" if "string" in types and _scalar(found) else ""
        return f"`{name}` must be {wanted}, not {_shown(found)}", fix
    if problem.rule == "minLength":
        return f"`{name}` is empty", ""
    if problem.rule == "pattern":
        fix = "use letters, digits, `_`, `-` and dots alone"
        return f"`{name}` cannot be {_shown(found)}", fix
    return f"`{name}` cannot be {_shown(value)}", ""


def _scalar(value: Any) -> bool:
    return value is not None and not isinstance(value, dict | list | str)


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(text[: SHOWN + 1].split())
    return f"`{text[:SHOWN]}…`" if len(text) > SHOWN else f"`{text}`"
