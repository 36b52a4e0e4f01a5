"""Settings: where each comes from, and what is wrong where."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.errors import ConfigError
from attune_dev.settings import load_settings


def test_the_later_source_wins_and_each_setting_tells_its_own(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.attune-dev]\npacks = "one"\nhealth-timeout = 10\nprofiles = ["full"]\n'
    )
    (tmp_path / "attune-dev.toml").write_text('packs = "two"\n')
    found = load_settings(tmp_path, {"ATTUNE_DEV_HEALTH_TIMEOUT": "20"})
    assert (found.packs, found.health_timeout, found.profiles) == ("two", 20.0, ("full",))
    assert (
        found.provenance.items()
        >= {
            "debounce_quiet": "default",
            "debounce_cap": "default",
            "health_timeout": "ATTUNE_DEV_HEALTH_TIMEOUT",
            "packs": "attune-dev.toml",
            "profiles": "pyproject.toml",
        }.items()
    )


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("packs = [\n", "attune-dev.toml:1", "is not valid TOML"),
        ('\nprofile = ["x"]\n', "attune-dev.toml:2", "unknown setting `profile`"),
        ("packs = 3\n", "attune-dev.toml:1", "`packs` must be a text, not 3"),
        ("# x\nhealth-timeout = -1\n", "attune-dev.toml:2", "`health-timeout` cannot be negative"),
        ("health-timeout = true\n", "attune-dev.toml:1", "`health-timeout` must be a number"),
    ],
)
def test_a_fault_has_its_file_and_line(tmp_path: Path, text: str, where: str, what: str) -> None:
    (tmp_path / "attune-dev.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {})
    assert caught.value.where == where
    assert caught.value.what.startswith(what)


def test_a_folder_in_the_place_of_a_settings_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "attune-dev.toml").mkdir()
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {})
    assert caught.value.where == "attune-dev.toml"
