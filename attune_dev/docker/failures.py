"""What the docker client says when it fails, as errors that name the next step (pure)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attune_dev.docker.text import sanitise
from attune_dev.errors import ActionError, AttuneDevError, EnvironmentLacksError

if TYPE_CHECKING:
    from attune_dev.docker.process import CommandFailed, Completed

_TOLD_LINES = 10

_ENGINE_GONE = re.compile(
    r"cannot connect to the docker daemon|failed to connect to the docker api"
    r"|error during connect|is the docker daemon running",
    re.IGNORECASE,
)
_NO_PERMISSION = re.compile(r"permission denied while trying to connect", re.IGNORECASE)
_PLUGIN_MISSING = re.compile(
    r"unknown flag: --(file|project-name|profile|ansi|progress)\b"
    r"|unknown shorthand flag|unknown command: docker (?P<one>compose|buildx)"
    r"|'(?P<two>compose|buildx)' is not a docker command",
    re.IGNORECASE,
)
_PORT = re.compile(r"port is already allocated|address already in use", re.IGNORECASE)
_NAME = re.compile(r'container name "?/?(?P<name>[^" ]+)"? is already in use', re.IGNORECASE)
_NO_IMAGE = re.compile(
    r"no such image|pull access denied|image .* not found|needs to be built", re.IGNORECASE
)


def translated(failure: CommandFailed, what: str) -> AttuneDevError:
    """The error that a user should see for a docker call that failed.

    Args:
        failure: what the call left.
        what: what was tried: ``restarting api``.
    """
    return explain(failure.completed, what)


def explain(completed: Completed, what: str) -> AttuneDevError:
    """The same for what a call left; see :func:`translated`."""
    said = completed.stderr.strip() or completed.stdout.strip()
    if lacking := environment_error(said, completed.argv):
        return lacking
    lines = [text for line in said.splitlines() if (text := sanitise(line)).strip()]
    why = "\n".join(lines[-_TOLD_LINES:]) or f"docker exited with {completed.returncode}"
    return ActionError(f"{what} failed", why=why, hint=_hint(said))


def environment_error(said: str, argv: tuple[str, ...] = ()) -> EnvironmentLacksError | None:
    """The error for an engine or a plugin that is not there, ``None`` where it is none of these.

    Args:
        said: what the client wrote.
        argv: what was run: the plugin's name is taken from it.
    """
    if _NO_PERMISSION.search(said):
        return EnvironmentLacksError(
            "no permission to talk to the Docker engine",
            why=_last(said),
            hint="add yourself to the group `docker`, or use a rootless engine; then log in again",
        )
    if _ENGINE_GONE.search(said):
        return EnvironmentLacksError(
            "the Docker engine does not answer",
            why=_last(said),
            hint="start it, then try again",
        )
    if found := _PLUGIN_MISSING.search(said):
        named = found["one"] or found["two"] or ("buildx" if "buildx" in argv else "compose")
        return EnvironmentLacksError(
            f"the docker {named} plugin is missing or too old",
            why=_last(said),
            hint="./inv setup",
        )
    return None


def _hint(said: str) -> str:
    if _PORT.search(said):
        return "free the port, or set another one in .env"
    if found := _NAME.search(said):
        return f"another project holds the name: docker inspect {found['name']}"
    if _NO_IMAGE.search(said):
        return "./inv build"
    return ""


def _last(said: str) -> str:
    lines = [text for line in said.splitlines() if (text := sanitise(line)).strip()]
    told = [line for line in lines if _ENGINE_GONE.search(line) or _NO_PERMISSION.search(line)]
    return (told or lines or [""])[0]
