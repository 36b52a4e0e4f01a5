"""Set-up as a whole: look at everything, and provide what is missing."""

from __future__ import annotations

from pathlib import Path

from attune_dev.errors import EnvironmentLacksError
from attune_dev.setup import ready as fast
from attune_dev.setup.base_images import base_images, ensure_base_images, image_item
from attune_dev.setup.engine import Engine, look_at_engine
from attune_dev.setup.places import setup_lock
from attune_dev.setup.plugins import ensure_plugins, plugin_items
from attune_dev.setup.report import Item, Say, SetupReport
from attune_dev.setup.sources import machine_distribution


def check(root: Path) -> SetupReport:
    """Looks at engine, plugins and base images; changes nothing.

    Args:
        root: repository root, whose Dockerfiles name the base images.
    """
    return _report(root, look_at_engine())


def ensure(root: Path, say: Say) -> SetupReport:
    """Provides what is missing, telling what it does; does nothing where all is well.

    A stand-in is replaced as soon as its image can be pulled.

    Args:
        root: repository root.
        say: tells the user one line.

    Returns:
        How things stand afterwards.

    Raises:
        EnvironmentLacksError: something cannot be provided here; it says exactly what to do.
    """
    engine = look_at_engine()
    if not engine.item.ok:
        raise _lacks(engine.item)
    with setup_lock(say):
        engine = look_at_engine()
        ensure_plugins(engine, say)
        ensure_base_images(root, machine_distribution(), engine.architecture, say)
        engine = look_at_engine()
        report = _report(root, engine)
    if report.ok:
        fast.remember(root, engine, [image.in_use for image in base_images(root)])
    for item in report.lacking:
        raise _lacks(item)
    return report


def ready(root: Path) -> bool:
    """Whether all is well, asked before each task: a few milliseconds where nothing has changed.

    Args:
        root: repository root.
    """
    if fast.is_remembered(root):
        return True
    engine = look_at_engine()
    if not _report(root, engine).ok:
        return False
    fast.remember(root, engine, [image.in_use for image in base_images(root)])
    return True


def _report(root: Path, engine: Engine) -> SetupReport:
    items = [engine.item, *plugin_items(engine)]
    if engine.item.ok:
        items += [image_item(image) for image in base_images(root)]
    return SetupReport(tuple(items))


def _lacks(item: Item) -> EnvironmentLacksError:
    what = f"{item.name}: {item.state.value}" + (f" ({item.found})" if item.found else "")
    if item.name == "engine" and item.why:
        what, _, why = item.why.partition("\n")
        return EnvironmentLacksError(what, why=why, hint=item.hint)
    why = f"needed: {item.needed}\n{item.why}".strip()
    return EnvironmentLacksError(what, why=why, hint=item.hint)
