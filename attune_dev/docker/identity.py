"""Who a checkout is, to an engine that many checkouts share.

The ``id`` of a cache mount is global to an engine: two clones with one id would hand each other
their compiled code. The identity goes into every build as ``BUILDKIT_CACHE_MOUNT_NS``.
"""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

from attune_dev.errors import EnvironmentLacksError
from attune_dev.state import STATE_DIRECTORY, state_directory

FILE = "identity"


def checkout_identity(root: Path) -> str:
    """The identity of the checkout at ``root``: twelve hexadecimal digits.

    It is kept beside the folder it was made for, so that it outlives a change of the host's name,
    while a copy of a whole checkout, state included, gets one of its own. Where it cannot be kept
    (a read-only checkout), it is computed each time.
    """
    place = os.fspath(root.resolve())
    kept = root / STATE_DIRECTORY / FILE
    try:
        identity, _, made_for = kept.read_text(errors="surrogateescape").partition(" ")
        if len(identity) == 12 and made_for.rstrip("\n") == place:
            return identity
    except OSError:
        pass
    seed = f"{_machine()}\0{place}".encode(errors="surrogateescape")
    identity = hashlib.sha256(seed).hexdigest()[:12]
    try:
        draft = state_directory(root) / f"{FILE}.{os.getpid()}"
        draft.write_text(f"{identity} {place}\n", errors="surrogateescape")
        draft.replace(kept)
    except (OSError, EnvironmentLacksError):
        pass
    return identity


def _machine() -> str:
    try:
        return Path("/etc/machine-id").read_text().strip() or platform.node()
    except OSError:
        return platform.node()
