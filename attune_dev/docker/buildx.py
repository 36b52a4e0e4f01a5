"""Builds through ``docker buildx``, their progress read as data: the one door for them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attune_dev.docker.diagnostics import BuildRecord
from attune_dev.docker.failures import environment_error
from attune_dev.docker.plugins import buildx_command
from attune_dev.docker.process import Running
from attune_dev.docker.progress import PlainParser, RawJsonParser
from attune_dev.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from attune_dev.docker.cancel import Cancel
    from attune_dev.docker.port import OnBuildEvent
    from attune_dev.docker.process import Completed
    from attune_dev.docker.progress import BuildEvent, ProgressParser

LINE_LIMIT = 1 << 20
"""BuildKit's logs come as chunks of up to 32 KiB in base64, with the steps' states beside them."""

ENVIRONMENT = {
    # attestations carry times: with them no two builds are the same; and they would be exported
    # as files among others
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    # contexts outside the working folder are the Compose file's business, not a question
    "BUILDX_BAKE_ENTITLEMENTS_FS": "0",
}


def build(
    words: Sequence[str],
    names: Sequence[str],
    *,
    root: Path | None,
    env: Mapping[str, str],
    on_event: OnBuildEvent,
    cancel: Cancel,
    operands: Sequence[str] = (),
    input: bytes | None = None,  # noqa: A002 - the name subprocess uses
) -> BuildRecord:
    """Runs one build to its end.

    Args:
        words: behind ``docker buildx``, without progress and operands.
        names: what is built, for the error.
        root: where it runs; where we do where it is ``None``.
        env: environment of buildx.
        on_event: is told the progress; from any thread, one call at a time.
        cancel: ends the build, here and in the engine.
        operands: the last words.
        input: for its standard input.

    Raises:
        BuildFailed: with the compiler's own message.
        EnvironmentLacksError: engine or buildx are missing.
        Interrupted: it was cancelled.
    """

    def run(progress: str, parser: ProgressParser) -> tuple[BuildRecord, Completed]:
        record = BuildRecord()
        lock = threading.Lock()

        def on_line(line: str) -> None:
            with lock:
                for event in parser.feed(line):
                    record.add(event)
                    on_event(event)

        running = Running(
            [*buildx_command(env), *words, f"--progress={progress}", *operands],
            on_line,
            cwd=root,
            env={**env, **ENVIRONMENT},
            input=input,
            line_limit=LINE_LIMIT,
        )
        with cancel.ending(running.cancel):
            return record, running.wait(check=False)

    cancel.check()
    record, done = run("rawjson", RawJsonParser())
    if not done.ok and not record.steps and "rawjson" in done.stderr:
        record, done = run("plain", PlainParser())  # buildx before 0.13
    if cancel.requested:
        raise Interrupted(what="the build was cancelled; everything is as it was")
    if not done.ok:
        raise environment_error(done.stderr, done.argv) or record.error(names)
    return record


def nothing(_event: BuildEvent) -> None:
    """For builds that nobody follows."""
