"""Brings one pack into the volume: asks what is needed, streams it, switches."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from attune_dev.packs.conversation import AgentTrouble, Conversation
from attune_dev.packs.manifest import EMPTY_DIGEST, PackTree, encode
from attune_dev.packs.report import PackOutcome, PackSync
from attune_dev.packs.scan import DigestCache, chunks, read_digest, scan_pack
from attune_dev.packs.volume import VolumeState

ATTEMPTS = 5


class _Changed(Exception):  # noqa: N818 - a turn of events, not a fault
    """The pack on disk changed while it was sent."""


def _no_step(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Packs of one folder on their way through one conversation.

    Attributes:
        talk: with the agent, which holds the lock.
        source: the folder of packs.
        on_step: called at each named point of the work.
    """

    talk: Conversation
    source: Path
    on_step: Callable[[str], None] = _no_step

    def first(self, name: str, cache: DigestCache, state: VolumeState) -> tuple[PackTree, PackSync]:
        """Brings a pack that the volume lacks: it is sent while it is read, once.

        Args:
            name: its folder.
            cache: keeps the digests.
            state: the volume as it was found.

        Raises:
            ActionError: the disk is full, or the helper died; nothing of the pack is there.
        """
        started = time.monotonic()
        offer = _Offer(self.talk, self.on_step)
        try:
            until(self.talk, "offer", "offered", os.fsencode(name))
        except AgentTrouble as trouble:
            return PackTree(name), self._refused(name, trouble)
        tree = scan_pack(self.source / name, cache, offer.read)
        if tree.refused:
            until(self.talk, "abort", "aborted")
        done = self.sync(tree, state)
        seconds = time.monotonic() - started
        return tree, replace(done, bytes=done.bytes + offer.sent, seconds=seconds)

    def sync(self, tree: PackTree, state: VolumeState, *, remove: bool = False) -> PackSync:
        """Brings a pack to what it is on disk, or removes it.

        Args:
            tree: the pack as it was scanned.
            state: the volume as it was found.
            remove: whether it has to go.

        Raises:
            ActionError: the disk is full, or the helper died; the pack is as it was.
        """
        started = time.monotonic()
        there = state.packs.get(tree.name)
        for attempt in range(1, ATTEMPTS + 1):
            if tree.refused:
                return PackSync(
                    tree.name, PackOutcome.REFUSED, refused=tree.refused, skipped=tree.skipped
                )
            try:
                outcome = self._attempt(tree, remove=remove)
            except _Changed:
                until(self.talk, "abort", "aborted")
                outcome = None
            except AgentTrouble as trouble:
                if trouble.kind != "corrupt" or attempt == ATTEMPTS:
                    return self._refused(tree.name, trouble)
                outcome = None
            if outcome is not None:
                return replace(
                    outcome,
                    drifted=there.drifted if there else {},
                    skipped=tree.skipped,
                    seconds=time.monotonic() - started,
                )
            if not remove:
                tree = scan_pack(self.source / tree.name, DigestCache())
        return PackSync(
            tree.name, PackOutcome.REFUSED, refused=(("", "it keeps changing while it is synced"),)
        )

    def _refused(self, name: str, trouble: AgentTrouble) -> PackSync:
        """What became of a pack that the agent could not write; no other fits on a full disk."""
        if trouble.kind == "full":
            until(self.talk, "unlock", "unlocked")
            raise trouble
        return PackSync(name, PackOutcome.REFUSED, refused=(("", trouble.why),))

    def _attempt(self, tree: PackTree, *, remove: bool) -> PackSync | None:
        """One try; ``None`` where the volume changed under it."""
        wanted = EMPTY_DIGEST if remove else tree.digest
        lists: dict[str, tuple[str, ...]] = {}
        need: list[int] = []
        head = (os.fsencode(tree.name), wanted.encode(), b"1" if remove else b"0")
        for verb, fields in self.talk.ask("plan", *head, encode(tree.entries)):
            texts = tuple(os.fsdecode(item) for item in fields)
            if verb == "need":
                need = [int(text) for text in texts]
                break
            lists[texts[0]] = texts[1:]
        sent = sum(self._send(tree, index) for index in need)
        self.on_step("sent")
        how, since, *late = until(self.talk, "commit", "committed")
        if how == "moved":
            return None
        return _outcome(tree.name, how, float(since), lists, tuple(late), sent, remove=remove)

    def _send(self, tree: PackTree, index: int) -> int:
        """Streams one file. Its digest is verified where it arrives, so it is not taken here.

        Raises:
            _Changed: it is not any more what was scanned.
        """
        entry = tree.entries[index]
        self.on_step("sending")
        sent = 0
        self.talk.send("file", str(index).encode())
        try:
            for chunk in chunks(f"{os.fspath(self.source / tree.name)}/{entry.path}"):
                sent += len(chunk)
                if sent > entry.size:
                    raise _Changed
                self.talk.send("data", chunk)
        except OSError:
            raise _Changed from None
        if sent != entry.size:
            raise _Changed
        return sent


class _Offer:
    """Files that are sent while they are read.

    Attributes:
        sent: bytes so far.
    """

    def __init__(self, talk: Conversation, on_step: Callable[[str], None]) -> None:
        self.sent = 0
        self._talk = talk
        self._on_step = on_step
        self._numbers = count()

    def read(self, path: str) -> tuple[str, os.stat_result]:
        """Reads a file as :func:`read_digest` does; one that changes meanwhile is sent again."""
        return read_digest(path, self._begin, self._more)

    def _begin(self) -> None:
        self._on_step("sending")
        self._talk.send("file", b"o%d" % next(self._numbers))

    def _more(self, chunk: bytes) -> None:
        self.sent += len(chunk)
        self._talk.send("data", chunk)


def until(talk: Conversation, request: str, end: str, *given: bytes) -> tuple[str, ...]:
    """The fields of the answer that ends a request."""
    for verb, fields in talk.ask(request, *given):
        if verb == end:
            return tuple(os.fsdecode(item) for item in fields)
    raise AssertionError  # ask() ends by an answer or an error


def _outcome(
    name: str,
    how: str,
    since: float,
    lists: dict[str, tuple[str, ...]],
    late: tuple[str, ...],
    sent: int,
    *,
    remove: bool,
) -> PackSync:
    """The report of a pack that was committed."""
    blocked = lists.get("blocked", ())
    arrived = tuple(path for path in late if path in lists.get("added", ()))
    made = PackSync(
        name,
        added=tuple(path for path in lists.get("added", ()) if path not in arrived),
        changed=lists.get("changed", ()),
        deleted=lists.get("deleted", ()),
        modes=lists.get("modes", ()),
        foreign=tuple(sorted({*lists.get("foreign", ()), *late})),
        blocked=(*blocked, *arrived),
        file_by_file=how == "files",
        bytes=sent,
        since=since,
    )
    if made.blocked:
        outcome = PackOutcome.BLOCKED
    elif remove:
        outcome = PackOutcome.REMOVED
    else:
        outcome = PackOutcome.SYNCED if how in {"folder", "files"} else PackOutcome.UNCHANGED
    return replace(made, outcome=outcome)
