"""One soak: edits at random moments, kills in between, and a check at each rest."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from attune_dev.bench.sample.loop import Dev
from attune_dev.bench.soak.converged import differences
from attune_dev.bench.soak.edits import COMPOSE, Tree, edit, repair, start
from attune_dev.errors import ActionError, ExitCode
from attune_dev.watching.questions import Unanswered, ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from attune_dev.bench.sample.stack import Stack

IDLE_SECONDS = 600.0
REST_SECONDS = 1.5


@dataclass
class Tally:
    """What a soak did.

    Attributes:
        seed: replays it.
        seconds: how long it took.
        edits: how many.
        rests: how often everything was compared.
        broken_rests: rests at which something was broken, and said so.
        kills: how often the loop was killed.
        stops: how often it was ended and started again.
        removals: how often a container was taken away behind its back.
        faults: what did not hold.
    """

    seed: int
    seconds: float = 0.0
    edits: int = 0
    rests: int = 0
    broken_rests: int = 0
    kills: int = 0
    stops: int = 0
    removals: int = 0
    faults: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line."""
        return (
            f"seed {self.seed}: {self.edits} edits, {self.rests} rests compared, "
            f"{self.broken_rests} with something broken, {self.kills} kills, {self.stops} stops, "
            f"{self.removals} containers removed in {self.seconds:.0f} s: "
            + ("converged each time" if not self.faults else f"{len(self.faults)} FAULTS")
        )


class Soak:
    """Soaks one clone.

    Args:
        stack: the clone.
        seed: decides everything that is random.
        say: told each step.
    """

    def __init__(self, stack: Stack, seed: int, say: Callable[[str], None]) -> None:
        self.tally = Tally(seed)
        self._stack = stack
        self._random = random.Random(seed)  # noqa: S311 - a seed has to replay it
        self._tree = Tree(stack.root, self._random)
        self._say = say
        self._began = time.monotonic()
        self._dev: Dev | None = None

    def run(self, minutes: float, most_rounds: int = 1_000_000) -> Tally:
        """Edits until the time is over, then mends all and compares once more.

        Args:
            minutes: how long edits go on.
            most_rounds: how many rounds at most.
        """
        start(self._tree)
        self._begin()
        try:
            self._rest()
            rounds = 0
            while time.monotonic() - self._began < 60 * minutes and rounds < most_rounds:
                rounds += 1
                self._round()
            self._tell(f"mend {', '.join(repair(self._tree)) or 'nothing'}, at the end")
            self._rest()
        finally:
            self._end(signal.SIGTERM)
        self.tally.seconds = time.monotonic() - self._began
        return self.tally

    def _round(self) -> None:
        for _ in range(self._random.choice((1, 1, 2, 3, 5))):
            self._tell(edit(self._tree))
            self.tally.edits += 1
            time.sleep(self._random.choice((0.0, 0.05, 0.3, 1.0, 3.0)))
        what = self._random.random()
        if what < 0.08:  # in the midst of whatever it does
            self.tally.kills += 1
            self._tell("kill the loop")
            self._end(signal.SIGKILL)
            self._while_nobody_watches()
        elif what < 0.14:
            self.tally.stops += 1
            self._tell("end the loop")
            self._end(signal.SIGINT)
            self._while_nobody_watches()
        elif what < 0.18:
            self._remove_container()
        if self._random.random() < 0.7:
            self._rest()

    def _while_nobody_watches(self) -> None:
        self._tell(f"{edit(self._tree)}, while nobody watches")
        self.tally.edits += 1
        if COMPOSE in self._tree.broken:
            self._start_with_broken_definitions()
            self._tell(f"mend {', '.join(repair(self._tree, COMPOSE))}")
        self._begin()

    def _start_with_broken_definitions(self) -> None:
        """A start has no definitions to go by: it ends, and tells the place."""
        dev = Dev(self._stack)
        code = dev.ended()
        if code != ExitCode.USAGE or f"{COMPOSE}:" not in dev.text():
            self._fault(f"a start with broken definitions ended with {code}: {dev.text()}")

    def _remove_container(self) -> None:
        service = self._random.choice(("api", "executor", "notifier", "worker-shell"))
        with suppress(Exception):  # it may just be replaced
            self._stack.docker("rm", "-f", self._stack.container_ids()[service])
            self.tally.removals += 1
            self._tell(f"remove the container of {service}")
            time.sleep(5.0)  # what others do is looked at when it has lasted

    def _begin(self) -> None:
        self._dev = Dev(self._stack)

    def _end(self, number: int) -> None:
        if self._dev is None:
            return
        if number == signal.SIGKILL:
            with suppress(ProcessLookupError):
                os.kill(self._dev.pid, number)
        self._dev.stop(number if number != signal.SIGKILL else signal.SIGINT)
        self._dev = None

    def _rest(self) -> None:
        """Waits until all is live, as a script would, and compares."""
        answer = self._answer()
        broken = sorted(self._tree.broken)
        self.tally.rests += 1
        if answer["ok"]:
            found = self._compare()
            self._tell(f"rest: live{', with ' + ', '.join(broken) + ' broken' if broken else ''}")
            if broken:
                found.append(f"ok although {', '.join(broken)} is broken")
        elif broken:
            self.tally.broken_rests += 1
            self._tell(f"rest: {', '.join(answer['failed']) or 'not live'}, {broken} broken")
            return
        else:
            found = [f"not live although nothing is broken: {answer}"]
        for fault in found:
            self._fault(fault)
        if found and self._dev is not None:
            self._say(self._dev.text()[-6000:])

    def _fault(self, fault: str) -> None:
        self.tally.faults.append(fault)
        self._tell(f"FAULT {fault}")

    def _compare(self) -> list[str]:
        """What differs; what is only on its way gets a moment."""
        try:
            if found := differences(self._stack):
                time.sleep(REST_SECONDS)
                found = differences(self._stack)
        except ActionError as problem:
            return [f"{problem.what}: {problem.why}"]
        return found

    def _answer(self) -> dict[str, Any]:
        end = time.monotonic() + IDLE_SECONDS
        while True:
            try:
                return ask(self._stack.root, max(1.0, end - time.monotonic()))
            except Unanswered as silence:
                told = self._dev.text()[-4000:] if self._dev else ""
                if silence.running or time.monotonic() > end:
                    raise ActionError("the loop is never idle", why=told) from None
                if self._dev is not None and not self._dev.alive:
                    raise ActionError("the loop has ended by itself", why=told) from None
                time.sleep(0.2)  # it is just starting

    def _tell(self, text: str) -> None:
        self._say(f"{time.monotonic() - self._began:7.1f}  {text}")
