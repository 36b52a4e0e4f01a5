"""Rules over all files of a pack, and over packs: references, names, runner types (pure)."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence

from attune_dev.packs.check.facts import PACK_FILES, Facts, Kind, Word
from attune_dev.packs.check.problem import Problem, Severity
from attune_dev.packs.check.runners import KNOWN, normal

_OF_PACKS = (Kind.ACTION, Kind.SENSOR, Kind.TRIGGER, Kind.RULE)


def pack_ref(files: Sequence[Facts], name: str) -> str:
    """The reference of a pack: what it says, or its folder's name."""
    said = next((f.ref for f in files if f.kind is Kind.PACK and f.ref), None)
    return said.text if said else name


def check_pack_file(files: Sequence[Facts]) -> Iterator[Problem]:
    """A folder without ``pack.yaml`` is no pack for any service."""
    if not any(facts.kind is Kind.PACK for facts in files):
        message = "it has no pack.yaml, so that no service will load it"
        yield Problem("", 0, 0, message, f"add {PACK_FILES[0]} with `ref:`", Severity.WARNING)


def check_refs(files: Sequence[Facts], own: str) -> Iterator[Problem]:
    """References of one kind are unique in a pack and begin with the pack's own."""
    for kind in _OF_PACKS:
        first: dict[str, Facts] = {}
        for facts in files:
            if facts.kind is not kind or facts.ref is None:
                continue
            name = _whole(facts.ref.text, own) if kind is Kind.RULE else facts.ref.text
            other = first.setdefault(name, facts)
            if other is not facts:
                where = f"{other.path}:{other.ref.line if other.ref else 1}"
                message = f"`{facts.ref.text}` is already the {kind.value} of {where}"
                yield _at(facts, facts.ref, message, "give one of the two another reference")
            elif not name.startswith(f"{own}."):
                message = f"`{facts.ref.text}` does not begin with the pack's reference `{own}.`"
                fix = f"write `{own}.{facts.ref.text.rpartition('.')[2]}`"
                yield _at(facts, facts.ref, message, fix, Severity.WARNING)


def check_runners(files: Sequence[Facts], known: Collection[str]) -> Iterator[Problem]:
    """A runner type that nobody knows runs nothing.

    Args:
        files: of the pack.
        known: names of the runtimes that packs and settings declare.
    """
    for facts in files:
        if facts.kind is Kind.ACTION and facts.runner is None and not facts.elsewhere:
            if not any(problem.path == facts.path for problem in facts.problems):
                fix = "add `runner_type: shell`, `python` or `node`"
                yield Problem(facts.path, 1, 1, "`runner_type` is missing", fix)
        elif facts.runner is not None and facts.kind in _OF_PACKS:
            name = normal(facts.runner.text)
            if name in KNOWN or facts.runner.text in known or name in known:
                continue
            near = difflib.get_close_matches(name, sorted({*KNOWN, *known}), 1)
            fix = f"did you mean `{near[0]}`?" if near else _OTHER_RUNNER
            yield _at(facts, facts.runner, f"no runner type `{facts.runner.text}` is known", fix)


_OTHER_RUNNER = "declare it in a pack's runtimes/, or in the setting `runner-types`"


def check_triggers(files: Sequence[Facts], own: str) -> Iterator[Problem]:
    """A sensor fires triggers that exist; those of other packs are not looked for."""
    there = _refs(files, Kind.TRIGGER, own)
    for facts in files:
        if facts.kind is not Kind.SENSOR or there is None:
            continue
        for word in facts.triggers:
            name = _whole(word.text, own)
            if name.startswith(f"{own}.") and name not in there:
                near = difflib.get_close_matches(name, sorted(there), 1)
                fix = f"did you mean `{near[0]}`?" if near else "add it to triggers/"
                yield _at(facts, word, f"this pack has no trigger `{name}`", fix)


def check_uses(files: Sequence[Facts], own: str) -> Iterator[Problem]:
    """A rule waits for a trigger and starts an action, and so do the tasks of a workflow.

    Others may have made what is missing here through the api, so it is a warning.
    """
    for facts in files:
        waits = facts.triggers if facts.kind is Kind.RULE else ()
        for kind, words in ((Kind.TRIGGER, waits), (Kind.ACTION, facts.calls)):
            there = _refs(files, kind, own)
            for word in words:
                # a task may name a command of the workflow's engine
                name = _whole(word.text, own) if facts.kind is Kind.RULE else word.text
                if there is None or not name.startswith(f"{own}.") or name in there:
                    continue
                near = difflib.get_close_matches(name, sorted(there), 1)
                fix = f"did you mean `{near[0]}`?" if near else f"add it to {kind.value}s/"
                message = f"this pack has no {kind.value} `{name}`"
                yield _at(facts, word, message, fix, Severity.WARNING)


def _whole(text: str, own: str) -> str:
    """A reference with its pack's, which a short one leaves out."""
    return text if "." in text else f"{own}.{text}"


def _refs(files: Sequence[Facts], kind: Kind, own: str) -> set[str] | None:
    """The references of one kind; ``None`` where a file does not tell its own."""
    found = [facts.ref for facts in files if facts.kind is kind]
    declared = [f.names for f in files if f.kind is Kind.SENSOR and kind is Kind.TRIGGER]
    names = {_whole(name, own) for each in declared for name in each}
    return None if None in found else {ref.text for ref in found if ref} | names


def check_pack_refs(packs: Mapping[str, Sequence[Facts]]) -> Iterator[tuple[str, Problem]]:
    """Packs of one folder have references of their own: of two, services load the first.

    Args:
        packs: files by folder name, in the order of the names.
    """
    first: dict[str, str] = {}
    for name, files in packs.items():
        for facts in files:
            if facts.kind is Kind.PACK and facts.ref:
                other = first.setdefault(facts.ref.text, name)
                if other != name:
                    message = f"`{facts.ref.text}` is already the reference of the pack {other}/"
                    yield name, _at(facts, facts.ref, message, "give one of the two another one")


def _at(
    facts: Facts, word: Word, message: str, fix: str, severity: Severity = Severity.ERROR
) -> Problem:
    return Problem(facts.path, word.line, word.column, message, fix, severity)
