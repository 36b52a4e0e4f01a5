"""When a build that runs is broken off because newer changes make it pointless (pure).

The rule: a build is broken off when what was saved since it started leads to a build of all that it
makes, so that nothing of it would be kept. But

- the build after one that was broken off runs to its end, whatever is saved: someone who saves
  every two seconds gets results,
- one that only links or exports is let finish: it is nearly done,
- so is the one that brings the stack up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to do about a build that runs.

    Attributes:
        cancel: whether it is to be broken off.
        told: one line for people, empty where nothing is to be said.
    """

    cancel: bool = False
    told: str = ""


@dataclass(frozen=True, slots=True)
class Superseding:
    """What is known of the build that runs; every method gives the next state.

    Attributes:
        building: its targets, none while no build runs.
        finishing: whether it only links or exports.
        protected: whether it follows one that was broken off.
        broken_off: whether it has been broken off itself.
        told: what was said about it last.
    """

    building: frozenset[str] = frozenset()
    finishing: bool = False
    protected: bool = False
    broken_off: bool = False
    told: str = ""

    def started(self, targets: frozenset[str]) -> Superseding:
        """A build starts; one at a time."""
        if self.building:
            return self
        return Superseding(building=targets, protected=self.broken_off)

    def nearly_done(self) -> Superseding:
        """It only links or exports from here on."""
        return replace(self, finishing=True)

    def ended(self) -> Superseding:
        """It has ended, in whichever way."""
        return Superseding(broken_off=self.broken_off)

    def judge(self, newer: frozenset[str]) -> tuple[Superseding, Judgement]:
        """Something was saved while it runs.

        Args:
            newer: what a plan for all that was saved since its start builds.
        """
        names = ", ".join(sorted(self.building))
        if not self.building or self.broken_off or not self.building <= newer:
            return self, Judgement()
        if self.protected:
            told = f"the build of {names} was started again once: it runs to its end"
        elif self.finishing:
            told = f"the build of {names} is nearly done and let finish; newer changes come next"
        else:
            told = f"newer changes make the build of {names} pointless: it is started again"
            return replace(self, broken_off=True, told=told), Judgement(cancel=True, told=told)
        return replace(self, told=told), Judgement(told="" if told == self.told else told)
