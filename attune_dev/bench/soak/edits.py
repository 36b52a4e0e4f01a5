"""What a developer, an editor, a formatter, a coding agent or git does to a tree, at random.

Each edit is chosen by a seeded generator alone, so that a seed replays the same edits.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from attune_dev.bench.sample.stack import MARKER
from attune_dev.docker import process

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

CRATES = ("api", "executor", "notifier", "sensor", "worker", "common", "core-timer-sensor")
ACTIONS = "packs/core/actions"
COMPOSE = "docker-compose.yaml"
BURST = 200
GIT = ("git", "-c", "user.name=soak", "-c", "user.email=soak@localhost", "-c", "gc.auto=0")
BRANCHES = ("soak-a", "soak-b")


@dataclass
class Tree:
    """A clone that is edited.

    Attributes:
        root: where it is.
        random: decides.
        number: counts what is made, so that no two are the same.
        broken: files that are wrong at the moment, and their last good content.
    """

    root: Path
    random: random.Random
    number: int = 0
    broken: dict[str, bytes] = field(default_factory=dict)

    def next(self) -> int:
        """A number that was not there before."""
        self.number += 1
        return self.number

    def git(self, *words: str) -> str:
        """Runs git."""
        return process.run([*GIT, *words], cwd=self.root).stdout

    def write(self, path: str, content: bytes) -> None:
        """Saves a file in one of the ways in which editors do."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        way = self.random.choice(("in place", "rename", "backup", "twice"))
        mode = file.stat().st_mode if file.exists() else None
        if way == "rename":
            beside = file.with_name(f"{file.name}.tmp~")
            beside.write_bytes(content)
            if mode is not None:
                beside.chmod(mode)
            beside.replace(file)
        elif way == "backup" and file.exists():
            file.rename(file.with_name(f"{file.name}~"))
            file.write_bytes(content)
            file.chmod(mode or 0o644)
            file.with_name(f"{file.name}~").unlink()
        else:
            if way == "twice":
                file.write_bytes(content[: len(content) // 2])
            file.write_bytes(content)


def start(tree: Tree) -> None:
    """Makes the first commit and the branches."""
    tree.git("add", "-A")
    tree.git("commit", "-qm", "start")
    for branch in BRANCHES:
        tree.git("branch", branch)


def edit(tree: Tree) -> str:
    """Does something; returns what, in words."""
    kinds = list(KINDS)
    [kind] = tree.random.choices(kinds, [KINDS[kind] for kind in kinds])
    return kind(tree)


def repair(tree: Tree, *paths: str) -> list[str]:
    """Puts right what is wrong (in some files); returns the files."""
    mended = sorted(tree.broken.keys() & paths if paths else tree.broken)
    for path in mended:
        tree.write(path, tree.broken.pop(path))
    return mended


def _marker(tree: Tree) -> str:
    crate = tree.random.choice(CRATES)
    path = f"crates/{crate}/src/marker.rs"
    new = f'"{crate}-{tree.next()}"'
    text = tree.broken.pop(path, (tree.root / path).read_bytes()).decode()
    tree.write(path, re.sub(MARKER, new, text, count=1).encode())
    return f"marker of {crate}: {new}"


def _break_code(tree: Tree) -> str:
    crate = tree.random.choice(CRATES)
    path = f"crates/{crate}/src/marker.rs"
    good = (tree.root / path).read_bytes()
    if path in tree.broken:
        return f"{path} is broken already"
    tree.broken[path] = good
    tree.write(path, good + f"\nlet broken = {tree.next()}\n".encode())
    return f"break {path}"


def _mend(tree: Tree) -> str:
    return f"mend {', '.join(repair(tree)) or 'nothing'}"


def _pack_yaml(tree: Tree) -> str:
    path = f"{ACTIONS}/{tree.random.choice(('echo', 'greet', 'noop', 'sleep', 'upper'))}.yaml"
    text = (tree.root / path).read_text(encoding="utf-8")
    label = f"label: Edited {tree.next()}"
    tree.write(path, re.sub(r"^label: .*$", label, text, count=1, flags=re.MULTILINE).encode())
    return f"{path}: {label}"


def _pack_script(tree: Tree) -> str:
    name = f"made_{tree.random.randrange(4)}"
    number = tree.next()
    script = f"{ACTIONS}/{name}.sh"
    tree.write(script, f"#!/bin/sh\necho {number}\n".encode())
    (tree.root / script).chmod(0o755)
    yaml = f"ref: core.{name}\nlabel: Made {number}\nrunner_type: shell\n"
    tree.write(f"{ACTIONS}/{name}.yaml", f"{yaml}entry_point: {name}.sh\nenabled: true\n".encode())
    return f"action {name}, {number}"


def _remove_script(tree: Tree) -> str:
    name = f"made_{tree.random.randrange(4)}"
    for suffix in ("yaml", "sh"):
        (tree.root / f"{ACTIONS}/{name}.{suffix}").unlink(missing_ok=True)
    return f"remove action {name}"


def _chmod(tree: Tree) -> str:
    file = tree.root / ACTIONS / "echo.sh"
    file.chmod(file.stat().st_mode ^ 0o001)
    return "chmod of echo.sh that git would not tell"


def _development_pack(tree: Tree) -> str:
    path = "packs.dev/examples/actions/count-words.yaml"
    text = (tree.root / path).read_text(encoding="utf-8")
    label = f"label: Counted {tree.next()}"
    tree.write(path, re.sub(r"^label: .*$", label, text, count=1, flags=re.MULTILINE).encode())
    return f"{path}: {label}"


def _compose(tree: Tree) -> str:
    path = COMPOSE
    text = tree.broken.pop(path, (tree.root / path).read_bytes()).decode()
    text = re.sub(r'\n    labels: \{soak: "\d+"\}', "", text)
    service = tree.random.choice(("executor", "notifier"))
    head = f"\n  {service}:\n    <<: *service"
    label = f'\n    labels: {{soak: "{tree.next()}"}}'
    tree.write(path, text.replace(head, head + label, 1).encode())
    return f"definition of {service}"


def _break_compose(tree: Tree) -> str:
    path = COMPOSE
    if path in tree.broken:
        return f"{path} is broken already"
    good = (tree.root / path).read_bytes()
    tree.broken[path] = good
    tree.write(path, good + b"\n  oops: [unclosed\n")
    return f"break {path}"


def _mounted(tree: Tree) -> str:
    path = "config/attune.yaml"
    text = (tree.root / path).read_text(encoding="utf-8")
    keep = f"keep: {200 + tree.next()}"
    text = re.sub(r"^keep: \d+", keep, text, count=1, flags=re.MULTILINE)
    tree.write(path, text.encode())
    return f"{path}: {keep}"


def _nothing(tree: Tree) -> str:
    path = f"crates/{tree.random.choice(CRATES)}/src/marker.rs"
    tree.write(path, (tree.root / path).read_bytes())
    return f"save {path} without a change"


def _unread(tree: Tree) -> str:
    tree.write(f"docs/soak-{tree.random.randrange(3)}.md", f"{tree.next()}\n".encode())
    return "a document"


def _burst(tree: Tree) -> str:
    folder = tree.root / "packs/core/burst"
    if folder.exists():
        shutil.rmtree(folder)
        return "remove a folder of many files"
    folder.mkdir()
    for number in range(BURST):
        (folder / f"{number}.txt").write_text(f"{tree.next()}\n", encoding="utf-8")
    return f"{BURST} files at once"


def _commit(tree: Tree) -> str:
    if tree.broken:
        return "no commit of what is broken"
    tree.git("add", "-A")
    tree.git("commit", "-q", "--allow-empty", "-m", f"commit {tree.next()}")
    return "commit"


def _switch(tree: Tree) -> str:
    if tree.broken:
        return "no switch while something is broken"
    _commit(tree)
    branch = tree.random.choice(("HEAD~1", *BRANCHES))
    if branch.startswith("HEAD"):
        with suppress(process.CommandFailed):  # the first commit has none before it
            tree.git("checkout", "-q", branch, "--", "crates", "packs")
        return "content of an earlier commit"
    tree.git("checkout", "-q", branch)
    return f"switch to {branch}"


def _there_and_back(tree: Tree) -> str:
    path = f"crates/{tree.random.choice(CRATES)}/src/marker.rs"
    content = (tree.root / path).read_bytes()
    tree.write(path, content + f"// {tree.next()}\n".encode())
    tree.write(path, content)
    return f"{path}, there and back"


KINDS: dict[Callable[[Tree], str], int] = {
    _marker: 8,
    _break_code: 2,
    _mend: 6,
    _pack_yaml: 5,
    _pack_script: 3,
    _remove_script: 2,
    _chmod: 1,
    _development_pack: 2,
    _compose: 1,
    _break_compose: 1,
    _mounted: 1,
    _nothing: 2,
    _unread: 1,
    _burst: 1,
    _commit: 1,
    _switch: 2,
    _there_and_back: 2,
}
"""What is done, and how often in proportion."""
