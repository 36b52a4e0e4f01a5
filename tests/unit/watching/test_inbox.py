from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from attune_dev.errors import ActionError, ExitCode
from attune_dev.model.event import Ended, Event, Notice, Planned
from attune_dev.model.plan import Action, ActionKind, Plan
from attune_dev.running.outcome import ActionResult, Outcome, RunResult
from attune_dev.watching.inbox import (
    MOST_HINTS,
    Asked,
    Finished,
    Inbox,
    Message,
    Request,
    Rescan,
    StopNow,
    Told,
    Touched,
)
from attune_dev.watching.mounts import deaf_file_system
from attune_dev.watching.signals import handled
from attune_dev.watching.worker import Job, ThreadWorker

if TYPE_CHECKING:
    from attune_dev.docker.cancel import Cancel

ACTION = Action(1, ActionKind.BUILD, ("api",))
PLAN = Plan((), (ACTION,))


def test_hints_come_together() -> None:
    inbox = Inbox()
    for _ in range(1000):
        inbox.touch("a")
    inbox.touch("b")
    assert inbox.get(0) == Touched(frozenset({"a", "b"}))
    assert inbox.get(0) is None


def test_hints_after_a_delivery_are_delivered_too() -> None:
    inbox = Inbox()
    inbox.touch("a")
    inbox.get(0)
    inbox.touch("a")
    assert inbox.get(0) == Touched(frozenset({"a"}))


def test_too_many_hints_become_a_look_at_everything() -> None:
    inbox = Inbox()
    for number in range(MOST_HINTS + 10):
        inbox.touch(str(number))
    message = inbox.get(0)
    assert isinstance(message, Rescan)
    assert inbox.get(0) is None


def test_urgent_messages_overtake_and_nothing_is_lost() -> None:
    inbox = Inbox()
    inbox.touch("a")
    for number in range(3):
        inbox.put(Told(Notice(str(number))))
    inbox.put_urgent(StopNow(130))
    inbox.put_urgent(Asked(Request.RETRY))
    got: list[Message] = []
    while (message := inbox.get(0)) is not None or len(got) < 6:
        if message is not None:
            got.append(message)
    assert got[:2] == [StopNow(130), Asked(Request.RETRY)]
    told = [m.event.text for m in got if isinstance(m, Told) and isinstance(m.event, Notice)]
    assert sorted(told) == ["0", "1", "2"]
    assert Touched(frozenset({"a"})) in got


def test_an_urgent_message_never_changes_the_order_of_the_others() -> None:
    inbox = Inbox()
    for number in range(3):
        inbox.put(Told(Notice(str(number))))
    inbox.put_urgent(StopNow(130))
    assert inbox.get(0) == StopNow(130)
    texts: list[str] = []
    while len(texts) < 3:
        message = inbox.get(0)
        if isinstance(message, Told) and isinstance(message.event, Notice):
            texts.append(message.event.text)
    assert texts == ["0", "1", "2"]


def test_waiting_ends_when_something_comes_from_another_thread() -> None:
    inbox = Inbox()
    threading.Timer(0.01, lambda: inbox.touch("a")).start()
    assert inbox.get(10) == Touched(frozenset({"a"}))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, ExitCode.INTERRUPTED),
        (signal.SIGTERM, ExitCode.TERMINATED),
        (signal.SIGHUP, ExitCode.HANGUP),
    ],
)
def test_a_signal_is_an_urgent_message(number: signal.Signals, code: int) -> None:
    inbox = Inbox()
    before = signal.getsignal(number)
    with handled(lambda code: inbox.put_urgent(StopNow(code))):
        os.kill(os.getpid(), number)
        assert inbox.get(5) == StopNow(code)
    assert signal.getsignal(number) is before


def test_the_second_signal_is_told_apart() -> None:
    told: list[str] = []
    with handled(lambda code: told.append(f"first {code}"), lambda c: told.append(f"second {c}")):
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
    assert told == ["first 130", "second 130", "second 130"]


def test_an_ignored_hangup_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with handled(lambda code: pytest.fail(str(code))):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def finished(inbox: Inbox) -> tuple[Finished, list[Event]]:
    events: list[Event] = []
    while True:
        message = inbox.get(10)
        assert message is not None, "the worker does not end"
        if isinstance(message, Finished):
            return message, events
        assert isinstance(message, Told)
        events.append(message.event)


def test_a_worker_tells_the_plan_then_what_it_does_then_the_end() -> None:
    inbox = Inbox()
    run = RunResult(PLAN, (ActionResult(ACTION, Outcome.SUCCEEDED),))

    def execute(plan: Plan, listen: object, cancel: Cancel) -> RunResult:
        assert callable(listen)
        listen(Ended(ACTION, ok=True, seconds=1.0))
        return run

    worker = ThreadWorker(inbox, execute)
    job = Job(1, lambda: PLAN, writes=lambda action: {"packs/x": "digest"})
    worker.start(job)
    message, events = finished(inbox)
    assert events == [Planned(PLAN), Ended(ACTION, ok=True, seconds=1.0)]
    assert message.job is job
    assert message.result.run is run
    assert message.result.written == {1: {"packs/x": "digest"}}


def test_a_worker_that_fails_says_why() -> None:
    inbox = Inbox()
    error = ActionError("the engine does not answer")

    def fail() -> Plan:
        raise error

    ThreadWorker(inbox, lambda *_: RunResult(PLAN, ())).start(Job(1, fail))
    assert finished(inbox)[0].result.error is error


def test_a_mistake_in_a_worker_is_told_with_its_place() -> None:
    inbox = Inbox()
    ThreadWorker(inbox, lambda *_: RunResult(PLAN, ())).start(Job(1, lambda: 1 / 0))  # type: ignore[arg-type, return-value]
    error = finished(inbox)[0].result.error
    assert error is not None
    assert "ZeroDivisionError" in error.what
    assert error.file == __file__


def test_a_worker_can_be_cancelled_and_the_next_job_is_not() -> None:
    inbox = Inbox()
    seen: list[bool] = []

    def execute(plan: Plan, _listen: object, cancel: Cancel) -> RunResult:
        if not seen:
            worker.cancel()
            cancelled = threading.Event()
            with cancel.ending(cancelled.set):
                assert cancelled.wait(10)
        seen.append(cancel.requested)
        return RunResult(plan, ())

    worker = ThreadWorker(inbox, execute)
    for number in (1, 2):
        worker.start(Job(number, lambda: PLAN))
        finished(inbox)
    assert seen == [True, False]


MOUNTS = """\
27 1 254:0 / / rw - ext4 /dev/vda rw
30 27 0:5 / /home/me/net rw - nfs4 server:/x rw
31 27 0:6 / /home/me/net/local rw - ext4 /dev/vdb rw
32 27 0:7 / /mnt/with\\040space rw - 9p host rw
33 27 0:8 / /mnt/c shared:1 master:2 - drvfs C: rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/project", ""),
        ("/home/me/net", "nfs4"),
        ("/home/me/net/project", "nfs4"),
        ("/home/me/network", ""),
        ("/home/me/net/local/project", ""),
        ("/mnt/with space/x", "9p"),
        ("/mnt/c/Users", "drvfs"),
    ],
)
def test_file_systems_without_events_are_known(path: str, kind: str) -> None:
    assert deaf_file_system(Path(path), MOUNTS) == kind
