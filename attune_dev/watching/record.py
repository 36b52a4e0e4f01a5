"""What the outputs were last made from, kept between runs.

With it a start finds what changed while nobody watched. A record that is missing, of another
version, cut short or spoilt is no record: everything is made current then, which is never wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attune_dev.state import read_json, write_json
from attune_dev.watching.content import FileState
from attune_dev.watching.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from attune_dev.planning.ledger import Ledger

VERSION = 1
NAME = "record.json"
UNKNOWN = "?"


class Record:
    """The record in a state directory.

    Args:
        directory: the state directory.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._saved: Mapping[str, FileState] | None = None
        self.note = ""

    def load(self) -> Snapshot | None:
        """The files as the outputs were last made from them, ``None`` without a usable record."""
        try:
            files = _parsed(read_json(self._path))
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
        if files == self._saved:
            return True
        document = {
            "version": VERSION,
            "files": {path: list(state) for path, state in sorted(files.items())},
        }
        try:
            write_json(self._path, document)
        except OSError as problem:
            told = f"cannot keep a record of what was done: {problem.strerror or problem}"
            self.note = "" if self.note == told else told
            return False
        self._saved = files
        return True

    def forget(self) -> None:
        """Drops the record: what runs is not known any more."""
        self._saved = None
        self._path.unlink(missing_ok=True)


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


def _parsed(document: Any) -> dict[str, FileState]:
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ValueError("it is of another version")
    files: dict[str, FileState] = {}
    for path, values in document["files"].items():
        digest, *numbers = values
        if not isinstance(digest, str) or not all(type(n) is int for n in numbers):
            raise ValueError("it is spoilt")
        files[path] = FileState(digest, *numbers)
    return files
