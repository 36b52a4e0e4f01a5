"""What a path concerns: an ordered table of rules, the first match per output decides.

A file can concern several outputs: it is mounted here, copied there and belongs to a pack. Each
output has its own rules. Only where no output reads the file do the rules speak that say why not.

Files of one folder that no rule can tell apart share a verdict, so that thousands of paths cost
little more than their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from attune_dev.planning.effects import Impact
from attune_dev.planning.graph import CopySource, Graph, Owner
from attune_dev.planning.image_ignore import reads
from attune_dev.planning.packages import CARGO_FILES, is_document
from attune_dev.planning.readers import Compiler, Folder, Readers, Role
from attune_dev.planning.reasons import Reason, ReasonKind
from attune_dev.planning.unread import editor_temporary
from attune_dev.planning.why_not import NOTHING_READS_IT, explain_unread, hidden_from_context


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a path concerns.

    Attributes:
        impacts: what is to be done, empty where nothing reads it.
        unread: the rule by which nothing reads it.
        final: whether that rule goes before what git ignores.
    """

    impacts: tuple[Impact, ...] = ()
    unread: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class _Facts:
    """Who reads a path."""

    definitions: tuple[str, ...]
    images: tuple[tuple[Owner, ReasonKind], ...]
    mounts: tuple[str, ...]
    roles: tuple[Role, ...]
    copies: tuple[tuple[Owner, bool], ...]
    compilers: tuple[Compiler, ...]
    declared: tuple[str, ...]


