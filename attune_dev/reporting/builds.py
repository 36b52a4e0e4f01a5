"""What a build did, image by image (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attune_dev.model.plan import ActionKind
from attune_dev.reporting.text import counted, seconds_text

if TYPE_CHECKING:
    from attune_dev.running.outcome import ActionResult, RunResult


def build_lines(result: RunResult) -> list[str]:
    """A line per image, and one with the steps and packages; nothing where no image was built."""
    lines = []
    for action in result.results:
        built = action.ok or action.partly
        if action.action.kind is ActionKind.BUILD and built and action.targets:
            lines += _images(action)
            lines.append(_figures(action))
    return lines


def size_text(size: int) -> str:
    """Bytes for people, decimal as Docker shows them: ``133.1 MB``."""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"


def _images(action: ActionResult) -> list[str]:
    width = max(len(target.name) for target in action.targets)
    return [
        f"  {t.name:{width}}  {t.outcome:9}  {seconds_text(t.seconds):>8}"
        + (f"  {size_text(t.size):>9}" if t.size else "")
        for t in action.targets
    ]


def _figures(action: ActionResult) -> str:
    figures = action.figures
    share = f" ({figures.cached / figures.steps:.0%})" if figures.steps else ""
    packages = counted(len(figures.compiled), "package") + " compiled"
    return f"  {counted(figures.steps, 'step')}, {figures.cached} from the cache{share}; {packages}"
