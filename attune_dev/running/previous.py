"""Which image a service had before its present one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.state import STATE_DIRECTORY, keep_json, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from attune_dev.docker.port import ImageResult

FILE = "previous-images.json"


def remember_images(root: Path, images: Iterable[ImageResult]) -> None:
    """Keeps what a build has replaced; where it cannot be kept, nothing but that is lost."""
    known = _load(root)
    changed = {image.service: image.before for image in images if image.changed and image.before}
    if changed:
        keep_json(root, FILE, known | changed)


def previous_image(root: Path, service: str) -> str:
    """The id of the image before, empty where none is known."""
    return _load(root).get(service, "")


def _load(root: Path) -> dict[str, str]:
    try:
        found = read_json(root / STATE_DIRECTORY / FILE)
        return {str(name): str(image) for name, image in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
