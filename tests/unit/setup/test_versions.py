"""Which plugins are good enough, alone and together."""

from __future__ import annotations

import pytest

from attune_dev.setup.engine import Engine, Plugin
from attune_dev.setup.plugins import plugin_items
from attune_dev.setup.report import Item, SetupReport, State
from attune_dev.setup.versions import Version, parse_version, works_together


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v2.40.3-desktop.1", Version(2, 40, 3)),
        ("0.29.1+ds1", Version(0, 29, 1)),
        ("Docker Compose version 5.6\n", Version(5, 6)),
        ("dev", None),
        ("", None),
    ],
)
def test_the_version_is_found_in_what_a_plugin_says(text: str, version: Version | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("compose", "buildx", "fits"),
    [
        ((2, 40, 3), (0, 29, 1), True),
        ((2, 26, 1), (0, 13, 1), True),
        ((2, 20), (0, 13), True),
        ((2, 19, 9), (0, 29), False),
        ((2, 40), (0, 12, 1), False),
        ((5, 0), (0, 16, 9), False),
        ((5, 6), (0, 17), True),
        (None, (0, 29), False),
        ((2, 40), None, False),
    ],
)
def test_pairs_work_together_as_measured(
    compose: tuple[int, ...] | None, buildx: tuple[int, ...] | None, fits: bool
) -> None:
    def version(numbers: tuple[int, ...] | None) -> Version | None:
        return Version(*numbers) if numbers else None

    assert works_together(version(compose), version(buildx)) is fits


def engine(**versions: str) -> Engine:
    plugins = {name: Plugin(f"/plugins/docker-{name}", text) for name, text in versions.items()}
    return Engine(Item("engine", State.OK, found="28.0"), plugins, "x86_64", "unix:///s")


def states(**versions: str) -> dict[str, State]:
    return {item.name: item.state for item in plugin_items(engine(**versions))}


def test_a_new_compose_makes_an_old_buildx_too_old() -> None:
    assert states(compose="v2.40.3", buildx="v0.13.1")["buildx"] is State.OK
    assert states(compose="v5.6.0", buildx="v0.13.1")["buildx"] is State.TOO_OLD


def test_a_plugin_that_does_not_start_is_missing() -> None:
    found = states(compose="", buildx="v0.29.1")
    assert found == {"compose": State.MISSING, "buildx": State.OK}


def test_without_buildx_the_report_tells_of_the_legacy_builder() -> None:
    report = SetupReport(plugin_items(engine(compose="v2.40.3")))
    told = "\n".join(report.lines())
    assert not report.ok
    assert "legacy builder" in told
    assert "fix: inv setup" in told


def test_the_report_says_what_is_needed_and_what_is_there() -> None:
    report = SetupReport(plugin_items(engine(compose="v2.17.2", buildx="v0.29.1")))
    assert report.to_json()["ok"] is False
    assert [item["state"] for item in report.to_json()["items"]] == ["too old", "ok"]
    assert "2.17.2 (needed: >= 2.20)" in "\n".join(report.lines())