class Classifier:
    """Answers per path for one graph."""

    def __init__(self, graph: Graph, elsewhere: frozenset[str] = frozenset()) -> None:
        """Starts with nothing known.

        Args:
            graph: answers who reads what.
            elsewhere: folders of packages that another state of the repository has.
        """
        self.graph = graph
        self.readers = Readers(graph, elsewhere)
        self.effects = self.readers.effects
        self._by_kind: dict[tuple[str, object], Verdict] = {}
        self._by_facts: dict[_Facts, tuple[Impact, ...]] = {}
        self._by_rule: dict[str, Verdict] = {}
        self._nothing = Verdict(unread=NOTHING_READS_IT)

    def classify(self, path: str) -> Verdict:
        """What a path concerns, cargo's own manifests aside (see ``cargo_files``)."""
        rule = editor_temporary(path)
        if rule is not None:
            return self._unread(f"an editor's temporary file, by the rule {rule}")
        folder = self.readers.folder_of(path)
        if path in self.readers.exact:
            verdict = self._judge(path, folder)
        elif folder.unread:
            verdict = self._nothing
        else:
            kind = (folder.name, self._kind(path, folder))
            known = self._by_kind.get(kind)
            if known is None:
                known = self._by_kind[kind] = self._judge(path, folder)
            verdict = known
        if not verdict.unread or verdict.final:
            return verdict
        ignored = self.readers.sources.git_ignore.rule(path)
        return verdict if ignored is None else self._unread(f"hidden by rule {ignored}")

    def compilers_of(self, package: str, kind: ReasonKind, path: str = "") -> tuple[Impact, ...]:
        """What must be done when the code of a package changes.

        Args:
            package: its folder.
            kind: the reason to give.
            path: where it is given, builds from which a ``.dockerignore`` hides it are left out.
        """
        return tuple(
            dict.fromkeys(
                impact
                for owner, binary in self.graph.compiled_by.get(package, ())
                if not path or self.readers.hidden(owner, path) is None
                for impact in self._of_compiler((owner, binary, kind))
            )
        )

    def of_binary(
        self, owner: Owner, binary: str, kind: ReasonKind, path: str
    ) -> tuple[Impact, ...]:
        """What must be done when a binary would come out differently, seen from a path."""
        if self.readers.hidden(owner, path) is not None:
            return ()
        return self._of_compiler((owner, binary, kind))

    def _kind(self, path: str, folder: Folder) -> object:
        """All by which rules can tell files of one folder apart."""
        readers = self.readers
        name = path.rpartition("/")[2]
        package = folder.package
        return (
            package is not None and readers.files.area(path, package),
            is_document(path),
            name in CARGO_FILES,
            not folder.name and name.startswith("."),
            folder.packs and readers.roles(path),
            tuple(rules.hides(path) for rules in folder.rules),
            tuple(reads(source, path) for source in readers.globs),
            readers.declared(path),
            readers.excused(path),
            folder.whole and readers.sources.git_ignore.rule(path) is None,
        )

    def _judge(self, path: str, folder: Folder) -> Verdict:
        if folder.generated is not None and not self.readers.named_in_generated(path):
            return self._unread(f"generated: tools write {folder.generated}")
        impacts = self._impacts(path)
        excused = self.readers.excused(path) if impacts else frozenset()
        if excused:
            impacts = tuple(impact for impact in impacts if impact.target not in excused)
            if not impacts:
                return self._unread("x-attune-dev says that it never concerns who could read it")
        if impacts:
            return Verdict(impacts)
        hidden = hidden_from_context(self.readers, path, folder.package)
        if hidden:
            return self._unread(hidden)
        return Verdict(unread=explain_unread(self.readers, path, folder.package))

    def _unread(self, rule: str) -> Verdict:
        known = self._by_rule.get(rule)
        if known is None:
            known = self._by_rule[rule] = Verdict(unread=rule, final=True)
        return known

    def _impacts(self, path: str) -> tuple[Impact, ...]:
        facts = self._facts(path)
        if facts not in self._by_facts:
            self._by_facts[facts] = tuple(dict.fromkeys(self._expand(facts)))
        return self._by_facts[facts]

    def _facts(self, path: str) -> _Facts:
        readers = self.readers
        roles = readers.roles(path)
        mounts = readers.mounts(path, roles)
        images = readers.sources.images_of_file(path)
        definitions = readers.sources.definitions(path)
        copies = readers.seen_copies(path)
        claimed = bool(mounts or roles or images or definitions)
        counted = readers.inputs(path, copies, claimed=claimed)
        return _Facts(
            definitions,
            images,
            mounts,
            roles,
            _owners(counted),
            readers.compilers(path, copies),
            readers.declared(path),
        )

    def _expand(self, facts: _Facts) -> Iterator[Impact]:
        effects = self.effects
        yield from self.readers.sources.of_definitions(facts.definitions, effects)
        for owner, kind in facts.images:
            yield from effects.of_build(owner, Reason(kind, _told(owner)))
        for root, pack, role in facts.roles:
            folder = self.graph.packs.get(root)
            if folder is not None:
                yield from effects.of_pack(folder, pack, role)
        for service in facts.mounts:
            yield from effects.of_mount(service)
        for compiler in facts.compilers:
            yield from self._of_compiler(compiler)
        for owner, final in facts.copies:
            kind = ReasonKind.COPIED if final else ReasonKind.BUILD_READS
            yield from effects.of_build(owner, Reason(kind, _told(owner)))
        for service in facts.declared:
            yield from effects.of_declared(service, Reason(ReasonKind.DECLARED, service))

    def _of_compiler(self, compiler: Compiler) -> tuple[Impact, ...]:
        owner, binary, kind = compiler
        if owner.service:
            return self.effects.of_build(owner, Reason(kind, binary))
        return self.effects.of_pack_binary(binary, Reason(kind, binary))


def _told(owner: Owner) -> str:
    return owner.service or "pack binaries"


def _owners(entries: Iterable[CopySource]) -> tuple[tuple[Owner, bool], ...]:
    """Each owner once, with whether its image holds the file in the end."""
    found: dict[Owner, bool] = {}
    for entry in entries:
        found[entry.owner] = found.get(entry.owner, False) or entry.final
    return tuple(found.items())
