"""Brings a volume to exactly what a folder of packs holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attune_dev.model.packs import PacksFolder
from attune_dev.packs.built import known_builds
from attune_dev.packs.cache import load_digests, save_digests
from attune_dev.packs.conversation import AgentTrouble, Conversation, Step
from attune_dev.docker.labels import owner
from attune_dev.packs.helper import HelperSession, asking_readers
from attune_dev.packs.manifest import PackTree
from attune_dev.packs.report import PackOutcome, PackSync, SyncReport
from attune_dev.packs.scan import DigestCache, pack_names, scan_pack
from attune_dev.packs.transfer import Transfer, until
from attune_dev.packs.volume import VolumeState, frames_of, read_state

Note = Callable[[str], None]
Check = Callable[[Sequence[str]], Mapping[str, tuple[tuple[str, str], ...]]]
"""Takes names of packs, gives ``(path, reason)`` of what is wrong by name."""


def sync_packs(
    root: Path,
    folder: PacksFolder,
    volume: str,
    *,
    image: str,
    project: str = "",
    packs: tuple[str, ...] | None = None,
    session: HelperSession | None = None,
    on_step: Step | None = None,
    on_note: Note | None = None,
    check: Check | None = None,
) -> SyncReport:
    """Brings the volume to what the packs' folders hold, one whole pack at a time.

    Args:
        root: repository root.
        folder: the folder of packs.
        volume: name of the volume in Docker.
        image: image for the helper container: perl, coreutils and findutils.
        project: Compose project that the volume is labelled with where it is made.
        packs: folder names; one that exists no more is removed. All that there are, and the
            removal of those that are gone, where it is ``None`` or names every known pack.
        session: a helper that is kept; one of its own, for this call alone, where it is ``None``.
        on_step: called at each named point of the work.
        on_note: told at once what a person should know: a wait, a repair.
        check: tells what is wrong with packs that differ from the volume: such a pack is refused.

    Returns:
        What was done; packs that could not be synced are in it with the reason.

    Raises:
        EnvironmentLacksError: engine or image is missing.
        ActionError: the volume cannot be written, or the helper died; no pack is half written.
    """
    started = time.monotonic()
    everything = packs is None or (folder.packs and set(folder.packs) <= set(packs))
    work = _Work(root, folder.root, volume, None if everything else packs, on_step, on_note, check)
    if session is None and on_step is None:
        with asking_readers({folder.root: volume}, root) as answers:
            work.scan()
            answer = answers[folder.root]()
        state = None if answer is None else read_state(frames_of(answer))
        if state is not None and work.settled(state):
            return work.report(state, started)
    if session is not None:
        return work.run(session, started)
    helper = HelperSession(volume, image=image, project=project, volume_key=folder.volume)
    with helper:
        return work.run(helper, started)


@dataclass(slots=True)
class _Work:
    """One sync."""

    root: Path
    folder: str
    volume: str
    asked: tuple[str, ...] | None
    on_step: Step | None
    on_note: Note | None
    check: Check | None
    trees: dict[str, PackTree] = field(default_factory=dict)
    done: dict[str, PackSync] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    cache: DigestCache = field(default_factory=DigestCache)

    def scan(self) -> None:
        """Reads the packs on disk, but for those that were never read before."""
        if self.names:
            return
        there = pack_names(self.root / self.folder)
        self.names = there if self.asked is None else [n for n in self.asked if n in there]
        self.cache = load_digests(self.root)
        self._scan(name for name in self.names if name in self.cache.packs)
        self._step("scanned")

    def _scan_rest(self, state: VolumeState) -> None:
        """Reads those that the volume has; the others are read while they are sent."""
        self._scan(n for n in self.names if n not in self.trees and n in state.packs)

    def _scan(self, names: Iterable[str]) -> None:
        source = self.root / self.folder
        self.trees |= {name: scan_pack(source / name, self.cache) for name in names}
        save_digests(self.root, self.cache)

    def settled(self, state: VolumeState) -> bool:
        """Whether the volume has all of it already and nothing that must go."""
        self._scan_rest(state)
        return (
            len(self.trees) == len(self.names)
            and not state.unfinished + state.replaced
            and not self._obsolete(state)
            and all(_same(tree, state) for tree in self.trees.values())
        )

    def run(self, session: HelperSession, started: float) -> SyncReport:
        """Does what is to be done through a helper; one that was interrupted is not kept."""
        try:
            return self._run(session.talk(self.on_step), started)
        except BaseException as problem:
            if not isinstance(problem, AgentTrouble):
                session.close(kill=True)
            raise

    def _run(self, talk: Conversation, started: float) -> SyncReport:
        self._lock(talk)
        talk.send("status")
        talk.flush()  # the agent looks at the volume while the packs are read here
        self.scan()
        state = read_state(talk.answers())
        self._scan_rest(state)
        changed = [n for n in self.names if n not in self.trees or not _same(self.trees[n], state)]
        wrong = self.check(changed) if self.check is not None and changed else {}
        transfer = Transfer(talk, self.root / self.folder, self._step)
        for name in changed:
            if faults := wrong.get(name):
                self.done[name] = PackSync(name, PackOutcome.REFUSED, refused=faults)
                continue
            if name in self.trees:
                self.done[name] = transfer.sync(self.trees[name], state)
            else:
                self.trees[name], self.done[name] = transfer.first(name, self.cache, state)
            self._note_sources(talk, self.trees[name])
            for remark in self.done[name].remarks():
                self._note(remark)
        save_digests(self.root, self.cache)
        for name in self._obsolete(state):
            self.done[name] = transfer.sync(PackTree(name), state, remove=True)
        until(talk, "unlock", "unlocked")
        return self.report(state, started)

    def _note_sources(self, talk: Conversation, tree: PackTree) -> None:
        """Keeps beside the manifest what the compiled programs of a pack were made from."""
        built = known_builds(self.root)
        rows = [(e.path, e.digest, str(built[e.digest])) for e in tree.entries if e.digest in built]
        if rows and self.done[tree.name].ok:
            fields = [os.fsencode(text) for row in rows for text in row]
            until(talk, "sources", "kept", os.fsencode(tree.name), *fields)

    def report(self, state: VolumeState, started: float) -> SyncReport:
        """What was done, with what was found unchanged."""
        names = [*self.names, *(n for n in self.done if n not in self.names)]
        names += [n for n in self.asked or () if n not in names]
        return SyncReport(
            self.volume,
            self.folder,
            tuple(self.done.get(name) or self._unchanged(name, state) for name in sorted(names)),
            tuple(p.name for p in state.packs.values() if self._is_foreign(p.name, p.state)),
            state.loose,
            tuple(self.notes),
            time.monotonic() - started,
        )

    def _is_foreign(self, name: str, state: str) -> bool:
        return state == "foreign" and name not in self.done and name not in self.names

    def _unchanged(self, name: str, state: VolumeState) -> PackSync:
        tree, there = self.trees.get(name), state.packs.get(name)
        skipped = tree.skipped if tree else ()
        if there is None:
            return PackSync(name, skipped=skipped)
        return PackSync(name, foreign=there.foreign, skipped=skipped, since=there.since)

    def _obsolete(self, state: VolumeState) -> list[str]:
        """Packs that were written from here and are no longer on disk."""
        owned = [pack.name for pack in state.packs.values() if pack.state != "foreign"]
        if self.asked is None:
            return [name for name in owned if name not in self.names]
        return [name for name in self.asked if name in owned and name not in self.names]

    def _lock(self, talk: Conversation) -> None:
        writer = f"the sync of {self.root} ({owner()})"
        for verb, fields in talk.ask("lock", os.fsencode(writer.replace("\0", ""))):
            if verb == "locked":
                return
            text = os.fsdecode(fields[0]) if fields else ""
            self._note(f"waiting for {text}" if verb == "waiting" else text)

    def _step(self, name: str) -> None:
        if self.on_step is not None:
            self.on_step(name)

    def _note(self, text: str) -> None:
        self.notes.append(text)
        if self.on_note is not None:
            self.on_note(text)


def _same(tree: PackTree, state: VolumeState) -> bool:
    there = state.packs.get(tree.name)
    if tree.refused or there is None or there.state != "clean":
        return False
    return there.wanted == tree.digest
