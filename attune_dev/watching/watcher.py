"""Keeps an observation trustworthy: notices when it is not, says so, heals it, or polls instead.

A thread that lives may still be deaf, so a heartbeat proves that events arrive. Healing is always
the same: listen anew first, then look at everything, then drop the old observation.
"""

from __future__ import annotations

import errno
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from attune_dev.watching.inbox import Inbox, Question, Rescan, Told
from attune_dev.watching.mounts import deaf_file_system
from attune_dev.watching.questions import FOLDER as COOKIES
from attune_dev.watching.questions import asked, question_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attune_dev.watching.ears import Trouble
    from attune_dev.watching.observer import Observation
    from attune_dev.watching.scope import Scope

HEARTBEAT_SECONDS = 20.0
ANSWER_SECONDS = 5.0  # a machine that compiles on all its cores may take seconds to run us
POLL_SECONDS = 2.0
MOST_RESTARTS = 3
RESTART_WINDOW = 60.0
WATCH_LIMIT_HINT = "sudo sysctl fs.inotify.max_user_watches=524288"
INSTANCE_LIMIT_HINT = "sudo sysctl fs.inotify.max_user_instances=1024"


class ChangeSource(Protocol):
    """Where hints at changes come from; they are put into an inbox."""

    def start(self) -> None:
        """Starts listening; what changes from here on is hinted at."""
        ...

    def check(self) -> None:
        """Looks after itself; called about once a second."""
        ...

    def retarget(self, scope: Scope) -> None:
        """Listens to another scope from now on."""
        ...

    def stop(self) -> None:
        """Ends listening."""
        ...


class Watcher:
    """A change source on the real file system.

    Args:
        root: repository root.
        scope: what to listen to.
        inbox: where hints go.
        poll: look every two seconds instead of listening.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        root: Path,
        scope: Scope,
        inbox: Inbox,
        *,
        poll: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root.resolve()
        self.scope = scope
        self._prefix = f"{self.root}/".replace("//", "/")
        self._inbox = inbox
        self._clock = clock
        self.observation: Observation | None = None
        self._polling = poll
        self._identity: tuple[int, int] | None = None
        self._troubles: deque[Trouble] = deque()
        self._restarts: deque[float] = deque()
        self._next_poll = 0.0
        self._beat = _Heartbeat(self.root / COOKIES, clock)

    @property
    def polling(self) -> bool:
        """Whether it looks by the clock instead of listening."""
        return self._polling

    def start(self) -> None:
        """Starts listening, or polling where listening would not work."""
        self._identity = _identity(self.root)
        if kind := deaf_file_system(self.root):
            self._poll_from_now(f"no change events on {kind}, looking every {POLL_SECONDS:.0f} s")
        elif not self._polling:
            self._listen()

    def stop(self) -> None:
        """Ends listening."""
        if self.observation is not None:
            self.observation.stop()
            self.observation = None

    def retarget(self, scope: Scope) -> None:
        """Listens to another scope; the caller looks at everything afterwards."""
        self.scope = scope
        if not self._polling:
            self._listen()

    def synchronise(self, seconds: float = ANSWER_SECONDS) -> bool:
        """Waits until everything that happened before now has been hinted at.

        Returns:
            ``False`` where that was not proven in time.
        """
        return self._beat.round_trip(seconds)

    def check(self) -> None:
        """Looks after itself: threads, the root's identity, the heartbeat, reported trouble."""
        now = self._clock()
        for id_ in asked(self.root):  # those that were not heard
            self._ask(id_)
        if _identity(self.root) != self._identity:
            self._identity = _identity(self.root)
            if self._identity is not None:
                self._heal("the project folder was replaced")
            return
        if self._polling:
            if now >= self._next_poll:
                self._next_poll = now + POLL_SECONDS
                self._inbox.put(Rescan())
            return
        if self._identity is None:
            return
        if reason := self._ailment():
            self._heal(reason)
        else:
            self._beat.tick()

    def _ask(self, id_: str) -> None:
        if (self.root / COOKIES / f"ask-{id_}").exists():  # its end is an event, too
            self._inbox.put(Question(id_))

    def _ailment(self) -> str:
        troubles = {self._troubles.popleft().value for _ in range(len(self._troubles))}
        if "watch limit" in troubles:
            watched = self.observation.watches if self.observation else 0
            self._poll_from_now(
                f"the system's limit of watches is reached (only {watched} folders), looking "
                f"every {POLL_SECONDS:.0f} s instead; to raise it: {WATCH_LIMIT_HINT}"
            )
            return ""
        if "overflow" in troubles:
            return "too many changes at once"
        if "root gone" in troubles:
            return "the project folder was removed"
        if "thread died" in troubles or self.observation is None or not self.observation.alive:
            return "the watcher died"
        return "the watcher went deaf" if self._beat.missed() else ""

    def _heal(self, reason: str) -> None:
        now = self._clock()
        self._restarts.append(now)
        while self._restarts and now - self._restarts[0] > RESTART_WINDOW:
            self._restarts.popleft()
        if self._polling:
            self._inbox.put(Rescan(reason))
        elif len(self._restarts) > MOST_RESTARTS:
            self._poll_from_now(
                f"{reason}, again and again; looking every {POLL_SECONDS:.0f} s instead"
            )
        else:
            self._listen()
            self._inbox.put(Rescan(reason))

    def _listen(self) -> None:
        """A fresh observation; the old one is dropped behind it."""
        from attune_dev.watching.ears import Ears
        from attune_dev.watching.observer import Observation

        old, self.observation = self.observation, None
        self._troubles.clear()
        self._beat.prepare()
        ears = Ears(self._hear, self._troubles.append)
        try:
            self.observation = Observation(self.root, self.scope, ears, self.root / COOKIES)
        except FileNotFoundError:
            self._identity = None
        except OSError as problem:
            hint = {errno.EMFILE: INSTANCE_LIMIT_HINT, errno.ENOSPC: WATCH_LIMIT_HINT}
            fix = hint.get(problem.errno or 0, "")
            told = f"{problem.strerror or problem}, looking every {POLL_SECONDS:.0f} s instead"
            self._poll_from_now(told + (f"; to raise it: {fix}" if fix else ""))
        finally:
            if old is not None:
                threading.Thread(target=old.stop, daemon=True).start()

    def _poll_from_now(self, why: str) -> None:
        self._polling = True
        if self.observation is not None:
            threading.Thread(target=self.observation.stop, daemon=True).start()
            self.observation = None
        self._next_poll = self._clock()
        from attune_dev.model.event import Notice

        self._inbox.put(Told(Notice(why)))

    def _hear(self, path: str, folder: bool) -> None:
        """Called by the observation's threads."""
        if not path.startswith(self._prefix):
            return
        below = path[len(self._prefix) :]
        if below.startswith(COOKIES):
            name = below.rpartition("/")[2]
            if id_ := question_of(name):
                self._ask(id_)
            else:
                self._beat.heard(name)
        elif self.scope.reaches(below) if folder else self.scope.wants(below):
            self._inbox.touch(below)


