"""What a check of the machine finds: values, told by someone else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Say = Callable[[str], None]
"""Tells the user one line."""


class State(StrEnum):
    """How one thing stands."""

    OK = "ok"
    MISSING = "missing"
    TOO_OLD = "too old"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that the machine must have.

    Attributes:
        name: ``engine``, ``compose``, ``buildx``, or an image name.
        state: how it stands.
        found: version or name that is there; empty where nothing is.
        needed: what is asked for, in words.
        why: the reason where it is not ok, one or more lines.
        hint: the one next step where it is not ok.
    """

    name: str
    state: State
    found: str = ""
    needed: str = ""
    why: str = ""
    hint: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is to be done."""
        return self.state is State.OK


@dataclass(frozen=True, slots=True)
class SetupReport:
    """All that was looked at, in the order in which it is needed.

    Attributes:
        items: one per thing.
    """

    items: tuple[Item, ...]

    @property
    def ok(self) -> bool:
        """Whether the tasks can run."""
        return all(item.ok for item in self.items)

    @property
    def lacking(self) -> tuple[Item, ...]:
        """What is not ok."""
        return tuple(item for item in self.items if not item.ok)

    def lines(self) -> list[str]:
        """One line per thing, with reason and next step below what is not ok."""
        width = max((len(item.name) for item in self.items), default=0)
        told = []
        for item in self.items:
            detail = item.found if item.ok else f"{item.found or '-'} (needed: {item.needed})"
            told.append(f"{item.state.value:8} {item.name:{width}}  {detail}".rstrip())
            if not item.ok:
                told += [f"         {line}" for line in item.why.splitlines()]
                told += [f"         fix: {item.hint}"] if item.hint else []
        return told

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "version": 1,
            "ok": self.ok,
            "items": [
                {
                    "name": item.name,
                    "state": item.state.value,
                    "found": item.found,
                    "needed": item.needed,
                    "why": item.why,
                    "hint": item.hint,
                }
                for item in self.items
            ],
        }
