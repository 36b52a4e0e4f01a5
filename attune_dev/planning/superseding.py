"""When builds that run are broken off because newer changes make them pointless (pure).

The rule: the builds of a plan are broken off when what was saved since it started leads to a build
of all that they still make, so that nothing of it would be kept. But

- the builds of the plan after one that was broken off run to their end, whatever is saved: someone
  who saves every two seconds gets results,
- those that only link or export are let finish: they are nearly done.

It is the same for the plan that brings the stack up.
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
    """What is known of the builds of one plan; every method gives the next state.

    Attributes:
        left: targets of the plan's builds that have not ended.
        running: those of them whose build runs.
        finishing: those of them whose build only links or exports.
        begun: whether a build of the plan has started.
        protected: whether the plan follows one that was broken off.
        broken_off: whether it has been broken off itself.
        told: what was said about it last.
    """

    left: frozenset[str] = frozenset()
    running: frozenset[str] = frozenset()
    finishing: frozenset[str] = frozenset()
    begun: bool = False
    protected: bool = False
    broken_off: bool = False
    told: str = ""

    def planned(self, targets: frozenset[str]) -> Superseding:
        """A plan is about to run that builds these."""
        return Superseding(left=targets, broken_off=self.broken_off)

    def started(self, targets: frozenset[str]) -> Superseding:
        """A build of the plan starts."""
        if not self.begun:
            now = Superseding(left=self.left, begun=True, protected=self.broken_off)
            return now.started(targets)
        return replace(self, left=self.left | targets, running=self.running | targets)

    def nearly_done(self, targets: frozenset[str]) -> Superseding:
        """A build only links or exports from here on."""
        return replace(self, finishing=self.finishing | targets)

    def ended(self, targets: frozenset[str]) -> Superseding:
        """A build has ended, in whichever way."""
        return replace(self, left=self.left - targets, running=self.running - targets)

    def judge(self, newer: frozenset[str]) -> tuple[Superseding, Judgement]:
        """Something was saved while builds may run.

        Args:
            newer: what a plan for all that was saved since the start builds.
        """
        if not self.running or self.broken_off or not self.left <= newer:
            return self, Judgement()
        names = ", ".join(sorted(self.running))
        if self.protected:
            told = f"the build of {names} was started again once: it runs to its end"
        elif self.left <= self.finishing:
            told = f"the build of {names} is nearly done and let finish; newer changes come next"
        else:
            told = f"newer changes make the build of {names} pointless: it is started again"
            return replace(self, broken_off=True, told=told), Judgement(cancel=True, told=told)
        return replace(self, told=told), Judgement(told="" if told == self.told else told)
