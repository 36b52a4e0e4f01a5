"""Calls that begin at the same moment are made as one, and fail each by itself."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from attune_dev.docker.joining import Joint
from attune_dev.errors import ActionError

if TYPE_CHECKING:
    from attune_dev.docker.port import OnLine

PAIRS = (frozenset({"api", "worker"}), frozenset({"notifier"}))


class Door:
    """A lock that tells who has come to it."""

    def __init__(self) -> None:
        self.come = threading.Semaphore(0)
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        self.come.release()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


class Bench:
    """Calls from two threads; nobody gets through the door before both have come."""

    def __init__(self, broken: str = "", unchanged: str = "") -> None:
        self.door = Door()
        self.joint = Joint(self.door)
        self.acts: list[list[str]] = []
        self.lines: dict[str, list[str]] = {"api": [], "notifier": []}
        self._broken, self._unchanged = broken, unchanged

    def act(self, services: frozenset[str], on_line: OnLine) -> frozenset[str]:
        self.acts.append(sorted(services))
        for name in sorted(services):
            on_line(f"Container t-{name}-1  Started")
        on_line("a warning")
        if self._broken in services:
            raise ActionError(f"{self._broken} is broken")
        return services - {self._unchanged} | {"cache"}

    def run(self) -> list[frozenset[str] | ActionError]:
        def one(services: frozenset[str]) -> frozenset[str] | ActionError:
            told = self.lines[min(services)]
            try:
                return self.joint.call(services, told.append, self.act)
            except ActionError as problem:
                return problem

        with ThreadPoolExecutor(2) as pool:
            with self.door.lock:
                calls = [pool.submit(one, services) for services in PAIRS]
                assert all(self.door.come.acquire(timeout=10) for _ in calls)
            return [call.result() for call in calls]


def test_two_that_begin_together_are_one_call() -> None:
    bench = Bench(unchanged="worker")
    of_api, of_notifier = bench.run()
    assert isinstance(of_api, frozenset)
    assert isinstance(of_notifier, frozenset)
    named = frozenset({"cache"})
    assert (of_api - named, of_notifier - named) == (frozenset({"api"}), PAIRS[1])
    assert of_api | of_notifier >= named
    assert not of_api & of_notifier
    assert bench.acts == [["api", "notifier", "worker"]]


def test_each_is_told_the_lines_about_its_own_services() -> None:
    bench = Bench()
    bench.run()
    about_api = [line for line in bench.lines["api"] if line != "a warning"]
    assert about_api == ["Container t-api-1  Started", "Container t-worker-1  Started"]
    assert "Container t-notifier-1  Started" in bench.lines["notifier"]
    assert sum(lines.count("a warning") for lines in bench.lines.values()) == 1


def test_a_failure_is_met_by_the_one_whose_it_is_alone() -> None:
    bench = Bench(broken="notifier")
    of_api, of_notifier = bench.run()
    assert of_api == PAIRS[0] | {"cache"}
    assert isinstance(of_notifier, ActionError)
    assert len(bench.acts) == 3


def test_who_comes_later_calls_by_himself() -> None:
    bench = Bench()
    for services in PAIRS:
        assert bench.joint.call(services, lambda _: None, bench.act) >= services
    assert bench.acts == [["api", "worker"], ["notifier"]]


def test_a_call_waits_for_what_must_not_go_on_beside_it() -> None:
    bench = Bench()
    with ThreadPoolExecutor(1) as pool:
        with bench.door.lock:
            waiting = pool.submit(bench.joint.call, PAIRS[0], lambda _: None, bench.act)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        assert waiting.result(5) >= PAIRS[0]
