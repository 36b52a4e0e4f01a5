"""The base images: which ones the Dockerfiles ask for, and having each of them one way or another.

Present, else pulled, else, where no registry answers, a stand-in that ``.env`` hands to Compose.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from attune_dev.errors import EnvironmentLacksError
from attune_dev.setup import envfile, images, standins
from attune_dev.setup.report import Item, Say, State
from attune_dev.setup.sources import Distribution

VARIABLES = ("DEBIAN_IMAGE", "RUST_IMAGE")
"""Names of the build arguments and of the environment variables; plain Debian is needed first."""

_ARG = re.compile(r"^\s*ARG\s+(\w+)=[\"']?([^\s\"'#]+)[\"']?\s*$", re.IGNORECASE)
_DOCKERFILE_FOLDERS = (".", "docker")


@dataclass(frozen=True, slots=True)
class BaseImage:
    """A base image that the Dockerfiles ask for.

    Attributes:
        variable: build argument and environment variable, such as ``RUST_IMAGE``.
        wanted: the image asked for: by the environment, the user's ``.env``, or the Dockerfiles.
        managed: the stand-in that our block in ``.env`` names, empty where it names none.
        is_choice: whether the user has chosen ``wanted``, so that no stand-in can replace it.
    """

    variable: str
    wanted: str
    managed: str = ""
    is_choice: bool = False

    @property
    def in_use(self) -> str:
        """What a build takes now."""
        return self.managed or self.wanted


def dockerfile_defaults(texts: Iterable[str]) -> dict[str, str]:
    """The defaults of the ``ARG`` lines for base images; the first one of each name holds."""
    found: dict[str, str] = {}
    for text in texts:
        for line in text.splitlines():
            match = _ARG.match(line)
            if match and match[1] in VARIABLES:
                found.setdefault(match[1], match[2])
    return found


def dockerfile_paths(root: Path) -> list[Path]:
    """The Dockerfiles in the places where they usually are."""
    return [
        path
        for folder in _DOCKERFILE_FOLDERS
        for path in sorted((root / folder).glob("*ockerfile*"))
        if path.is_file() and not path.name.endswith(".dockerignore")
    ]


def _dockerfile_texts(root: Path) -> list[str]:
    return [path.read_text(encoding="utf-8", errors="replace") for path in dockerfile_paths(root)]


def plain_image(root: Path) -> str:
    """The image that helpers run and that programs of packs must fit: plain Debian."""
    found = (image.in_use for image in base_images(root) if image.variable == "DEBIAN_IMAGE")
    return next(found, "debian:bookworm-slim")


def base_images(root: Path) -> list[BaseImage]:
    """What the repository asks for, by the precedence of Compose: environment, ``.env``, default.

    Args:
        root: repository root.
    """
    defaults = dockerfile_defaults(_dockerfile_texts(root))
    text = envfile.read(root / ".env")
    users, managed = envfile.users_values(text), envfile.managed_values(text)
    found = []
    for variable in VARIABLES:
        if variable not in defaults:
            continue
        choice = os.environ.get(variable) or users.get(variable, "")
        found.append(
            BaseImage(
                variable,
                choice or defaults[variable],
                "" if choice else managed.get(variable, ""),
                is_choice=bool(choice),
            )
        )
    return found


def image_item(image: BaseImage) -> Item:
    """Whether what a build would take is there."""
    needed = "present, pulled, or made as a stand-in"
    if images.is_present(image.in_use):
        told = f"{image.in_use} (stand-in)" if image.managed else image.in_use
        return Item(image.wanted, State.OK, found=told, needed=needed)
    return Item(
        image.wanted,
        State.MISSING,
        needed=needed,
        why=f"asked for by {image.variable}, not on this engine",
        hint="inv setup",
    )


def ensure_base_images(root: Path, distribution: Distribution, architecture: str, say: Say) -> None:
    """Has every base image, and tells Compose of the stand-ins by ``.env``.

    Args:
        root: repository root.
        distribution: of this machine.
        architecture: of the engine.
        say: tells the user what is done.

    Raises:
        EnvironmentLacksError: an image can neither be pulled nor be made here.
    """
    path = root / ".env"
    silent: set[str] = set()
    for image in base_images(root):
        name = _ensure(image, distribution, architecture, say, silent)
        managed = envfile.managed_values(envfile.read(path))
        if name == image.wanted:
            managed.pop(image.variable, None)
        else:
            managed[image.variable] = name
        if envfile.update(path, managed):
            told = f"uses {name}" if name != image.wanted else f"names no {image.variable} any more"
            say(f".env {told}")


def _ensure(
    image: BaseImage, distribution: Distribution, architecture: str, say: Say, silent: set[str]
) -> str:
    """Returns the name that a build is to take; a registry that was silent is asked only once."""
    if images.is_present(image.wanted):
        return image.wanted
    registry = images.registry_of(image.wanted)
    how, words = images.Pull.NO_ANSWER, f"{registry} does not answer"
    if registry not in silent:
        how, words = images.pull(image.wanted, say)
    if how is images.Pull.DONE:
        return image.wanted
    if how is images.Pull.NO_ANSWER:
        silent.add(registry)
    standin = None if image.is_choice else standins.stand_in_for(image.wanted)
    if how is images.Pull.REFUSED or standin is None:
        raise EnvironmentLacksError(
            f"the base image {image.wanted} cannot be pulled",
            why=words,
            hint=f"see that the name is right (build argument {image.variable}), log in where it is"
            " private, or `docker load` it",
        )
    if not images.is_present(standin.name):
        standins.make(standin, distribution, architecture, say)
    return standin.name
