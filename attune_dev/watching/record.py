"""What the outputs were last made from, kept between runs.

With it a start finds what changed while nobody watched. A record that is missing, of another
version, cut short or spoilt is no record: everything is made current then, which is never wrong.

The record is a document and a journal of what changed since it was written: in a large tree a
save costs what has changed, not what there is.
"""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

from attune_dev.state import read_json, write_json
from attune_dev.watching.content import FileState
from attune_dev.watching.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from attune_dev.planning.ledger import Ledger

VERSION = 2
NAME = "record.json"
JOURNAL = "record.log"
UNKNOWN = "?"
MOST_JOURNAL = 20_000  # entries after which the document is written anew
LARGEST_JOURNAL = 64 << 20


class Record:
    """The record in a state directory.

    Args:
        directory: the state directory.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._journal = directory / JOURNAL
        self._id = ""
        self._entries = 0  # of the journal
        self._saved: Mapping[str, FileState] | None = None
        self._told = ""
        self.note = ""

    def load(self) -> Snapshot | None:
        """The files as the outputs were last made from them, ``None`` without a usable record."""
        try:
            document = read_json(self._path)
            files = _parsed(document)
            self._id = str(document["id"])
            self._entries = _replay(self._journal, self._id, files)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
            self.note = f"the record of the last run is unusable ({problem}); checking everything"
            return None
        self._saved = files
        return Snapshot(files)

    def save(self, snapshot: Snapshot, ledger: Ledger) -> bool:
        """Keeps what the outputs are made from now.

        Returns:
            ``False`` where it could not be written; ``note`` tells why, the first time.
        """
        files = applied(snapshot, ledger)
        changed, gone = _difference(self._saved, files)
        if self._saved is not None and not changed and not gone:
            return True
        try:
            if self._saved is None or self._entries + len(changed) + len(gone) > MOST_JOURNAL:
                self._write(files)
            else:
                self._append(changed, gone)
        except OSError as problem:
            told = f"cannot keep a record of what was done: {problem.strerror or problem}"
            self.note, self._told = "" if self._told == told else told, told
            self._saved = None  # whatever lies there now, the next save writes all
            return False
        self._saved, self._told = files, ""
        return True

    def forget(self) -> None:
        """Drops the record: what runs is not known any more."""
        self._saved = None
        self._path.unlink(missing_ok=True)

    def _write(self, files: Mapping[str, FileState]) -> None:
        id_ = uuid.uuid4().hex  # a journal of an earlier document is not one of this
        document = {
            "version": VERSION,
            "id": id_,
            "files": {path: list(state) for path, state in sorted(files.items())},
        }
        write_json(self._path, document)
        self._id, self._entries = id_, 0
        self._journal.unlink(missing_ok=True)

    def _append(self, changed: Mapping[str, FileState], gone: list[str]) -> None:
        entry = {
            "id": self._id,
            "set": {path: list(state) for path, state in changed.items()},
            "drop": gone,
        }
        data = json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self._journal, flags, 0o600)
        try:
            if os.write(handle, data) < len(data):
                raise OSError("the disk is full")
        finally:
            os.close(handle)
        self._entries += len(changed) + len(gone)


def applied(snapshot: Snapshot, ledger: Ledger) -> dict[str, FileState]:
    """The files as the outputs have them: as they are, but for what is pending."""
    files = dict(snapshot.files)
    for path, entry in ledger.entries.items():
        if entry.tried:
            files[path] = FileState(UNKNOWN)
        elif entry.base is None:
            files.pop(path, None)
        else:
            files[path] = FileState(entry.base)
    return files


def _difference(
    before: Mapping[str, FileState] | None, now: Mapping[str, FileState]
) -> tuple[dict[str, FileState], list[str]]:
    if before is None:
        return dict(now), []
    changed = {
        path: state
        for path, state in now.items()
        if (known := before.get(path)) is not state and known != state
    }
    gone = [path for path in before if path not in now]
    return changed, gone


def _parsed(document: Any) -> dict[str, FileState]:
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ValueError("it is of another version")
    return {path: _state(values) for path, values in document["files"].items()}


def _state(values: Any) -> FileState:
    digest, *numbers = values
    if not isinstance(digest, str) or not all(type(n) is int for n in numbers):
        raise ValueError("it is spoilt")
    return FileState(digest, *numbers)


def _replay(journal: Path, id_: str, files: dict[str, FileState]) -> int:
    """Brings files to what a journal tells; returns how many entries it has.

    A line that is cut short is the last one of a machine that lost its power: what it told is not
    known, so there is no record.
    """
    try:
        handle = os.open(journal, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    with os.fdopen(handle, encoding="ascii") as file:
        text = file.read(LARGEST_JOURNAL + 1)
    if len(text) > LARGEST_JOURNAL or (text and not text.endswith("\n")):
        raise ValueError("its journal is cut short")
    entries = 0
    for line in text.splitlines():
        entry = json.loads(line)
        if entry["id"] != id_:
            continue  # of an earlier document: the end came before it was removed
        for path, values in entry["set"].items():
            files[path] = _state(values)
        for path in entry["drop"]:
            files.pop(path, None)
        entries += len(entry["set"]) + len(entry["drop"])
    return entries
