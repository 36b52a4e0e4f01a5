"""Local images, by the docker client: whether one is there, and pulling one."""

from __future__ import annotations

import json
import re
import threading
import time
from enum import Enum

from attune_dev.docker import process
from attune_dev.errors import EnvironmentLacksError
from attune_dev.setup.report import Say

_FIRST_WORD_SECONDS = 20.0
_REFUSED = re.compile(
    r"manifest unknown|manifest for .* not found|pull access denied|unauthorized|toomanyrequests"
    r"|repository does not exist|no matching manifest|invalid reference format|not found: manifest",
    re.IGNORECASE,
)


class Pull(Enum):
    """How a pull ended."""

    DONE = "done"
    REFUSED = "refused"
    NO_ANSWER = "no answer"


def labels_of(name: str) -> dict[str, str] | None:
    """The labels of a local image, ``None`` where there is no such image."""
    done = process.run(
        ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", name],
        check=False,
        timeout=30,
    )
    if not done.ok:
        return None
    labels = json.loads(done.stdout or "null") or {}
    return {str(key): str(value) for key, value in labels.items()}


def is_present(name: str) -> bool:
    """Whether the engine has an image of this name."""
    return labels_of(name) is not None


def pull(name: str, say: Say) -> tuple[Pull, str]:
    """Pulls an image; gives up soon where no registry answers, never once it has begun.

    Args:
        name: the image.
        say: told when the download begins.

    Returns:
        How it ended, and the last words where it was not done.
    """
    begun = threading.Event()
    words: list[str] = []

    def hear(line: str) -> None:
        words.append(line)
        if "Pulling from" in line or "Pulling fs layer" in line:
            if not begun.is_set():
                say(f"pulling {name}")
            begun.set()

    running = process.Running(["docker", "pull", name], hear)
    patience = time.monotonic() + _FIRST_WORD_SECONDS
    while running.alive and not begun.wait(0.02):
        if time.monotonic() > patience:
            running.cancel(grace=1.0)
            running.wait(check=False)
            return Pull.NO_ANSWER, f"no answer within {_FIRST_WORD_SECONDS:.0f} s"
    done = running.wait(check=False)
    last = next((line for line in reversed(words) if line.strip()), "")
    if done.ok:
        return Pull.DONE, ""
    return (Pull.REFUSED if _REFUSED.search(last) else Pull.NO_ANSWER), last


def registry_of(name: str) -> str:
    """The registry that an image comes from, by the rule of the docker client."""
    first, slash, _ = name.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return first if is_host else "docker.io"


def require_local(name: str) -> None:
    """Says what is wrong where an image that was just made is not there.

    Raises:
        EnvironmentLacksError: the engine does not have it.
    """
    if not is_present(name):
        raise EnvironmentLacksError(f"the engine does not have {name} although it was just made")
