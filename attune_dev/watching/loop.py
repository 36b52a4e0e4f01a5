"""The loop: hints in, actions out, one thread that decides.

    watcher thread ─> inbox ─┐
    signals, keys ───────────┤ (urgent: never debounced)
                             v
    debounce ─> look at content ─> pending ─> plan ─> worker ─> settle ─> record

The watcher never touches Docker, the planner never reads a file or a clock, the worker never
decides. Events are hints: every decision comes from comparing content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.errors import ExitCode
from attune_dev.model.event import (
    Changed,
    Idle,
    Notice,
    Paused,
    Stopped,
    Unchanged,
)
from attune_dev.planning.ledger import describe
from attune_dev.watching.decider import Decider
from attune_dev.watching.eyes import Eyes
from attune_dev.watching.inbox import (
    Asked,
    EngineFound,
    EngineGone,
    Finished,
    Question,
    Request,
    Rescan,
    Running,
    StopNow,
    Told,
    Touched,
)
from attune_dev.watching.leaving import Leaving
from attune_dev.watching.memory import Memory
from attune_dev.watching.parts import Options
from attune_dev.watching.pending import Pending
from attune_dev.watching.surroundings import Surroundings, Verdict
from attune_dev.watching.timing import Alarm, Lapse
from attune_dev.watching.work import Work

if TYPE_CHECKING:
    from attune_dev.planning.ledger import Edit
    from attune_dev.watching.inbox import Message
    from attune_dev.watching.parts import Parts

CHECK_SECONDS = 1.0


class Loop:
    """Runs until it is stopped, or idle for the first time where that is wanted.

    Args:
        parts: what it works with.
        options: how it behaves.
    """

    def __init__(self, parts: Parts, options: Options | None = None) -> None:
        self._parts = parts
        self._options = options or Options()
        self._eyes = Eyes(parts, self._options)
        self._pending = Pending(parts.clock.wall)
        self._decider = Decider(parts, self._eyes, self._pending)
        self._memory = Memory(parts.keeper, parts.tell)
        self._around = Surroundings(parts.tell, parts.put_back)
        self._work = Work(parts, self._decider, self._memory, self._around)
        self._lapse = Lapse(parts.clock)
        self._check = Alarm(CHECK_SECONDS)
        self._paused = False
        self._told_idle = False
        self._since = 0.0  # when the present batch was taken up
        self._leaving = Leaving()

    def run(self) -> int:
        """Brings the stack up, then follows the files.

        Returns:
            The exit code: 0 or 1 where it was to run until idle, else that of what stopped it.

        Raises:
            AttuneDevError: the repository cannot be looked at or listened to.
        """
        self._start()
        try:
            while self._leaving.code is None:
                self._turn()
                if self._leaving.code is None:
                    self._wait()
        finally:
            self._parts.source.stop()
            hurried = self._leaving.until is not None
            self._parts.worker.close(0.0 if hurried else self._options.stop_seconds)
        self._parts.tell(Stopped(self._leaving.code, self._leaving.reason))
        return self._leaving.code

    def _start(self) -> None:
        parts = self._parts
        self._since = parts.clock.now()
        parts.source.start()  # listen first, then look: nothing falls in between
        known = self._memory.load()
        if edits := self._eyes.first_look(known):
            self._absorb(edits, "since the last run")

    def _wait(self) -> None:
        now = self._parts.clock.now()
        due = min(self._check.at, self._eyes.deadline(), self._around.deadline())
        timeout = max(0.0, (due if self._leaving.until is None else self._leaving.until) - now)
        self._lapse.before_wait()
        message = self._parts.messages.get(timeout)
        if why := self._lapse.after_wait(timeout):
            self._parts.tell(Notice(f"{why}; looking at everything again"))
            self._eyes.want_everything()
        while message is not None and self._leaving.code is None:
            self._take(message)
            message = self._parts.messages.get(0)

    def _take(self, message: Message) -> None:
        match message:
            case Touched(paths):
                self._eyes.touch(paths)
                self._work.touched(paths)
            case Rescan(reason):
                if reason:
                    self._parts.tell(Notice(f"{reason}; looking at everything again"))
                self._eyes.want_everything()
            case Told(event):
                self._work.heard(event)
                self._parts.tell(event)
            case Running() | EngineGone() | EngineFound():
                if self._around.take(message, self._parts.clock.now()):
                    self._told_idle = False
            case Question(id_):
                if self._parts.answers.take(id_):
                    self._eyes.want_everything()
                    self._told_idle = False
            case Finished(job, result):
                self._work.finished(job, result, self._since)
                self._told_idle = False
            case Asked(request):
                self._asked(request)
            case StopNow(code):
                self._stop(code)

    def _asked(self, request: Request) -> None:
        match request:
            case Request.RETRY:
                self._pending.retry()
                self._work.opening_due = not self._work.opened
            case Request.BUILD_ALL:
                self._work.opening_due = True
            case Request.PAUSE:
                self._paused = not self._paused
                self._parts.tell(Paused(self._paused))
            case Request.QUIT:
                self._stop(ExitCode.OK)
        self._told_idle = False

    def _stop(self, code: int) -> None:
        until = self._parts.clock.now() + self._options.stop_seconds
        if self._leaving.ask(code, working=self._work.busy, until=until):
            self._parts.worker.cancel()

    def _turn(self) -> None:
        """Everything that may be due."""
        now = self._parts.clock.now()
        if self._leaving.ready(now, working=self._work.busy):
            return
        if self._check.due(now):
            self._parts.source.check()
        self._see()
        if not self._work.busy:
            self._heed(self._around.verdict(now))
        if not self._held and not self._eyes.waiting and self._work.act():
            self._told_idle = False
        self._decider.tell_mended()
        self._tell_if_idle()

    @property
    def _held(self) -> bool:
        """Whether nothing is to be started, whatever is due."""
        return self._paused or self._around.away

    def _heed(self, verdict: Verdict) -> None:
        """What others did to what runs: all is checked, or waits until it is wanted again."""
        if verdict is Verdict.CHECK_ALL:
            self._pending.retry()
            self._eyes.want_everything()
            self._work.opening_due = True
        elif verdict is Verdict.TAKEN_DOWN:
            self._work.opened = False
        if verdict is not Verdict.NOTHING:
            self._told_idle = False

    def _see(self) -> None:
        look = self._eyes.look()
        if look is None:
            return
        if not self._work.busy:
            self._since = self._parts.clock.now()
        if look.edits:
            self._absorb(look.edits)
            self._work.reconsider()
        if self._decider.doubt(look, self._work.doubts):
            self._told_idle = False
        elif not look.edits and (hints := look.hints - self._parts.planning.own_files()):
            if there := hints & self._eyes.snapshot.files.keys():  # what came and went is no save
                self._parts.tell(Unchanged(tuple(sorted(there))))
            self._told_idle = False

    def _absorb(self, edits: tuple[Edit, ...], note: str = "") -> None:
        self._pending.absorb(edits)
        own = self._parts.planning.own_files() if self._work.busy else frozenset[str]()
        if others := tuple(edit for edit in edits if edit.path not in own):
            self._parts.tell(Changed(describe(others), note))
            self._work.opening_due = self._work.opening_due or not self._work.opened
        self._told_idle = False

    def _tell_if_idle(self) -> None:
        if self._told_idle or self._work.busy or self._eyes.waiting:
            return
        pending = self._pending
        if not self._held and (self._work.opening_due or pending.fresh()):
            return
        self._told_idle = True
        self._work.doubts.calm()
        ok = self._work.opened and pending.ok and not self._around.away
        seconds = self._parts.clock.now() - self._since
        idle = Idle(ok, pending.failed, pending.ledger.paths, seconds, pending.work)
        self._parts.tell(idle)
        why = "paused" if self._paused else "the engine is away" if self._around.away else ""
        self._parts.answers.give(idle, why)
        if self._options.until_idle:
            self._leaving.code = ExitCode.OK if ok else ExitCode.ACTION_FAILED
