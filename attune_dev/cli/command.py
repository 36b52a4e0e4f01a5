"""What every task has in common: errors become lines and exit codes, signals end it cleanly."""

from __future__ import annotations

import functools
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from invoke.exceptions import Exit
from invoke.tasks import Task

from attune_dev.cli.names import NamesTask
from attune_dev.errors import AttuneDevError, ExitCode, Interrupted

Body = TypeVar("Body", bound=Callable[..., Any])


def command(
    *,
    name: str | None = None,
    names: str | None = None,
    is_name: Callable[[str], bool] | None = None,
    default: bool = False,
    help: dict[str, str] | None = None,  # noqa: A002 - Invoke's word
    iterable: Iterable[str] = (),
) -> Callable[[Callable[..., Any]], Task[Any]]:
    """Makes an Invoke task out of a function that raises our errors.

    Args:
        name: the task's name, with dashes; the function's name where it is ``None``.
        names: the parameter that takes the words after the verb.
        is_name: tells whether a word that is also a task is one of those names.
        default: whether it is its collection's default task.
        help: a line for each parameter.
        iterable: parameters that can be given more than once.
    """

    def decorate(body: Callable[..., Any]) -> Task[Any]:
        options: dict[str, Any] = {
            "name": name,
            "default": default,
            "help": help or {},
            "positional": [],
            "iterable": [*iterable, *([names] if names else [])],
            "auto_shortflags": False,
        }
        if names is None:
            return Task(guarded(body), **options)
        task = NamesTask(guarded(body), **options)
        task.names_parameter = names
        task.is_name = is_name
        return task

    return decorate


def guarded(body: Body) -> Body:
    """The function with our errors told as lines, and with the right exit code."""

    @functools.wraps(body)
    def call(*args: Any, **kwargs: Any) -> Any:
        started = time.monotonic()

        def document(problem: AttuneDevError) -> None:
            if kwargs.get("json"):  # a task that has printed its own ends by Exit
                print(_document(problem, time.monotonic() - started))

        try:
            with _termination():
                return body(*args, **kwargs)
        except AttuneDevError as problem:
            document(problem)
            raise Exit(_told(problem), code=problem.exit_code) from None
        except KeyboardInterrupt:
            document(Interrupted())
            raise Exit("interrupted", code=ExitCode.INTERRUPTED) from None
        except BrokenPipeError as problem:
            if not reader_is_gone():  # some other pipe, to a program that died
                raise Exit(_unexpected(problem), code=ExitCode.ACTION_FAILED) from None
            silence_stdout()
            raise Exit(code=ExitCode.OK) from None
        except (Exit, SystemExit):
            raise
        except Exception as problem:  # noqa: BLE001 - a fault of ours, told as one
            raise Exit(_unexpected(problem), code=ExitCode.ACTION_FAILED) from None

    return call  # type: ignore[return-value]


def _told(problem: AttuneDevError) -> str:
    from attune_dev.reporting.text import clean_line

    return "\n".join(clean_line(line) for line in problem.lines())


def _document(problem: AttuneDevError, seconds: float) -> str:
    """What ``--json`` shows where there was nothing to show but an error."""
    from attune_dev.model.event_json import error_to_dict

    errors = [error_to_dict(problem)]
    document = {"version": 1, "ok": False, "seconds": round(seconds, 3), "targets": []}
    return json.dumps(document | {"errors": errors}, indent=2)


def _unexpected(problem: Exception) -> str:
    """A fault of ours: short on the screen, whole with ``ATTUNE_DEV_DEBUG``."""
    if os.environ.get("ATTUNE_DEV_DEBUG"):
        return "".join(traceback.format_exception(problem))
    where = traceback.extract_tb(problem.__traceback__)[-1]
    return (
        f"error: unexpected {type(problem).__name__}: {problem}\n"
        f"  in {os.path.basename(where.filename)}:{where.lineno}; this is a fault of attune_dev\n"  # noqa: PTH119
        "  fix: run it again with ATTUNE_DEV_DEBUG=1 for the whole story"
    )


@contextmanager
def _termination() -> Iterator[None]:
    """Turns SIGTERM and SIGHUP into an exception, so that every ``finally`` runs."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(128 + number, "terminated" if number == signal.SIGTERM else "hung up")

    previous = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        with suppress(ValueError):  # only the main thread may
            previous[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def reader_is_gone() -> bool:
    """Whether nobody reads standard output or standard error any more, as behind ``| head``."""
    poll = select.poll()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            poll.register(stream.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def silence_stdout() -> None:
    """Keeps the interpreter from complaining about a closed pipe at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
