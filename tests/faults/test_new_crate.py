"""A crate that comes while the loop watches is followed like the others from then on."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.bench.sample.loop import Dev
from tests.docker.small import MANIFEST, Small, new_mark

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

WORKSPACE = '[workspace]\nresolver = "2"\nmembers = ["common", "extra", "web"]\n'


def extra(small: Small, mark: str) -> str:
    """Saves the new crate's code."""
    small.write("extra/src/lib.rs", f'pub const MARK: &str = "{mark}";\n')
    return mark


def live(dev: Dev) -> None:
    """Waits for an idle that is well; what is half written in between may not be."""
    while not dev.wait_idle(300)[-1]["ok"]:
        continue


def test_a_crate_that_is_new_is_compiled_and_followed(tmp_path: Path) -> None:
    small = Small.create(tmp_path / "small")
    dev = Dev(small)
    try:
        live(dev)
        # as a person does it: the crate, its place in the workspace, then who uses it
        small.write("extra/Cargo.toml", MANIFEST.format(name="extra"))
        mark = extra(small, new_mark("extra"))
        small.write("Cargo.toml", WORKSPACE)
        live(dev)
        manifest = (small.root / "web/Cargo.toml").read_text()
        small.write("web/Cargo.toml", f'{manifest}extra = {{ path = "../extra" }}\n')
        code = (small.root / "web/src/main.rs").read_text()
        small.write("web/src/main.rs", code.replace("common::part::MARK", "extra::MARK"))
        while small.answer()[1] != mark:
            live(dev)
        mark = extra(small, new_mark("extra"))
        live(dev)
        assert small.answer()[1] == mark
        changed = [e for e in dev.events() if e["event"] == "change"][-1]["changes"]
        assert [change["path"] for change in changed] == ["extra/src/lib.rs"]
        assert 'name = "extra"' in (small.root / "Cargo.lock").read_text()
    finally:
        dev.stop()
        small.inv("clean", "--all", "--yes", check=False)
        small.remove()
