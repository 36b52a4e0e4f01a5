"""Makes ``.venv`` from the locked versions: the slow path of the launcher ``inv``.

It runs under whatever Python the launcher found, before anything is installed, so this module and
all that it imports use the standard library alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from attune_dev.docker import process
from attune_dev.errors import AttuneDevError, EnvironmentLacksError, ExitCode

_MADE_FROM = ("requirements.lock", "pyproject.toml")
_IMPORTED = (
    *("elftools", "filelock", "invoke", "pathspec", "python_on_whales", "watchdog", "yaml"),
    *("annotated_types", "pydantic", "typing_extensions.py", "typing_inspection"),
)
_INSTALL_TIMEOUT = 1800.0


@dataclass(frozen=True, slots=True)
class Environment:
    """The virtual environment of one checkout.

    Args:
        root: the checkout, resolved.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """Where the environment is."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def made(self) -> Path:
        """Copies of what it was made from, and for which folder; written last."""
        return self.folder / ".made"

    def is_complete(self) -> bool:
        """Whether an installation ended well here, for this folder, with a Python still there."""
        try:
            of = (self.made / "root").read_text(encoding="utf-8")
        except OSError:
            return False
        return of == f"{self.root}\n" and os.access(self.python, os.X_OK)

    def is_made_from(self, name: str) -> bool:
        """Whether the dependency file ``name`` has the content that was installed."""
        try:
            return (self.made / name).read_bytes() == (self.root / name).read_bytes()
        except OSError:
            return False


def say(text: str) -> None:
    """Tells one line on stderr: stdout belongs to the task that runs next."""
    print(text, file=sys.stderr, flush=True)


def prepare(root: Path) -> None:
    """Brings ``.venv`` to what the dependency files say; does nothing when it is so.

    Two first uses at once are in order: the second waits, then finds the work done.

    Raises:
        EnvironmentLacksError: Python lacks venv or ensurepip, or the packages cannot be had.
    """
    environment = Environment(root)
    with _alone(root / ".venv.lock"):
        complete = environment.is_complete()
        stale = [name for name in _MADE_FROM if not environment.is_made_from(name)]
        if complete and not stale:
            return
        started = time.monotonic()
        if not complete:
            _create(environment)
            stale = list(_MADE_FROM)
        (environment.made / "root").unlink(missing_ok=True)
        if "requirements.lock" in stale:
            _install_locked(environment)
        _install_project(environment)
        _compile(environment)
        _write_stamp(environment)
        say(f"setup: .venv is ready after {time.monotonic() - started:.0f} s")


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds a lock that the kernel gives back however this process ends."""
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("setup: waiting for another ./inv that prepares .venv")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _create(environment: Environment) -> None:
    version = platform.python_version()
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        short = f"python{sys.version_info.major}.{sys.version_info.minor}"
        raise EnvironmentLacksError(
            f"Python {version} at {sys.executable} lacks the venv module",
            why="the tasks run in an environment of their own, so that nothing else changes",
            hint=f"install it (Debian, Ubuntu: apt-get install {short}-venv), then the same again",
        )
    say(f"setup: making .venv with Python {version} (about 1 min, once)")
    shutil.rmtree(environment.folder, ignore_errors=True)
    done = process.run(
        [sys.executable, "-m", "venv", "--clear", str(environment.folder)],
        check=False,
        timeout=_INSTALL_TIMEOUT,
    )
    if done.returncode != 0:
        raise EnvironmentLacksError(
            f"could not make {environment.folder}",
            why=_last_lines(done.stdout + done.stderr),
            hint=f"see that {environment.root} can be written to and the disk is not full",
        )
    environment.made.mkdir()


def _install_locked(environment: Environment) -> None:
    say("setup: installing the locked versions (requirements.lock)")
    _pip(environment, "--require-hashes", "-r", str(environment.root / "requirements.lock"))


def _install_project(environment: Environment) -> None:
    _pip(environment, "--no-deps", "--no-build-isolation", "-e", str(environment.root))


def _pip(environment: Environment, *arguments: str) -> None:
    quiet = ("--quiet", "--no-input", "--no-compile", "--disable-pip-version-check")
    done = process.run(
        [str(environment.python), "-m", "pip", "install", *quiet, *arguments],
        cwd=environment.root,
        check=False,
        timeout=_INSTALL_TIMEOUT,
    )
    if done.returncode != 0:
        raise EnvironmentLacksError(
            "could not install the locked packages",
            why=_last_lines(done.stdout + done.stderr),
            hint="see that the Python package index answers, then the same again",
        )


def _compile(environment: Environment) -> None:
    """Compiles what the tasks import, to byte code: Invoke keeps Python from doing so later.

    All that is installed would take ten times as long; it is only speed, so no failure counts.
    """
    (packages,) = (environment.folder / "lib").glob("python3*/site-packages")
    wanted = [environment.root / "attune_dev", *(packages / name for name in _IMPORTED)]
    present = [str(path) for path in wanted if path.exists()]
    process.run(
        [str(environment.python), "-m", "compileall", "-q", *present],
        check=False,
        timeout=_INSTALL_TIMEOUT,
    )


def _write_stamp(environment: Environment) -> None:
    environment.made.mkdir(exist_ok=True)
    for name in _MADE_FROM:
        shutil.copyfile(environment.root / name, environment.made / name)
    beside = environment.made / "root.new"
    beside.write_text(f"{environment.root}\n", encoding="utf-8")
    beside.replace(environment.made / "root")


def _last_lines(text: str, count: int = 8) -> str:
    return "\n".join([line for line in text.splitlines() if line.strip()][-count:])


def main() -> None:
    """Entry of the launcher: the checkout is the one argument.

    Raises:
        SystemExit: with 3 when the environment cannot be made, 130 after Ctrl-C.
    """
    try:
        prepare(Path(sys.argv[1]))
    except AttuneDevError as error:
        for line in error.lines():
            say(line)
        raise SystemExit(int(error.exit_code)) from None
    except KeyboardInterrupt:
        say("setup: interrupted; the next ./inv starts it again")
        raise SystemExit(int(ExitCode.INTERRUPTED)) from None
