"""What the loop remembers between runs, and that it says so when it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.model.event import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.model.event import Event
    from attune_dev.planning.ledger import Ledger
    from attune_dev.watching.parts import Keeper
    from attune_dev.watching.snapshot import Snapshot


class Memory:
    """A keeper that tells its notes.

    Attributes:
        recorded: whether there is a record.
    """

    def __init__(self, keeper: Keeper, tell: Callable[[Event], None]) -> None:
        self._keeper = keeper
        self._tell = tell
        self.recorded = False

    def load(self) -> Snapshot | None:
        """The files as the outputs were last made from them."""
        known = self._keeper.load()
        self._tell_note()
        self.recorded = known is not None
        return known

    def save(self, snapshot: Snapshot, ledger: Ledger, *, opened: bool) -> None:
        """Keeps what they are made from now, once the stack has come up (ever)."""
        if opened or self.recorded:
            self.recorded = self._keeper.save(snapshot, ledger)
            self._tell_note()

    def _tell_note(self) -> None:
        if self._keeper.note:
            self._tell(Notice(self._keeper.note))
            self._keeper.note = ""
