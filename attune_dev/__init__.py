"""The developer loop for a Cargo workspace that runs on Docker Compose."""

from __future__ import annotations

__version__ = "0.1.0"
