"""Repositories of many shapes as folders of real files, each with the plans that are right.

``tests/fixtures/shapes/<shape>/`` is a repository, ``<shape>.txt`` beside it says what it is and,
after each line ``> CHANGES``, the plan. A change is a path: modified, or deleted where it does not
exist; with ``+`` it was created, ``OLD => NEW`` was moved. ``[a,b]`` in front turns profiles on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from attune_dev.loading.workspace import active_services, load_workspace
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.workspace import Workspace
from attune_dev.planning.planner import make_plan
from attune_dev.settings import load_settings

SHAPES = Path(__file__).resolve().parents[2] / "fixtures/shapes"


def shapes() -> list[str]:
    """The names of all shapes."""
    return sorted(path.name for path in SHAPES.iterdir() if path.is_dir())


def expected(shape: str) -> dict[str, str]:
    """The plans of a shape, by the changes that they are for."""
    _, *parts = (SHAPES / f"{shape}.txt").read_text(encoding="utf-8").split("\n> ")
    return {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}


def plan_of(root: Path, asked: str, environ: Mapping[str, str] | None = None) -> str:
    """The plan for changes of a repository, as the expected one is written.

    Args:
        root: the repository.
        asked: the changes as they stand after ``>``.
        environ: for the Compose plugin.
    """
    profiles: list[str] = []
    if asked.startswith("["):
        listed, _, asked = asked[1:].partition("] ")
        profiles = listed.split(",")
    workspace = _loaded(root, tuple((environ or {}).items()))
    services = active_services(workspace.compose, profiles)
    return make_plan(workspace, _changes(root, asked), services=services).describe()


@cache
def _loaded(root: Path, environ: tuple[tuple[str, str], ...]) -> Workspace:
    return load_workspace(root, load_settings(root), environ=dict(environ) or None)


def _changes(root: Path, asked: str) -> Iterator[Change]:
    if " => " in asked:
        old, _, new = asked.partition(" => ")
        yield Change(new, ChangeKind.MOVED, old)
        return
    for word in asked.split():
        if word.startswith("+"):
            yield Change(word[1:], ChangeKind.CREATED)
        else:
            exists = (root / word).exists()
            yield Change(word, ChangeKind.MODIFIED if exists else ChangeKind.DELETED)
