"""A plan as a person reads it; pure text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attune_dev.model.change import Change
from attune_dev.model.plan import Action, Because, Ignored, Plan

CAUSES_SHOWN = 6
"""How many causes of an action are named before the rest is counted."""

IGNORED_SHOWN = 12
_BOLD, _DIM, _GREEN, _YELLOW, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
_SMALLEST = 40


@dataclass(frozen=True, slots=True)
class _Ink:
    on: bool

    def __call__(self, code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if self.on and text else text


def shown(text: str) -> str:
    """A path without what a terminal would obey, or could not print."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def render_plan(
    plan: Plan,
    width: int = 100,
    colour: bool = False,
    *,
    provenance: Mapping[str, str] | None = None,
) -> str:
    """The plan as text.

    Args:
        plan: what to show.
        width: columns.
        colour: whether terminal colours are used.
        provenance: setting to the place it was taken from; defaults are not told.
    """
    ink = _Ink(colour)
    width = max(width, _SMALLEST)
    blocks = [_headline(plan, width, ink)]
    if plan.actions:
        blocks.append("\n".join(line for a in plan.actions for line in _action(a, width, ink)))
    if plan.ignored:
        blocks.append("\n".join(_ignored(plan.ignored, width, ink)))
    if said := _settings(provenance or {}):
        told = [f"  {line}" for line in _aligned(said, width - 2, ink)]
        blocks.append("\n".join([ink(_YELLOW, "settings"), *told]))
    return "\n\n".join(blocks)


def _settings(provenance: Mapping[str, str]) -> list[tuple[str, str]]:
    """Settings and their place, one row for a place."""
    by_place: dict[str, list[str]] = {}
    for name, place in sorted(provenance.items()):
        if place != "default":
            by_place.setdefault(place, []).append(name)
    return [
        (first if not more else f"{first} and {len(more)} more", shown(place))
        for place, (first, *more) in by_place.items()
    ]


def _headline(plan: Plan, width: int, ink: _Ink) -> str:
    if not plan.changes and not plan.actions:
        return "nothing changed: nothing to do"
    changed = _count(len(plan.changes), "changed file") if plan.changes else ""
    todo = _count(len(plan.actions), "action") if plan.actions else "nothing to do"
    said = ": ".join(part for part in (changed, todo) if part)
    if len(plan.changes) != 1:
        return ink(_BOLD, said)
    change = _change(plan.changes[0])
    between = "  " if len(said) + 2 + len(change) <= width else "\n  "
    return ink(_BOLD, said) + between + change


def _change(change: Change) -> str:
    came = f" from {shown(change.moved_from)}" if change.moved_from is not None else ""
    return f"{change.kind.value} {shown(change.path)}{came}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("s" if number != 1 else "")


def _action(action: Action, width: int, ink: _Ink) -> list[str]:
    number = f"{action.id:>3}  "
    kind = action.kind.value
    after = ", ".join(f"{need}" for need in action.needs)
    tail = f"  (after {after})" if after else ""
    room = width - len(number) - len(kind) - 2
    targets = _fold(" ".join(action.targets) + tail, room)
    indent = " " * (len(number) + len(kind) + 2)
    first = f"{ink(_DIM, number)}{ink(_GREEN + _BOLD, kind)}  {targets[0]}".rstrip()
    lines = [first, *(indent + more for more in targets[1:])]
    return lines + _causes(action.because, width, ink)


def _causes(because: Sequence[Because], width: int, ink: _Ink) -> list[str]:
    named = because[:CAUSES_SHOWN]
    pairs = [(shown(cause.path), cause.reason) for cause in named]
    lines = [f"       {line}" for line in _aligned(pairs, width - 7, ink)]
    if len(because) > len(named):
        lines.append(ink(_DIM, f"       and {len(because) - len(named)} more"))
    return lines


def _ignored(ignored: Sequence[Ignored], width: int, ink: _Ink) -> list[str]:
    pairs = [(shown(item.path), item.reason) for item in ignored]
    if len(pairs) > IGNORED_SHOWN:
        counted: dict[str, int] = {}
        for item in ignored:
            counted[item.reason] = counted.get(item.reason, 0) + 1
        pairs = [(_count(number, "file"), reason) for reason, number in sorted(counted.items())]
    return [ink(_YELLOW, "ignored"), *(f"  {line}" for line in _aligned(pairs, width - 2, ink))]


def _aligned(pairs: Sequence[tuple[str, str]], width: int, ink: _Ink) -> list[str]:
    """Two columns; a reason goes below its path where they do not fit beside each other."""
    column = max((len(left) for left, _ in pairs), default=0)
    stacked = column > width // 2
    pad = " " * (2 if stacked else column + 2)
    lines: list[str] = []
    for left, reason in pairs:
        folded = _fold(reason, width - len(pad))
        if stacked:
            lines.append(left)
            lines += [pad + ink(_DIM, line) for line in folded]
        else:
            lines.append((f"{left:<{column}}  " + ink(_DIM, folded[0])).rstrip())
            lines += [pad + ink(_DIM, line) for line in folded[1:]]
    return lines


def _fold(text: str, width: int) -> list[str]:
    """Lines of at most ``width``, but no name is cut."""
    return textwrap.wrap(text, max(width, 10), break_long_words=False, break_on_hyphens=False) or [
        ""
    ]
