"""New packs and sensors: files that build, sync and run as they are."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attune_dev.errors import ActionError, ConfigError, UsageError
from attune_dev.model.cargo import CargoWorkspace
from attune_dev.packs.check.schema import schema_file
from attune_dev.packs.scaffold_texts import (
    ACTION,
    CRATE,
    MAIN,
    PACK,
    SCRIPT,
    SENSOR,
    TRIGGER,
    fill,
)
from attune_dev.state import write_beside

NAME = re.compile(r"[a-z][a-z0-9_-]*")
INHERITED = ("version", "edition", "rust-version", "license", "publish")
ALONE = {"version": '"0.1.0"', "edition": '"2021"', "publish": "false"}


@dataclass(slots=True)
class Draft:
    """Files that are about to be written, all or none.

    Attributes:
        root: repository root.
        new: path to text and mode; none of them may be there.
        changed: path to the new text of files that are there.
    """

    root: Path
    new: dict[str, tuple[str, int]] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, text: str, mode: int = 0o644) -> None:
        """Adds a new file; YAML of a pack gets the line that tells editors its schema."""
        self.new[path] = (text, mode)

    def describe(self, path: str, kind: str, text: str) -> None:
        """Adds a new YAML file of a pack, with the line that tells editors its schema."""
        schema, file = schema_file(kind).resolve(), (self.root / path).resolve()
        inside = schema.is_relative_to(self.root.resolve())
        told = os.path.relpath(schema, file.parent) if inside else ""
        header = f"# yaml-language-server: $schema={told}\n" if told else ""
        self.add(path, header + text)

    def write(self) -> tuple[str, ...]:
        """Writes everything.

        Returns:
            The paths, in order.

        Raises:
            UsageError: one of the new files is there already; nothing was written.
            ActionError: a file cannot be written; new ones are removed again.
        """
        for path in self.new:
            if os.path.lexists(self.root / path):
                raise UsageError(f"{path} is there already", hint="take another name")
        made: list[Path] = []
        try:
            for path, (text, mode) in self.new.items():
                place = self.root / path
                place.parent.mkdir(parents=True, exist_ok=True)
                made.append(place)
                write_beside(place, text.encode(), mode)
            for path, text in self.changed.items():
                place = self.root / path
                write_beside(place, text.encode(), place.stat().st_mode)
        except OSError as problem:
            for place in made:
                place.unlink(missing_ok=True)
            why = problem.strerror or str(problem)
            raise ActionError("the files cannot be written", why=why) from None
        return (*self.new, *self.changed)


def new_pack(root: Path, folder: str, name: str) -> Draft:
    """A pack with one action.

    Args:
        root: repository root.
        folder: folder of packs, relative to the root.
        name: the pack's folder and reference.

    Raises:
        UsageError: the name cannot be one.
    """
    check_name("pack", name)
    place, words = f"{folder}/{name}", {"pack": name, "label": _label(name)}
    if os.path.lexists(root / place):
        raise UsageError(f"{place} is there already", hint="take another name")
    draft = Draft(root)
    draft.describe(f"{place}/pack.yaml", "pack", fill(PACK, words))
    draft.describe(f"{place}/actions/hello.yaml", "action", fill(ACTION, words))
    draft.add(f"{place}/actions/hello.sh", SCRIPT, 0o755)
    return draft


def new_sensor(
    root: Path, place: str, ref: str, name: str, cargo: CargoWorkspace, manifest: Mapping[str, Any]
) -> Draft:
    """A sensor in Rust: its YAML, a trigger, and a package in the workspace.

    Args:
        root: repository root.
        place: the pack's folder, relative to the root.
        ref: the pack's reference.
        name: of sensor and trigger.
        cargo: the workspace that gets the package.
        manifest: its ``Cargo.toml`` as parsed.

    Raises:
        UsageError: the name cannot be one, or a package has it already.
        ConfigError: the workspace has no pattern that takes a new package in.
    """
    check_name("sensor", name)
    package = "-".join(part.strip("-") for part in f"{ref}-{name}-sensor".split("_"))
    if any(other.name == package for other in cargo.packages.values()):
        raise UsageError(f"there is a package `{package}` already", hint="take another name")
    crate = f"{_parent(cargo, manifest)}/{package}"
    words = {"pack": ref, "name": name, "label": _label(name), "package": package, "crate": crate}
    draft = Draft(root)
    draft.describe(f"{place}/triggers/{name}.yaml", "trigger", fill(TRIGGER, words))
    draft.describe(f"{place}/sensors/{name}.yaml", "sensor", fill(SENSOR, words))
    shared = manifest.get("workspace", {}).get("package", {})
    lines = [f"{key}.workspace = true" for key in INHERITED if key in shared]
    lines += [f"{key} = {value}" for key, value in ALONE.items() if key not in shared]
    draft.add(f"{crate}/Cargo.toml", fill(CRATE, {**words, "fields": "\n".join(lines)}))
    draft.add(f"{crate}/src/main.rs", fill(MAIN, words))
    lock = root / cargo.lock_file
    if lock.is_file():
        version = str(shared.get("version", "0.1.0"))
        draft.changed[cargo.lock_file] = locked(lock.read_text(), package, version)
    return draft


def check_name(kind: str, name: str) -> None:
    """Makes sure that a name can be one.

    Raises:
        UsageError: it cannot.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"`{name}` is no name of a {kind}",
            why="small letters, digits, `_` and `-`, beginning with a letter",
        )


def locked(text: str, package: str, version: str) -> str:
    """A lock file with one more package without dependencies, where cargo would put it."""
    entry = f'[[package]]\nname = "{package}"\nversion = "{version}"\n'
    head, *entries = re.split(r"(?m)^(?=\[\[package\]\]$)", text)
    for index, other in enumerate(entries):
        found = re.search(r'(?m)^name = "([^"]+)"$', other)
        if found and found[1] > package:
            return "".join([head, *entries[:index], f"{entry}\n", *entries[index:]])
    return f"{text.rstrip()}\n\n{entry}"


def _parent(cargo: CargoWorkspace, manifest: Mapping[str, Any]) -> str:
    """The folder that a pattern of the workspace takes packages from."""
    members = manifest.get("workspace", {}).get("members", [])
    for pattern in members if isinstance(members, list) else []:
        folder = str(pattern).removesuffix("/*")
        if folder != pattern and "*" not in folder:
            return f"{cargo.root}/{folder}".lstrip("/")
    raise ConfigError(
        "no pattern takes a new package into the workspace",
        why="`members` lists packages one by one",
        hint='add a pattern such as "crates/*" to `members`',
        file=cargo.manifest,
    )


def _label(name: str) -> str:
    words = name.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]
