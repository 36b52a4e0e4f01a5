from __future__ import annotations

from dataclasses import replace

from attune_dev.docker.containers import ContainerState, Health, State
from attune_dev.running.probation import failures

API = ContainerState("api", "1", restarts=2)


def judged(**now: object) -> dict[str, str]:
    return failures({"1": API}, [replace(API, **now)])  # type: ignore[arg-type]


def test_who_runs_on_stands_it() -> None:
    assert judged() == {}
    assert judged(state=State.EXITED, exit_code=0) == {}
    assert judged(health=Health.STARTING) == {}


def test_who_ends_or_falls_ill_does_not() -> None:
    assert judged(state=State.EXITED, exit_code=3) == {
        "api": "ended with status 3 soon after its start"
    }
    assert judged(state=State.RESTARTING) == {"api": "ended soon after its start"}
    assert judged(restarts=3) == {"api": "ended soon after its start"}
    assert judged(health=Health.UNHEALTHY) == {"api": "became unhealthy soon after its start"}


def test_another_container_is_somebody_elses_doing() -> None:
    assert failures({"1": API}, [replace(API, id="2", state=State.DEAD)]) == {}


def test_who_was_ill_before_is_not_told_again() -> None:
    ill = replace(API, health=Health.UNHEALTHY)
    assert failures({"1": ill}, [ill]) == {}
