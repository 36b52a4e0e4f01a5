"""Calls of Compose that go by its files, and by what these said before where they are wrong now."""

from __future__ import annotations

import os
import re
from functools import cached_property
from typing import TYPE_CHECKING

from attune_dev.docker.engine import QUERY_SECONDS
from attune_dev.docker.failures import explain
from attune_dev.docker.plugins import compose_command
from attune_dev.docker.process import Completed, Running, run
from attune_dev.docker.text import sanitise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from attune_dev.docker.port import OnLine


class ComposeCalls:
    """Calls Compose for one project.

    Args:
        root: the repository, where Compose finds its files.
        environ: environment of the calls.
        name: of the project.
        argv: gives the words that every call begins with that needs the engine.
        resolved: the last good definitions as a Compose file of their own, empty without any.
    """

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        name: str,
        argv: Callable[[], Sequence[str]],
        resolved: str,
    ) -> None:
        self._root = root
        self._env = environ
        self._name = name
        self._argv = argv
        self._resolved = resolved

    def do(self, words: Sequence[str], on_line: OnLine) -> None:
        """Has Compose do something, however long it takes.

        Args:
            words: of the command line.
            on_line: told what it prints.

        Raises:
            ActionError: it failed.
        """

        def call(files: Sequence[str], given: bytes | None) -> Completed:
            argv = [*self._argv(), *files, "--ansi", "never", "--progress", "plain", *words]
            running = Running(
                argv,
                lambda line: on_line(sanitise(line)),
                cwd=self._root,
                env=self._env,
                input=given,
            )
            return running.wait(check=False)

        done = self._by_good_definitions(call)
        if not done.ok:
            raise explain(done, f"docker compose {_told(words)}")

    def ask(self, words: Sequence[str], what: str) -> Completed:
        """Asks Compose something that needs no engine.

        Args:
            words: of the command line.
            what: the question, for an error.

        Raises:
            ActionError: it failed.
        """
        done = self._by_good_definitions(lambda files, given: self._run((*files, *words), given))
        if not done.ok:
            raise explain(done, what)
        return done

    @cached_property
    def hash_holds_order(self) -> bool:
        """Whether Compose counts ``depends_on``, which ``--no-deps`` removes, as definition.

        It did until 2.29.3 (docker/compose pull request 12072): a container that was started with
        ``--no-deps`` was replaced by the next plain ``docker compose up``.
        """
        said = self.ask(["version", "--short"], "asking Compose for its version").stdout
        numbers = [int(number) for number in re.findall(r"\d+", said)[:3]]
        return tuple(numbers) < (2, 29, 3)

    def _by_good_definitions(
        self, call: Callable[[Sequence[str], bytes | None], Completed]
    ) -> Completed:
        done = call((), None)
        if done.ok or not self._resolved or self._run(("config", "--quiet")).ok:
            return done
        # all variables are resolved; an `.env` may be what is wrong
        files = ("--file", "-", "--project-directory", str(self._root), "--env-file", os.devnull)
        return call(files, self._resolved.encode())

    def _run(self, words: Sequence[str], given: bytes | None = None) -> Completed:
        return run(
            [
                *compose_command(self._env),
                *("--project-name", self._name, "--profile", "*"),
                *words,
            ],
            cwd=self._root,
            env=self._env,
            input=given,
            timeout=QUERY_SECONDS,
            check=False,
        )


def _told(words: Sequence[str]) -> str:
    return " ".join(word for word in words if not word.startswith("-"))
