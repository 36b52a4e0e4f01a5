"""How many examples property tests try: few in the fast loop, many in the whole suite."""

from __future__ import annotations

import os

FACTOR = 8 if os.environ.get("ATTUNE_TEST_FULL") == "1" else 1


def examples(number: int) -> int:
    """The number of examples: as given, or eight times as many with ``inv test --full``."""
    return number * FACTOR
