"""The builder's image: the tools of a Dockerfile's stage that compiles."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from attune_dev.docker import buildx
from attune_dev.docker.containers import PROJECT_LABEL
from attune_dev.docker.diagnostics import BuildFailed
from attune_dev.docker.labels import HELPER_LABEL
from attune_dev.docker.process import run
from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from attune_dev.docker.cancel import Cancel
    from attune_dev.model.swap import CompileStage

QUERY_SECONDS = 60.0


_UNTOUCHED = (
    "found=$(find {0} -path {0} -o -name '.*' -prune -o -name target -prune -o ! -type d -print"
    " 2>/dev/null | head -n 1);"
    ' [ -z "$found" ] || {{ echo "error: a step of the Dockerfile makes $found" >&2; exit 1; }}'
)
"""A volume takes the place of the folder: what an image has there, the first alone sees."""


class BuilderLacksError(ActionError):
    """The builder cannot be had here; code still gets where it belongs through images."""


def make_image(
    root: Path, project: str, env: Mapping[str, str], stage: CompileStage, cancel: Cancel
) -> str:
    """Makes the image of a stage's builder, or finds it in the build cache.

    Args:
        root: repository root.
        project: Compose project.
        env: environment of buildx.
        stage: which.
        cancel: ends it.

    Returns:
        Its name.

    Raises:
        BuilderLacksError: it cannot be made.
        EnvironmentLacksError: engine or buildx are missing.
        Interrupted: it was cancelled.
    """
    name = f"{project}-attune-dev-builder:{stage.key}"
    args = {key: value for key, value in stage.args.items() if value is not None}
    contexts = stage.additional_contexts.items()
    words = [
        *("build", "--file", "-", "--target", stage.target, "--load", "--tag", name),
        *("--label", f"{PROJECT_LABEL}={project}", "--label", f"{HELPER_LABEL}=builder"),
        *(word for key, text in args.items() for word in ("--build-arg", f"{key}={text}")),
        *(word for key, text in contexts for word in ("--build-context", f"{key}={text}")),
    ]
    try:
        buildx.build(
            words,
            (name,),
            root=root,
            env=env,
            on_event=buildx.nothing,
            cancel=cancel,
            operands=(stage.context or ".",),
            input=f"{stage.text}{_check(stage.directory)}".encode(),
        )
    except BuildFailed as failure:
        what = "the image of the builder cannot be made"
        raise BuilderLacksError(what, why=failure.why) from None
    return name


def _check(directory: str) -> str:
    """A step that fails where the folder of the sources holds something without them."""
    script = _UNTOUCHED.format(shlex.quote(directory))
    return f"RUN {json.dumps(['sh', '-c', script])}\n"


def cargo_home(image: str, env: Mapping[str, str]) -> str:
    """Where cargo keeps what it has downloaded, in an image."""
    told = run(
        ["docker", "image", "inspect", "--format", "{{json .Config.Env}}", image],
        env=env,
        timeout=QUERY_SECONDS,
    )
    pairs = dict(word.partition("=")[::2] for word in json.loads(told.stdout) or ())
    return pairs.get("CARGO_HOME") or f"{pairs.get('HOME', '/root')}/.cargo"
