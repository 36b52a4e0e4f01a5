"""Doubles and builders for tests of what is built on top; no engine is needed.

One contract test holds ``FakeDocker`` and the port to a real engine to the same promises.
"""

from attune_dev.testing.docker import BROKEN, CRASHES, FakeDocker
from attune_dev.testing.packs import FakePacks
from attune_dev.testing.projects import built_service, compose_project
from attune_dev.testing.script import Call

__all__ = [
    "BROKEN",
    "CRASHES",
    "Call",
    "FakeDocker",
    "FakePacks",
    "built_service",
    "compose_project",
]
