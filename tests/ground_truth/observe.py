"""What is there after everything was built: images, pack binaries, the volume, definitions."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attune_dev.docker import process
from tests.ground_truth.files import digest, of_archive, of_folder
from tests.ground_truth.sample import PROJECT

NAMESPACE = PROJECT
"""Identity of the cache mounts: nobody else's target folder is touched."""

PACK_DOCKERFILE = "docker/Dockerfile.pack-binaries"
_SENSORS = "packs/core/sensors"
_CONTEXT = "FROM scratch\nCOPY . /\n"
_CLEAN = """\
ARG RUST_IMAGE
FROM ${RUST_IMAGE}
ARG NONCE
RUN --mount=type=cache,id=attune-target,target=/target,sharing=locked \\
    find /target -depth \\( -name 'attune[-_]*' -o -name 'libattune[-_]*' -o -name .freshness \\) \\
    -exec rm -rf {} +
"""


@dataclass(frozen=True, slots=True)
class Observation:
    """Digests of what an edit can change.

    Attributes:
        images: per service that is built, of the files and the configuration of its image.
        binaries: per pack binary, of its bytes.
        packs: per folder at the top of the volume, of the files in it.
        definitions: per service, Compose's own hash of its definition.
        mounts: per service, bind-mounted place and path below it, of the files there.
        context: of what the builds see of the repository.
    """

    images: dict[str, str] = field(default_factory=dict)
    binaries: dict[str, str] = field(default_factory=dict)
    packs: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    mounts: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    context: str = ""


