"""Dockerfiles with a rendered part: read, rendered anew, and written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from importlib.resources import files
from pathlib import Path

from attune_dev.errors import ActionError, ConfigError
from attune_dev.loading.dockerfile import parse_dockerfile
from attune_dev.loading.images import SIZE_LIMIT
from attune_dev.loading.safe_yaml import read_bounded
from attune_dev.loading.tree import look_over
from attune_dev.model.compose import Service
from attune_dev.model.workspace import Workspace
from attune_dev.planning.builder_stages import (
    FRESHEN,
    SERVICE_ARG,
    Recipe,
    builder_stages,
    command_stage,
)
from attune_dev.planning.image_inputs import image_inputs
from attune_dev.planning.recipes import Served, make_recipes
from attune_dev.planning.rendered import Rendered, Strategy, take_apart

# In place of the rendered part, whatever it is now: files come out of it under their own name.
_ANY_BUILDER = "FROM scratch AS builder\nWORKDIR /build\nRUN cargo build --workspace\n"


@dataclass(frozen=True, slots=True)
class Change:
    """A Dockerfile as it is and as it is to be.

    Attributes:
        path: relative to the repository root.
        before: its text.
        after: its text with the rendered part made anew.
        strategy: that it is rendered with, ``None`` for the script that all of them run.
    """

    path: str
    before: str
    after: str
    strategy: Strategy | None = None

    @property
    def needed(self) -> bool:
        """Whether it is out of date."""
        return self.before != self.after

    def diff(self) -> str:
        """What changes, as a unified diff."""
        return "".join(
            unified_diff(
                self.before.splitlines(keepends=True),
                self.after.splitlines(keepends=True),
                f"a/{self.path}",
                f"b/{self.path}",
            )
        )


def render_dockerfiles(
    root: Path, workspace: Workspace, strategy: Strategy | None = None
) -> tuple[Change, ...]:
    """Renders the crate-dependent part of every Dockerfile that has one; writes nothing.

    Args:
        root: repository root.
        workspace: what is compiled.
        strategy: how; each file's own where it is ``None``.

    Raises:
        ConfigError: no Dockerfile has a rendered part, or one cannot be rendered.
    """
    changes = []
    for part, recipe in _recipes(root, workspace, strategy):
        chosen = strategy or part.strategy
        after = replace(part, body=builder_stages(recipe, chosen), strategy=chosen)
        changes.append(Change(part.path, part.text, after.text, chosen))
    present = root / FRESHEN
    before = present.read_text(encoding="utf-8", errors="replace") if present.is_file() else ""
    changes.append(Change(FRESHEN, before, freshen_script()))
    return tuple(changes)


def rendered_paths(root: Path, workspace: Workspace) -> tuple[str, ...]:
    """The Dockerfiles that have a rendered part; other repositories may have none."""
    texts = _texts(root, workspace)
    return tuple(path for path, text in texts.items() if take_apart(path, text) is not None)


def freshen_script() -> str:
    """The script that the rendered parts run: builds read a copy of it in the repository."""
    return files("attune_dev.loading").joinpath("freshen.sh").read_text(encoding="utf-8")


def command_dockerfile(
    root: Path, workspace: Workspace, commands: Sequence[str], export: str = ""
) -> str:
    """A Dockerfile that runs commands where the services are compiled, over the same sources.

    Args:
        root: repository root.
        workspace: what is compiled.
        commands: shell commands; they come after ``freshen.sh``.
        export: file that its last stage hands over; none where it is empty.

    Raises:
        ConfigError: no Dockerfile has a rendered part.
    """
    found = _recipes(root, workspace, Strategy.ONCE)
    part, recipe = next((pair for pair in found if not pair[1].listed), found[0])
    text = part.head + command_stage(recipe, commands)
    last = f"COPY --from=builder {export} /\n" if export else ""
    return f"{text}\nFROM scratch AS handed-over\n{last}" if export else text


def _recipes(
    root: Path, workspace: Workspace, strategy: Strategy | None
) -> list[tuple[Rendered, Recipe]]:
    texts = _texts(root, workspace)
    parts = [part for path, text in texts.items() if (part := take_apart(path, text)) is not None]
    if not parts:
        raise ConfigError(
            "no Dockerfile has a rendered part",
            why=f"looked at {', '.join(texts) or 'no file: there is no Dockerfile'}",
            hint="inv migrate",
        )
    served = {part.path: _served(workspace, part) for part in parts}
    recipes = make_recipes(workspace, parts, served, lambda p: (root / p).is_file(), strategy)
    return list(zip(parts, recipes, strict=True))


def write_change(root: Path, change: Change) -> None:
    """Writes a Dockerfile, whole or not at all.

    Raises:
        ActionError: it cannot be written.
    """
    path = root / change.path
    draft = path.with_name(f".attune-dev-{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(change.after, encoding="utf-8")
        if path.exists():
            draft.chmod(path.stat().st_mode & 0o7777)
        draft.replace(path)
    except OSError as problem:
        draft.unlink(missing_ok=True)
        raise ActionError(f"{change.path} could not be written", why=str(problem)) from None


def _texts(root: Path, workspace: Workspace) -> dict[str, str]:
    """The Dockerfiles of services and those that lie about."""
    used = {s.build.dockerfile for s in workspace.compose.services.values() if s.build}
    paths = sorted({*used, *look_over(root).dockerfiles})
    found = {}
    for path in paths:
        try:
            found[path] = read_bounded(root / path, name=path, limit=SIZE_LIMIT)
        except FileNotFoundError:
            continue
    return found


def _served(workspace: Workspace, part: Rendered) -> list[Served]:
    """The services that a Dockerfile builds, with what they take out of its builder."""
    dockerfile = parse_dockerfile(replace(part, body=_ANY_BUILDER).text, part.path)
    found = []
    for name, service in workspace.compose.services.items():
        build = service.build
        if build is None or build.inline is not None or build.dockerfile != part.path:
            continue
        shipped = image_inputs(name, build, dockerfile).shipped
        binaries = sorted(b for b in shipped if workspace.cargo.package_of_binary(b))
        if not binaries:
            raise _ships_nothing(service, shipped, part.path)
        found.append(Served(name, build.args.get(SERVICE_ARG) or "", tuple(binaries)))
    return found


def _ships_nothing(service: Service, shipped: tuple[str, ...], path: str) -> ConfigError:
    taken = ", ".join(shipped) or "nothing"
    return ConfigError(
        f"the image of {service.name} ships no Cargo binary of the workspace",
        why=f"it takes {taken} out of the builder",
        hint="name the binary in `COPY --from=builder /out/NAME`, or add its crate",
        file=path,
    )
