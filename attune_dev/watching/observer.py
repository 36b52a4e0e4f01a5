"""The operating system's events, through watchdog; nothing else imports it.

watchdog 7.1 answers a queue overflow with a repair that floods its own queue for ever on large
trees, swallows an exhausted watch limit below the root, holds every event back for half a second
behind a file that was moved away, and knows no folder to leave out. The subclasses here report the
first two, shorten the third and prune. They lean on its insides: a test guards their shape.

The threads of watchdog only put paths into the inbox: what happened is for the disk to tell.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from watchdog import events
from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyEmitter, InotifyWatchGroup
from watchdog.observers.inotify_c import InotifyEvent, InotifyFD
from watchdog.observers.inotify_move_event_grouper import (
    GroupedInotifyEvent,
    InotifyMoveEventGrouper,
    PathedInotifyEvent,
)
from watchdog.utils.delayed_queue import DelayedQueue

from attune_dev.watching.ears import Ears, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attune_dev.watching.scope import Scope

# Opened and closed-without-write are left out: our own reading would wake the loop. Without one of
# the created or moved kinds folders that are moved in would never be watched; without attrib no
# chmod would be seen; FileModified is what puts attrib into the kernel's mask.
KINDS: list[type[events.FileSystemEvent]] = [
    events.FileModifiedEvent,
    events.FileCreatedEvent,
    events.FileDeletedEvent,
    events.FileMovedEvent,
    events.DirCreatedEvent,
    events.DirDeletedEvent,
    events.DirMovedEvent,
    events.FileClosedEvent,
    events.FileAttribEvent,
    events.DirAttribEvent,
]
PAIRING_SECONDS = 0.02


class Observation:
    """One running observer of one scope.

    Args:
        root: repository root, resolved.
        scope: what belongs to it.
        ears: where to tell.
        cookies: a further folder to watch, for the heartbeat.

    Raises:
        OSError: the root cannot be watched, or the limit of instances or watches is reached.
    """

    def __init__(self, root: Path, scope: Scope, ears: Ears, cookies: Path | None = None) -> None:
        logging.getLogger("watchdog").setLevel(logging.CRITICAL)
        self._ears = ears
        self._stopping = threading.Event()
        self._observer = self._open(root, scope, cookies)
        try:
            self._observer.start()
        except BaseException:
            self.stop()
            raise

    def _open(self, root: Path, scope: Scope, cookies: Path | None) -> BaseObserver:
        if sys.platform.startswith("linux"):
            reader = _Reader(root, scope, cookies, self._hear, self._trouble)
            reader.start()
            observer: BaseObserver = _Observer(reader)
        else:
            from watchdog.observers import Observer

            observer = Observer()
        handler = _Handler(self._hear)
        observer.schedule(handler, str(root), recursive=True, event_filter=KINDS)
        if cookies is not None and not isinstance(observer, _Observer):
            observer.schedule(handler, str(cookies), event_filter=KINDS)
        return observer

    @property
    def alive(self) -> bool:
        """Whether all its threads run; a living one may still be deaf."""
        threads: list[threading.Thread] = [self._observer, *self._observer.emitters]
        if isinstance(self._observer, _Observer):
            threads.append(self._observer.reader)
        return bool(self._observer.emitters) and all(thread.is_alive() for thread in threads)

    @property
    def watches(self) -> int:
        """How many folders it listens to; 0 where the platform needs no watches."""
        return self._observer.reader.watches if isinstance(self._observer, _Observer) else 0

    def stop(self) -> None:
        """Ends it; what it still says is not listened to."""
        self._stopping.set()
        with suppress(RuntimeError, OSError):  # threads that never started cannot be joined
            self._observer.stop()
            self._observer.join(2.0)

    def _hear(self, path: str, folder: bool) -> None:
        if not self._stopping.is_set():
            self._ears.path(path, folder)

    def _trouble(self, trouble: Trouble) -> None:
        if not self._stopping.is_set():
            self._ears.trouble(trouble)


class _Handler(events.FileSystemEventHandler):
    """For the platforms other than Linux: hands on, nothing else."""

    def __init__(self, hear: Callable[[str, bool], None]) -> None:
        self._hear = hear

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                self._hear(os.fsdecode(path), event.is_directory)


class _Reader(InotifyFD):
    """The inotify instance and the thread that reads it."""

    def __init__(
        self,
        root: Path,
        scope: Scope,
        cookies: Path | None,
        hear: Callable[[str, bool], None],
        trouble: Callable[[Trouble], None],
    ) -> None:
        super().__init__()
        os.set_inheritable(self._inotify_fd, False)  # noqa: FBT003 - no keyword there
        self.root = os.fsencode(root)
        self.scope = scope
        self.cookies = None if cookies is None else os.fsencode(cookies)
        self.hear = hear
        self.trouble = trouble

    def run(self) -> None:
        try:
            super().run()
        except BaseException:
            self.trouble(Trouble.THREAD_DIED)
            raise

    def handle_event(self, event: InotifyEvent) -> None:
        if event.is_queue_overflow:
            self.trouble(Trouble.OVERFLOW)  # and no repair: a fresh observer is cheaper and ends
        else:
            super().handle_event(event)

    def _add_callback(self, path: bytes, mask: Any, callback: Any, id_: Any) -> Any:
        """As the original, without its megabytes of warning where a folder came back."""
        try:
            watch = self._get_or_create_watch(path, mask)
        except OSError as problem:
            if problem.errno == errno.ENOSPC:
                self.trouble(Trouble.WATCH_LIMIT)
            raise
        watch.callbacks[id_] = callback
        return watch.wd

    @property
    def watches(self) -> int:
        with self._lock:
            return len(self._watch_for_wd)

    def relative(self, path: bytes) -> str | None:
        """A path relative to the root, ``None`` where it is not below it."""
        if path == self.root:
            return ""
        prefix = self.root.rstrip(b"/") + b"/"
        return os.fsdecode(path[len(prefix) :]) if path.startswith(prefix) else None


class _Grouper(InotifyMoveEventGrouper):
    """Waits a shorter time for the second half of a move: no event waits long behind the first."""

    delay = PAIRING_SECONDS

    def __init__(self) -> None:
        self._queue: DelayedQueue[GroupedInotifyEvent] = DelayedQueue(self.delay)


class _Group(InotifyWatchGroup):
    """The watches of one observer: pruned."""

    _inotify_fd: _Reader

    def __post_init__(self) -> None:
        self._move_event_grouper = _Grouper()
        super().__post_init__()

    def _add_all_callbacks(self, path: bytes) -> None:
        reader = self._inotify_fd
        below = reader.relative(path)
        if below is None or not reader.scope.reaches(below):
            return
        self._add_callback(path)
        if path == self.path and reader.cookies is not None:
            self._add_callback(reader.cookies)
        todo = [(path, below)]
        while todo:
            full, folder = todo.pop()
            for name in _folders(full):
                inner = f"{folder}/{os.fsdecode(name)}" if folder else os.fsdecode(name)
                if reader.scope.descends(inner):
                    self._add_callback(full + b"/" + name)
                    todo.append((full + b"/" + name, inner))

    def on_event(self, event: InotifyEvent) -> None:
        """As the original; what is about one file is told at once, past the queue that pairs moves.

        In which order and how often hints come does not matter, but a storm of them must not fill
        the kernel's queue meanwhile. The heartbeat has to come behind all that happened before it.
        """
        path = self._build_event_source_path(event)
        cookies = self._inotify_fd.cookies
        beats = cookies is not None and path is not None and path.startswith(cookies)
        if event.is_directory or not event.name or beats:
            super().on_event(event)
        elif self.is_active and path is not None:
            self._inotify_fd.hear(os.fsdecode(path), False)  # noqa: FBT003 - as it is declared

    def _recursive_simulate(self, src_path: bytes) -> list[InotifyEvent]:  # noqa: ARG002
        return []  # the hint at the new folder makes the loop look at all that is in it

    def _remove_watch_internally(self, wd: Any) -> None:
        with suppress(KeyError):  # two folders may have had one path, one after the other
            super()._remove_watch_internally(wd)


class _Emitter(InotifyEmitter):
    """Tells paths straight away: no second queue, no dispatcher that a handler could kill."""

    _inotify_fd: _Reader

    def on_thread_start(self) -> None:
        self._inotify = _Group(
            self._inotify_fd,
            os.fsencode(self.watch.path),
            is_recursive=True,
            event_mask=self.get_event_mask_from_filter(),
        )

    def build_and_queue_event(
        self, event: GroupedInotifyEvent, *, full_events: bool = False
    ) -> None:
        del full_events
        for part in (event,) if isinstance(event, PathedInotifyEvent) else event:
            folder = bool(part.ev.is_directory)
            if part.ev.is_delete_self and part.path == self._inotify_fd.root:
                self._inotify_fd.trouble(Trouble.ROOT_GONE)
            elif not part.ev.is_delete_self:
                self._inotify_fd.hear(os.fsdecode(part.path), folder)

    def run(self) -> None:
        try:
            super().run()
        except BaseException:
            self._inotify_fd.trouble(Trouble.THREAD_DIED)
            raise


class _Observer(BaseObserver):
    """An observer on a reader of ours."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        super().__init__(_Emitter, inotify_fd=reader)

    def on_thread_stop(self) -> None:
        super().on_thread_stop()
        self.reader.stop()
        self.reader.join(2.0)


def _folders(path: bytes) -> list[bytes]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:  # it vanished, or may not be listed: the snapshot tells of the latter
        return []
