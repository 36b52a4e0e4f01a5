"""The closed set of reasons for doing something, and the one place that words them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

SHOWN = 4
"""How many subjects a reason names before it counts the rest."""


class ReasonKind(Enum):
    """Why a path leads to an action; the value is the sentence, ``{}`` its subjects."""

    COMPILES = "compiles {}"
    INCLUDED = "is included by {}"
    DEP_INFO = "compiled into {} (dep-info)"
    MANIFEST = "says how {} is built"
    LOCK = "locks dependencies of {}"
    TOOLCHAIN = "decides how {} is compiled"
    COPIED = "is copied into the image of {}"
    BUILD_READS = "is read by the build of {}"
    BUILT_FROM = "its image is built from that of {}"
    DOCKERFILE = "is the Dockerfile of {}"
    CONTEXT_RULES = "decides what the build of {} sees"
    MOUNTED = "is mounted into {}"
    DECLARED = "is declared as read by {}"
    DEFINES = "is read again: it defines {}"
    DEFINITION = "changes the definition of {}"
    REMOVED = "no longer defines {}"
    PACK = "belongs to pack {}"
    PACK_BINARY = "changes the binary {}"
    READS_PACK = "changes pack {}"
    FILLED = "follows a new run of {}"
    REQUESTED = "{}"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason and what it is about.

    Attributes:
        kind: which reason.
        subject: a binary, service, pack or other name that its sentence needs.
    """

    kind: ReasonKind
    subject: str = ""


COMPILE_KINDS = frozenset(
    (
        *(ReasonKind.COMPILES, ReasonKind.INCLUDED, ReasonKind.MANIFEST, ReasonKind.LOCK),
        ReasonKind.TOOLCHAIN,
    )
)
"""Why cargo makes another program: where nothing else is told, an image differs in that alone."""


_ORDER = {kind: place for place, kind in enumerate(ReasonKind)}


def render_reasons(reasons: Iterable[Reason]) -> str:
    """Words a set of reasons as one line: equal kinds share a sentence, in a stable order.

    Example:
        ``compiles attune-api, attune-executor; is mounted into notifier``
    """
    subjects: dict[ReasonKind, set[str]] = {}
    for reason in reasons:
        subjects.setdefault(reason.kind, set()).add(reason.subject)
    return "; ".join(
        kind.value.format(enumerate_names(subjects[kind]))
        for kind in sorted(subjects, key=_ORDER.__getitem__)
    )


def enumerate_names(names: Iterable[str]) -> str:
    """The names, sorted, with commas; from the fifth on they are only counted."""
    ordered = sorted(name for name in set(names) if name)
    if len(ordered) <= SHOWN:
        return ", ".join(ordered)
    return f"{', '.join(ordered[: SHOWN - 1])} and {len(ordered) - SHOWN + 1} more"
