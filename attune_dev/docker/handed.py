"""What a build hands over beside its images: cargo's dep-info, out of a stage made for that."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

STAGE = "dep-info"
"""A stage of this name holds the ``<binary>.d`` files that cargo wrote; one need not be there."""

_STAGE = re.compile(rf"(?im)^[ \t]*FROM[ \t][^\n]*[ \t]AS[ \t]+{STAGE}[ \t]*$")
_ARG = re.compile(r"(?im)^[ \t]*ARG[ \t]+(\w+)")
# at the beginning of a file without directives (`# syntax=…`)
_COMMENTS = re.compile(r"\A(?:[ \t]*(?:#(?![ \t]*\w+[ \t]*=)[^\n]*)?\n)++(?![ \t]*#)")

_OF_IMAGES = frozenset({"tags", "labels", "cache-to"})


def with_dep_info(definition: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A bake file that also exports what the stages ``dep-info`` of its Dockerfiles hold.

    It stays one solve, so nothing is compiled for it. Targets whose stage is the same are
    exported once: what is declared below the stage makes no difference to it, nor do comments
    above the first one.

    Args:
        definition: a bake file with absolute paths of Dockerfiles.
        folder: where to; each goes into a folder of its own.
    """
    targets: dict[str, Any] = dict(definition["target"])
    names = list(definition["group"]["default"]["targets"])
    seen: set[str] = set()
    for name in list(names):
        target = definition["target"][name]
        text = _text(target)
        stage = _STAGE.search(text)
        if stage is None:
            continue
        declared = set(_ARG.findall(text[: stage.end()]))
        args = {key: value for key, value in target["args"].items() if key in declared}
        said = _COMMENTS.sub("", text[: stage.end()])
        key = json.dumps([target["context"], said, args], sort_keys=True)
        if key in seen:
            continue
        seen.add(key)
        extra = {key: value for key, value in target.items() if key not in _OF_IMAGES}
        output = f"type=local,dest={folder / name}"
        made = f"{STAGE}-{name}"
        targets[made] = extra | {"target": STAGE, "output": [output]}
        names.append(made)
    return {**definition, "group": {"default": {"targets": names}}, "target": targets}


def _text(target: Mapping[str, Any]) -> str:
    if "dockerfile-inline" in target:
        return str(target["dockerfile-inline"])
    # bake's escapes for what could be taken for its templates
    path = str(target["dockerfile"]).replace("$${", "${").replace("%%{", "%{")
    with suppress(OSError):
        return Path(path).read_text(encoding="utf-8", errors="replace")
    return ""
