"""Packs in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.running.ports import ContentResult
from attune_dev.testing.script import Script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attune_dev.running.ports import Talk


class FakePacks(Script):
    """Packs in memory: ``changing`` holds the packs and binaries that the next call changes.

    Attributes:
        changing: names; each is taken out by the call that changes it.
        since: what results tell as ``current_since``.
    """

    def __init__(self, *changing: str, since: float = 0.0) -> None:
        """Starts with these names to be changed."""
        super().__init__()
        self.changing = set(changing)
        self.since = since

    def sync(self, packs: Sequence[str], talk: Talk) -> tuple[ContentResult, ...]:
        """See :class:`attune_dev.running.ports.PacksPort`."""
        return self._do("sync", packs, talk)

    def build_binaries(self, names: Sequence[str], talk: Talk) -> tuple[ContentResult, ...]:
        """See :class:`attune_dev.running.ports.PacksPort`."""
        return self._do("build_binaries", names, talk)

    def _do(self, call: str, names: Sequence[str], talk: Talk) -> tuple[ContentResult, ...]:
        self.record(call, names)
        talk.cancel.check()
        told = tuple(
            ContentResult(name, name in self.changing, current_since=self.since) for name in names
        )
        self.changing -= set(names)
        return told
