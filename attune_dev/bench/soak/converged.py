"""Whether what runs is what is on disk: code, packs, definitions and what was read at the start."""

from __future__ import annotations

import hashlib
import re
from functools import partial
from typing import TYPE_CHECKING

from attune_dev.bench.sample.stack import MARKER, eventually
from attune_dev.docker import process

if TYPE_CHECKING:
    from attune_dev.bench.sample.stack import Stack

CRATE_OF = {
    "api": "api",
    "executor": "executor",
    "notifier": "notifier",
    "sensor": "sensor",
    "worker-shell": "worker",
    "worker-python": "worker",
}
BINARY = "sensors/attune-core-timer-sensor"
HASHES = "cd /opt/attune/packs/core && find . -type f -exec sha256sum {} +"
HASH_LABEL = "com.docker.compose.config-hash"


def differences(stack: Stack) -> list[str]:
    """What runs and is not what is on disk, one line each; empty where all is live."""
    return [
        *_code(stack),
        *_pack_binary(stack),
        *_volume(stack),
        *_definitions(stack),
        *_actions(stack),
    ]


def _marker_of(stack: Stack, crate: str) -> str:
    text = (stack.root / f"crates/{crate}/src/marker.rs").read_text(encoding="utf-8")
    found = re.search(MARKER, text)
    return found[0].strip('"') if found else ""


def _code(stack: Stack) -> list[str]:
    found = []
    for service, crate in CRATE_OF.items():
        told = eventually(partial(stack.get, service, "/health"))
        for name, key in ((crate, "marker"), ("common", "common_marker")):
            wanted = _marker_of(stack, name)
            if told[key] != wanted:
                found.append(f"{service}: {key} is {told[key]}, on disk it is {wanted}")
    return found


def _pack_binary(stack: Stack) -> list[str]:
    content = (stack.root / "packs/core" / BINARY).read_bytes()
    return [
        f"{BINARY} does not hold the marker of {crate}"
        for crate in ("core-timer-sensor", "common")
        if _marker_of(stack, crate).encode() not in content
    ]


def _volume(stack: Stack) -> list[str]:
    there = {}
    for line in stack.docker("exec", stack.container_ids()["api"], "sh", "-c", HASHES).splitlines():
        digest, _, path = line.partition("  ./")
        there[path] = digest
    folder = stack.root / "packs/core"
    here = {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.endswith("~")
    }
    paths = sorted(here.keys() | there.keys())
    return [f"volume: {path} differs" for path in paths if here.get(path) != there.get(path)]


def _definitions(stack: Stack) -> list[str]:
    config = ["docker", "compose", "config", "--hash", "*"]
    told = process.run(config, cwd=stack.root, env=stack.environ).stdout
    wanted = dict(line.split(maxsplit=1) for line in told.splitlines() if " " in line)
    return [
        f"{service}: runs by another definition"
        for service, container in stack.inspect().items()
        if container["Config"]["Labels"][HASH_LABEL] != wanted.get(service, "").strip()
    ]


def _actions(stack: Stack) -> list[str]:
    """What the api has read at its start tells whether it was restarted when that changed."""
    found = []
    for pack, folder in (("core", "packs/core"), ("examples", "packs.dev/examples")):
        for file in sorted((stack.root / folder / "actions").glob("*.yaml")):
            text = file.read_text(encoding="utf-8")
            label = re.search(r"^label: (.*)$", text, re.MULTILINE)
            ref = re.search(r"^ref: (.*)$", text, re.MULTILINE)
            if label is None or ref is None:
                continue
            told = stack.get("api", f"/actions/{ref[1]}")["label"]
            if told != label[1]:
                found.append(f"{pack}: {ref[1]} is {told!r}, on disk it is {label[1]!r}")
    return found