class _Heartbeat:
    """Touches a file of ours in a watched folder and expects to hear of it."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._number = 0
        self._sent_at: float | None = None
        self._next = 0.0
        self._answer = threading.Condition()
        self._heard = ""

    def prepare(self) -> None:
        """Forgets what it waits for; the folder is there afterwards."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            for old in self._folder.iterdir():
                if old.name.isdecimal():
                    old.unlink()
        self._sent_at = None
        self._next = self._clock() + HEARTBEAT_SECONDS

    def tick(self) -> None:
        """Sends a beat where it is time."""
        if self._sent_at is None and self._clock() >= self._next:
            self._send()

    def missed(self) -> bool:
        """Whether a beat was not heard in time."""
        return self._sent_at is not None and self._clock() - self._sent_at > ANSWER_SECONDS

    def heard(self, name: str) -> None:
        """Takes an answer; from the observation's threads."""
        with self._answer:
            self._heard = name
            if name == str(self._number):
                self._sent_at = None
                self._next = self._clock() + HEARTBEAT_SECONDS
            self._answer.notify_all()

    def round_trip(self, seconds: float) -> bool:
        """Sends a beat and waits for its answer."""
        wanted = self._send()
        with self._answer:
            return self._answer.wait_for(lambda: self._heard == wanted, seconds)

    def _send(self) -> str:
        with suppress(OSError):
            (self._folder / str(self._number)).unlink(missing_ok=True)
        self._number += 1
        name = str(self._number)
        self._sent_at = self._clock()  # before: the answer may be there at once
        try:
            (self._folder / name).touch()
        except OSError:  # full disk, or the folder is gone: no proof either way
            self._sent_at = None
            self._next = self._clock() + HEARTBEAT_SECONDS
        return name


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        found = root.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
