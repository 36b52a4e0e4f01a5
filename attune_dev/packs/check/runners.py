"""Runner types: which are known, and how each runs its entry point."""

from __future__ import annotations

from enum import Enum

from attune_dev.packs.check.facts import Kind


class Runs(Enum):
    """How an entry point is started."""

    BY_SHELL = "by a shell"
    BY_INTERPRETER = "by an interpreter that the runner knows"
    ITSELF = "by itself, as a program"
    OTHERWISE = "by something that no file in the pack's folder has to be"


_SHELL = (
    *("shell", "bash", "sh", "local-shell-script", "remote-shell-script"),
    *("run-local-script", "run-remote-script"),
)
_INTERPRETER = ("python", "python3", "node", "nodejs", "node.js", "python-script", "run-python")
_ITSELF = ("native",)
_OTHERWISE = (
    *("builtin", "standalone", "java", "workflow", "noop", "inquirer", "announcement"),
    *("local-shell-cmd", "remote-shell-cmd", "http-request", "http-runner", "winrm-cmd"),
    *("winrm-ps-cmd", "winrm-ps-script", "orquesta", "mistral-v2", "action-chain", "cloudslang"),
    *("run-local", "run-remote"),
)

KNOWN = {
    **dict.fromkeys(_SHELL, Runs.BY_SHELL),
    **dict.fromkeys(_INTERPRETER, Runs.BY_INTERPRETER),
    **dict.fromkeys(_ITSELF, Runs.ITSELF),
    **dict.fromkeys(_OTHERWISE, Runs.OTHERWISE),
}
"""Attune's runner types with their aliases, and those of StackStorm, whose packs look alike."""


def normal(runner: str) -> str:
    """A runner type as it is compared: ``core.python`` is ``python``."""
    return runner.lower().removeprefix("core.")


def runs(kind: Kind, runner: str) -> Runs:
    """How a runner type starts an entry point; a sensor's is a program where nothing is said."""
    if not runner:
        return Runs.ITSELF if kind is Kind.SENSOR else Runs.OTHERWISE
    return KNOWN.get(normal(runner), Runs.BY_INTERPRETER)  # a runtime of a pack
