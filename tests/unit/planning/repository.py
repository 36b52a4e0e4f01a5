"""Repositories of many shapes, written as real files in few words and planned for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attune_dev.errors import ConfigError
from attune_dev.loading.compose_json import compose_from_json
from attune_dev.loading.workspace import load_workspace
from attune_dev.model.change import Change, ChangeKind
from attune_dev.model.compose import Override
from attune_dev.model.workspace import Workspace
from attune_dev.planning.planner import make_plan
from attune_dev.settings import Settings

_CONDITIONS = {
    "started": "service_started",
    "healthy": "service_healthy",
    "done": "service_completed_successfully",
}

MULTI_STAGE = """\
FROM rust AS build
WORKDIR /src
COPY . .
RUN cargo build --release --bin {binary}
FROM debian
COPY --from=build /src/target/release/{binary} /usr/local/bin/
CMD ["{binary}"]
"""


class Repository:
    """A repository below a folder, with services that are told, not read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._services: dict[str, dict[str, Any]] = {}
        self._overrides: dict[str, Override] = {}
        self._volumes: set[str] = set()
        self.write({"docker-compose.yaml": "services: {}\n"})

    def write(self, files: Mapping[str, str]) -> None:
        """Writes files."""
        for path, text in files.items():
            full = self.root / path
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_text(text, encoding="utf-8")

    def remove(self, *paths: str) -> None:
        """Removes files."""
        for path in paths:
            (self.root / path).unlink()

    def members(self, *patterns: str, root: str = "", exclude: tuple[str, ...] = ()) -> None:
        """A workspace manifest."""
        listed = ", ".join(f'"{pattern}"' for pattern in patterns)
        left = ", ".join(f'"{pattern}"' for pattern in exclude)
        text = f'[workspace]\nresolver = "2"\nmembers = [{listed}]\nexclude = [{left}]\n'
        self.write({str(Path(root, "Cargo.toml")): text})

    def crate(
        self,
        folder: str,
        *needs: str,
        bins: tuple[str, ...] = (),
        dev: tuple[str, ...] = (),
        more: str = "",
    ) -> None:
        """A package with a library, or with these binaries in ``src/bin``.

        One binary with the name of the folder is ``src/main.rs``.
        """
        name = folder.rpartition("/")[2] or "root"
        lines = [f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"']
        for table, folders in (("dependencies", needs), ("dev-dependencies", dev)):
            lines.append(f"[{table}]")
            depth = "../" * len(Path(folder).parts)
            lines += [f'{f.rpartition("/")[2]} = {{ path = "{depth}{f}" }}' for f in folders]
        self.write({str(Path(folder, "Cargo.toml")): "\n".join([*lines, more]) + "\n"})
        if not bins:
            self.write({str(Path(folder, "src/lib.rs")): "\n"})
        for binary in bins:
            file = "src/main.rs" if binary == name else f"src/bin/{binary}.rs"
            self.write({str(Path(folder, file)): "fn main() {}\n"})

    def service(
        self,
        name: str,
        *mounts: str,
        build: str | Mapping[str, Any] | None = None,
        waits: Mapping[str, str] | None = None,
        override: Override | None = None,
        **more: Any,
    ) -> None:
        """A service; mounts are ``source:target[:ro]``, a source without ``/`` or ``.`` a volume.

        ``build`` is a Dockerfile, with the root as its context, or Compose's ``build`` section
        with a relative context.
        """
        definition: dict[str, Any] = dict(more)
        if build is not None:
            said = {"dockerfile": build} if isinstance(build, str) else dict(build)
            said["context"] = str(self.root / said.get("context", ""))
            definition["build"] = said
        definition["volumes"] = [self._mount(mount) for mount in mounts]
        definition["depends_on"] = {
            other: {"condition": _CONDITIONS[how]} for other, how in (waits or {}).items()
        }
        self._services[name] = definition
        if override is not None:
            self._overrides[name] = override

    def without(self, name: str) -> None:
        """Takes a service away."""
        del self._services[name]

    def _mount(self, text: str) -> dict[str, Any]:
        source, target, *how = text.split(":")
        bound = "/" in source or "." in source
        if not bound:
            self._volumes.add(source)
        return {
            "type": "bind" if bound else "volume",
            "source": str(self.root / source) if bound else source,
            "target": target,
            "read_only": how == ["ro"],
        }

    def load(self, tolerate: list[ConfigError] | None = None) -> Workspace:
        """Reads the files, as they are now."""
        compose = compose_from_json(
            {
                "name": "shape",
                "services": self._services,
                "volumes": {name: {"name": f"shape_{name}"} for name in sorted(self._volumes)},
            },
            self.root,
            ("docker-compose.yaml",),
            overrides=self._overrides,
            candidates=("docker-compose.override.yaml",),
        )
        return load_workspace(self.root, Settings(), compose=compose, tolerate=tolerate)

    def plan(
        self,
        *paths: str | Change,
        previous: Workspace | None = None,
        services: frozenset[str] | None = None,
    ) -> str:
        """The plan for changed paths; one that does not exist is deleted."""
        changes = [path if isinstance(path, Change) else self._change(path) for path in paths]
        made = make_plan(self.load(), changes, previous=previous, services=services)
        return made.describe()

    def _change(self, path: str) -> Change:
        exists = (self.root / path).exists()
        return Change(path, ChangeKind.MODIFIED if exists else ChangeKind.DELETED)
