"""What became of a plan, as it goes into the history (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.history.rows import ActionRow, RunRow, TargetRow

if TYPE_CHECKING:
    from attune_dev.running.outcome import ActionResult, RunResult

MOST_OF_AN_ERROR = 500


def run_row(result: RunResult, profile: str = "") -> RunRow:
    """A run as the store keeps it.

    Args:
        result: what became of the plan.
        profile: Cargo profile that its builds were asked for, empty where the Dockerfiles decide.
    """
    actions = tuple(_action(each, profile) for each in result.results)
    return RunRow(result.started, result.seconds, result.ok, actions)


def _action(result: ActionResult, profile: str) -> ActionRow:
    figures = result.figures
    names = result.targets or result.action.targets
    return ActionRow(
        result.action.kind.value,
        result.outcome.value,
        result.seconds,
        via=result.via,
        profile=profile if figures.steps else "",
        steps=figures.steps,
        cached=figures.cached,
        compiled=figures.compiled,
        error=result.error.what[:MOST_OF_AN_ERROR] if result.error else "",
        targets=tuple(
            TargetRow(each, result.outcome.value, changed=False)
            if isinstance(each, str)
            else TargetRow(each.name, each.outcome, each.changed, each.seconds, each.size)
            for each in names
        ),
    )
