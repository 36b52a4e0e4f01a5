"""Reads the Dockerfiles of services and resolves each for its service."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError
from attune_dev.loading.dockerfile import parse_dockerfile
from attune_dev.loading.dockerignore import find_ignore_file
from attune_dev.loading.safe_yaml import read_bounded
from attune_dev.planning.image_inputs import image_inputs

if TYPE_CHECKING:
    from pathlib import Path

    from attune_dev.model.compose import BuildConfig
    from attune_dev.model.dockerfile import Dockerfile, ImageInputs

_SIZE_LIMIT = 1_000_000
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class ImageLoader:
    """Resolves Dockerfiles of one repository; a file that several services use is read once.

    Args:
        root: repository root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._dockerfiles: dict[str, Dockerfile] = {}
        self._texts: dict[str, str | None] = {}

    def inputs(self, service: str, build: BuildConfig) -> ImageInputs:
        """What building a service's image reads.

        Args:
            service: whose image.
            build: its build section.

        Raises:
            ConfigError: the Dockerfile is missing or wrong, or has no such target.
        """
        dockerfile = self._dockerfile(service, build)
        ignore_file = find_ignore_file(self._root, build)
        scripts: dict[str, str] = {}
        while True:
            found = image_inputs(
                service,
                build,
                dockerfile,
                predefined=predefined_arguments(),
                scripts=scripts,
                ignore_file=ignore_file,
            )
            # A script may run another one, so until nothing new is found.
            texts = {path: self._script(build.context, path) for path in found.scripts}
            new = {p: t for p, t in texts.items() if t is not None and p not in scripts}
            if not new:
                return found
            scripts |= new

    def _dockerfile(self, service: str, build: BuildConfig) -> Dockerfile:
        if build.inline is not None:
            return parse_dockerfile(build.inline, f"dockerfile_inline of {service}")
        if build.dockerfile not in self._dockerfiles:
            try:
                text = read_bounded(
                    self._root / build.dockerfile, name=build.dockerfile, limit=_SIZE_LIMIT
                )
            except FileNotFoundError:
                raise ConfigError(
                    "the Dockerfile does not exist",
                    why=f"the build section of {service} names it",
                    file=build.dockerfile,
                ) from None
            self._dockerfiles[build.dockerfile] = parse_dockerfile(text, build.dockerfile)
        return self._dockerfiles[build.dockerfile]

    def _script(self, context: str, path: str) -> str | None:
        """The text of a context file, ``None`` where it is missing or no script."""
        file = f"{context}/{path}" if context else path
        if file not in self._texts:
            try:
                self._texts[file] = read_bounded(self._root / file, limit=_SIZE_LIMIT)
            except (FileNotFoundError, ConfigError):
                self._texts[file] = None
        return self._texts[file]


def predefined_arguments() -> dict[str, str]:
    """The arguments that BuildKit sets for a build on this machine."""
    machine = platform.machine().lower()
    architecture = _ARCHITECTURES.get(machine, machine)
    found = {}
    for side in ("TARGET", "BUILD"):
        found[f"{side}PLATFORM"] = f"linux/{architecture}"
        found[f"{side}OS"] = "linux"
        found[f"{side}ARCH"] = architecture
        found[f"{side}VARIANT"] = ""
    return found