class Observer:
    """Builds a workspace in the plain way and looks at the results.

    What was built from the very same inputs as the baseline is not built again: the inputs are
    what Docker itself takes into the context, and what Compose resolves.
    """

    def __init__(self, root: Path, scratch: Path) -> None:
        self._root = root
        self._scratch = scratch
        self._memo: dict[str, dict[str, Any]] = {"built": {}, "filled": {}, "files": {}}
        self._kept = scratch / "built.json"
        if self._kept.is_file():
            self._memo = json.loads(self._kept.read_text())

    def look(self) -> Observation:
        """Builds and looks."""
        config = self._config()
        context = self.context()
        inputs, (images, binaries) = self._build(config, context)
        packs = self._fill(config, self._scratch / "pack-binaries" / inputs)
        self._kept.write_text(json.dumps(self._memo))
        return Observation(
            images=images,
            binaries=binaries,
            packs=packs,
            definitions=self._definitions(),
            mounts=self._mounts(config),
            context=context,
        )

    def context(self) -> str:
        """Digest of what the builds see, which is then below ``scratch/context``."""
        place = self._scratch / "context"
        shutil.rmtree(place, ignore_errors=True)
        file = self._scratch / "context.Dockerfile"
        file.write_text(_CONTEXT)
        output = f"type=local,dest={place}"
        self._docker("buildx", "build", "-q", "-f", str(file), "--output", output, ".")
        return digest(of_folder(place))

    def _config(self) -> dict[str, Any]:
        text = self._docker("compose", "config", "--format", "json").stdout
        return dict(json.loads(text))

    def _definitions(self) -> dict[str, str]:
        lines = self._docker("compose", "config", "--hash", "*").stdout.splitlines()
        return dict(line.split() for line in lines)

    def _build(
        self, config: Mapping[str, Any], context: str
    ) -> tuple[str, tuple[dict[str, str], dict[str, str]]]:
        services = {n: s for n, s in config["services"].items() if "build" in s}
        files = of_folder(self._root / "docker")
        inputs = digest(json.dumps([{n: s["build"] for n, s in services.items()}, files, context]))
        built = self._memo["built"]
        if inputs not in built:
            self._clean()
            argument = f"BUILDKIT_CACHE_MOUNT_NS={NAMESPACE}"
            self._docker("compose", "build", "--quiet", "--build-arg", argument)
            binaries = self._pack_binaries(self._scratch / "pack-binaries" / inputs)
            images = {name: self._image(f"{PROJECT}-{name}") for name in sorted(services)}
            built[inputs] = (images, binaries)
        images, binaries = built[inputs]
        return inputs, (images, binaries)

    def _clean(self) -> None:
        """Removes what was compiled of the workspace's packages; their dependencies stay."""
        arguments = (f"NONCE={secrets.token_hex(8)}", f"RUST_IMAGE={self._base('RUST_IMAGE')}")
        words = [w for a in (*arguments, f"BUILDKIT_CACHE_MOUNT_NS={NAMESPACE}")
                 for w in ("--build-arg", a)]  # fmt: skip
        process.run(["docker", "buildx", "build", "-q", *words, "-"], input=_CLEAN.encode())

    def _pack_binaries(self, place: Path) -> dict[str, str]:
        shutil.rmtree(place, ignore_errors=True)
        self._docker(
            *("buildx", "build", "-q", "-f", PACK_DOCKERFILE),
            *("--build-arg", f"BUILDKIT_CACHE_MOUNT_NS={NAMESPACE}"),
            *("--build-arg", f"RUST_IMAGE={self._base('RUST_IMAGE')}"),
            *("--output", f"type=local,dest={place}", "."),
        )
        return of_folder(place)

    def _base(self, name: str) -> str:
        for line in (self._root / ".env").read_text().splitlines():
            if line.startswith(f"{name}="):
                return line.partition("=")[2]
        raise ValueError(f".env does not name {name}")

    def _image(self, name: str) -> str:
        shown = self._docker("image", "inspect", name).stdout
        about = json.loads(shown)[0]
        settings = {k: v for k, v in about["Config"].items() if k in _SETTINGS}
        layers = json.dumps(about["RootFS"]["Layers"])
        files = self._memo["files"]
        if layers not in files:
            files[layers] = self._files_of(name)
        return digest(json.dumps([settings, files[layers]], sort_keys=True))

    def _files_of(self, image: str) -> str:
        container = self._docker("create", image, "true").stdout.strip()
        try:
            return self._exported(container)
        finally:
            self._docker("rm", container)

    def _exported(self, container: str) -> str:
        with tempfile.NamedTemporaryFile(dir=self._scratch, suffix=".tar") as file:
            self._docker("export", "-o", file.name, container)
            return digest(of_archive(Path(file.name)))

    def _fill(self, config: Mapping[str, Any], binaries: Path) -> dict[str, str]:
        """Fills a new volume in the plain way, from the packs with their binaries in place."""
        for binary in binaries.iterdir():
            shutil.copy2(binary, self._root / _SENSORS / binary.name)
        agent = (self._root / "attune_dev/packs/agent.pl").read_bytes()
        inputs = digest(
            json.dumps(
                [of_folder(self._root / "packs"), config["services"]["init-packs"], agent.hex()]
            )
        )
        filled = self._memo["filled"]
        if inputs not in filled:
            self._docker("compose", "down", "--volumes")
            self._docker("compose", "run", "--rm", "--no-deps", "init-packs")
            filled[inputs] = self._volume()
            self._docker("compose", "down", "--volumes")
        return dict(filled[inputs])

    def _volume(self) -> dict[str, str]:
        volume = f"{PROJECT}_packs_data"
        base = self._base("DEBIAN_IMAGE")
        container = self._docker(
            "create", "-v", f"{volume}:/volume:ro", base, "true"
        ).stdout.strip()
        try:
            with tempfile.NamedTemporaryFile(dir=self._scratch, suffix=".tar") as file:
                copied = ["sh", "-c", 'docker cp "$1":/volume - >"$2"', "sh", container, file.name]
                process.run(copied)
                table = of_archive(Path(file.name))
        finally:
            self._docker("rm", container)
        found: dict[str, dict[str, str]] = {}
        for path, told in table.items():
            pack, _, rest = path.removeprefix("volume/").partition("/")
            if pack != ".attune-dev":
                found.setdefault(pack, {})[rest] = told
        return {pack: digest(files) for pack, files in sorted(found.items())}

    def _mounts(self, config: Mapping[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
        found: dict[str, dict[str, dict[str, str]]] = {}
        for name, service in config["services"].items():
            for mount in service.get("volumes", ()):
                place = Path(mount["source"])
                if mount["type"] == "bind" and place.is_relative_to(self._root):
                    inside = place.relative_to(self._root).as_posix()
                    found.setdefault(name, {})[inside] = of_folder(place)
        return found

    def _docker(self, *words: str) -> process.Completed:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COMPOSE_")}
        environment["COMPOSE_PROFILES"] = "*"
        return process.run(["docker", *words], cwd=self._root, env=environment)


_SETTINGS = ("Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "User", "Volumes",
             "WorkingDir")  # fmt: skip
