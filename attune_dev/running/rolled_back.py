"""Services that were put back by hand: they stay so until their sources change.

``inv rollback`` is another process than a loop that runs. What it did is written down with the
containers that it left, so that the loop does not take them for somebody's mischief.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.state import STATE_DIRECTORY, keep_json, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FILE = "rolled-back.json"


def note(root: Path, service: str, containers: Iterable[str]) -> None:
    """Notes that a service was put back.

    Args:
        root: repository root.
        service: which.
        containers: ids of its containers afterwards.
    """
    _keep(root, {**noted(root), service: frozenset(containers)})


def noted(root: Path) -> dict[str, frozenset[str]]:
    """Service to ids of its containers, of those that were put back and have no newer code."""
    try:
        told = read_json(root / STATE_DIRECTORY / FILE)
        return {str(name): frozenset(map(str, ids)) for name, ids in told.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def forget(root: Path, services: Iterable[str] | None = None) -> None:
    """The services have newer code, or are to get it; all of them where none is named."""
    known = noted(root)
    gone = set(known if services is None else services)
    if gone & known.keys():
        _keep(root, {name: ids for name, ids in known.items() if name not in gone})


def _keep(root: Path, known: Mapping[str, frozenset[str]]) -> None:
    keep_json(root, FILE, {name: sorted(ids) for name, ids in sorted(known.items())})
