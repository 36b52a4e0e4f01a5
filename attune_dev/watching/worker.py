"""Does the work beside the loop, so that the loop goes on listening."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from attune_dev.docker.cancel import Cancel
from attune_dev.errors import ActionError, AttuneDevError
from attune_dev.model.event import Ended, Planned
from attune_dev.model.plan import ActionKind
from attune_dev.watching.inbox import Finished, Inbox, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from attune_dev.model.event import Event
    from attune_dev.model.plan import Action, Plan
    from attune_dev.running.outcome import RunResult


LOCK_FILE = "Cargo.lock"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work.

    Attributes:
        number: counts up.
        make_plan: gives the plan; it may ask the engine.
        everything: whether the plan makes everything current, not only what is pending.
        writes: which files of the repository an action writes itself, and their digests, asked
            right after it has ended.
    """

    number: int
    make_plan: Callable[[], Plan]
    everything: bool = False
    writes: Callable[[Action], Mapping[str, str | None]] = field(default=lambda _: {})


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of a job.

    Attributes:
        run: what became of its plan, ``None`` where it came to none.
        error: why it came to none.
        written: digests of what its actions wrote into the repository, by action id.
    """

    run: RunResult | None = None
    error: AttuneDevError | None = None
    written: Mapping[int, Mapping[str, str | None]] = field(default_factory=dict)

    @property
    def written_paths(self) -> frozenset[str]:
        """All that its actions wrote into the repository."""
        return frozenset(path for digests in self.written.values() for path in digests)

    def carried(self) -> dict[str, str | None]:
        """What an action wrote that has been taken, with the digest it had then.

        A pack binary is taken by a later sync, a lock file by the build that brought it up to date.
        """
        synced = {
            need
            for result in (self.run.results if self.run is not None else ())
            if result.ok and result.action.kind is ActionKind.SYNC_PACKS
            for need in result.action.needs
        }
        return {
            path: digest
            for action, digests in self.written.items()
            if action in synced
            for path, digest in digests.items()
        } | {
            path: digest
            for result in (self.run.results if self.run is not None else ())
            if result.ok
            for path, digest in self.written.get(result.action.id, {}).items()
            if path.rpartition("/")[2] == LOCK_FILE
        }


class Worker(Protocol):
    """Does jobs, each beside the others, and puts ``Finished`` of each into the inbox."""

    def start(self, job: Job) -> None:
        """Starts a job."""
        ...

    def cancel(self, job: Job | None = None) -> None:
        """Asks a job to end, all that run where none is given; returns at once."""
        ...

    def close(self, seconds: float) -> None:
        """Ends what still runs, and waits for it no longer than that."""
        ...


class ThreadWorker:
    """A worker that does each job in a thread of its own.

    Args:
        inbox: where news go.
        execute: runs a plan: plan, listener, request to stop.
        guard: held while jobs run: the lock between processes.
    """

    def __init__(
        self,
        inbox: Inbox,
        execute: Callable[[Plan, Callable[[Event], None], Cancel], RunResult],
        guard: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._inbox = inbox
        self._execute = execute
        self._guard = _Shared(guard)
        self._running: dict[int, tuple[threading.Thread, Cancel]] = {}

    def start(self, job: Job) -> None:
        """See :class:`Worker`."""
        cancel = Cancel()
        thread = threading.Thread(
            target=self._run, args=(job, cancel), name=f"job {job.number}", daemon=True
        )
        self._running = {n: each for n, each in self._running.items() if each[0].is_alive()}
        self._running[job.number] = thread, cancel
        thread.start()

    def cancel(self, job: Job | None = None) -> None:
        """See :class:`Worker`."""
        for number, (_, cancel) in self._running.items():
            if job is None or job.number == number:
                # What ends a program waits for it: not in the caller's thread, which has signals
                # to take.
                threading.Thread(target=cancel.request, name="cancel", daemon=True).start()

    def close(self, seconds: float) -> None:
        """See :class:`Worker`."""
        self.cancel()
        end = time.monotonic() + seconds
        for thread, _ in self._running.values():
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self, job: Job, cancel: Cancel) -> None:
        written: dict[int, Mapping[str, str | None]] = {}

        def listen(event: Event) -> None:
            if isinstance(event, Ended) and event.ok and (made := job.writes(event.action)):
                written[event.action.id] = made
            self._inbox.put(Told(event))

        try:
            with self._guard:
                plan = job.make_plan()
                self._inbox.put(Told(Planned(plan)))
                result = JobResult(self._execute(plan, listen, cancel), written=written)
        except AttuneDevError as problem:
            result = JobResult(error=problem)
        except Exception as problem:  # noqa: BLE001 - the loop survives a mistake of ours
            result = JobResult(error=unexpected(problem))
        self._inbox.put(Finished(job, result))


class _Shared:
    """A guard that the first of several jobs takes and the last one lets go of."""

    def __init__(self, make: Callable[[], AbstractContextManager[None]]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._holders = 0
        self._stack = ExitStack()

    def __enter__(self) -> None:
        with self._lock:  # whoever comes meanwhile waits, too
            if not self._holders:
                self._stack.enter_context(self._make())
            self._holders += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._holders -= 1
            if not self._holders:
                self._stack.close()


def unexpected(problem: Exception) -> AttuneDevError:
    """A mistake of ours as an error that a user can report."""
    frames = problem.__traceback__
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    file = frames.tb_frame.f_code.co_filename if frames is not None else None
    return ActionError(
        f"internal error: {type(problem).__name__}: {problem}",
        why="this is a mistake of attune_dev, not of yours",
        hint="please report it; the loop goes on",
        file=file,
        line=frames.tb_lineno if frames is not None else None,
    )
