"""The result as a page of the documents (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.ground_truth.edit import Edit
from tests.ground_truth.judge import Judgement, Output


@dataclass(frozen=True, slots=True)
class Rate:
    """How much of what is planned is not needed.

    Attributes:
        beyond: how much of it.
        planned: how much is planned.
    """

    beyond: int
    planned: int

    def __str__(self) -> str:
        share = 100 * self.beyond / self.planned if self.planned else 0.0
        return f"{self.beyond} of {self.planned} ({share:.1f} %)"


def against_cargo(judged: Iterable[tuple[Edit, Judgement]]) -> Rate:
    """Binaries planned to be compiled that cargo does not compile again, for cargo's files."""
    found = [each for edit, each in judged if edit.cargo]
    return Rate(
        sum(len(each.compiled - each.recompiled) for each in found),
        sum(len(each.compiled) for each in found),
    )


def against_bytes(judged: Iterable[tuple[Edit, Judgement]]) -> Rate:
    """Images, pack binaries and packs planned to be made anew that come out as they were."""
    found = [each for _, each in judged]
    made = [{o for o in each.planned if o[0] != "start"} for each in found]
    return Rate(sum(len(each.beyond) for each in found), sum(map(len, made)))


def page(judged: Sequence[tuple[Edit, Judgement]], facts: Mapping[str, str]) -> str:
    """The whole page."""
    missed = sum(len(each.missed) for _, each in judged)
    lines = [
        "# Plans held against builds",
        "",
        "For each edit of the sample workspace, everything is built before and after it in the",
        "plain way (`docker compose build`; what was compiled of the workspace's packages is",
        "removed first, their dependencies stay). The files and the configuration of the images,",
        "the pack binaries, the packs volume, the definitions and what is bind-mounted are then",
        "compared by content. What differs is the truth that the plan is held against.",
        "",
        f"- {len(judged)} edits; outputs that differ and were not planned: **{missed}**",
        f"- planned to be compiled, not compiled again by cargo: {against_cargo(judged)} binaries",
        f"- planned to be made, come out as they were: {against_bytes(judged)} images, pack",
        "  binaries and packs",
        "",
        "The first rate counts the edits of sources, manifests and the lock file, by cargo's own",
        "account of what is fresh, for the profile of images or that of the watch loop. The second",
        "counts all edits: it holds comments, and what BuildKit answers from its cache. A recreate",
        "that a build makes necessary only happens if the image differs. Restarts of services that",
        "read packs follow what the file is for, which no comparison of bytes can tell; they are",
        "not counted.",
        "",
        "`.venv/bin/python -m tests.ground_truth` makes this page; it can be broken off and goes",
        "on where it stopped. The edits are in `tests/ground_truth/edits.py`.",
        "",
        "| edit | differs | planned beyond that | cargo compiles | planned to compile |",
        "|---|---|---|---|---|",
    ]
    row = ""
    for edit, each in judged:
        if edit.row != row:
            row = edit.row
            lines.append(f"| **{row}** | | | | |")
        missing = f" **missed: {_told(each.missed)}**" if each.missed else ""
        cells = (
            edit.name,
            _told(o for o in each.differs if o[0] != "start") + missing,
            _told(each.beyond),
            _names(each.recompiled) if edit.cargo else "",
            _names(each.compiled) if edit.cargo else "",
        )
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", ", ".join(f"{name} {value}" for name, value in facts.items()) + "."]
    return "\n".join(lines) + "\n"


def _told(outputs: Iterable[Output]) -> str:
    kinds: dict[str, list[str]] = {}
    for kind, name in sorted(outputs):
        kinds.setdefault(kind, []).append(name)
    return "; ".join(f"{_PLURAL[kind]} {_names(names)}" for kind, names in kinds.items()) or "–"


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(name.removeprefix("attune-") for name in names)) or "–"


_PLURAL = {"image": "images", "binary": "binaries", "pack": "packs", "start": "starts"}
