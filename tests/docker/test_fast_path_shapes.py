"""Code into running containers, for Dockerfiles of other shapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.bench.sample.loop import developing
from tests.docker.small import new_mark, settle, small_repository, ways

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


def test_a_file_that_a_step_makes_among_the_sources_is_never_an_older_one(tmp_path: Path) -> None:
    with small_repository(tmp_path) as small:
        dockerfile = small.root / "Dockerfile"
        text = dockerfile.read_text()
        assert "\nCOPY . .\n" in text

        def make(mark: str) -> None:
            dockerfile.write_text(text.replace("\nCOPY", f"\nRUN echo {mark} >made.txt\nCOPY"))

        make("one")
        main = (small.root / "web/src/main.rs").read_text()
        told = main.replace('env!("WAIT")', 'include_str!("../../made.txt")')
        small.write("web/src/main.rs", told)
        with developing(small) as dev:
            assert small.answer()[3] == "one"
            mark = small.common(new_mark("common"))
            assert ways(settle(dev)) == ["image"]
            assert "makes /src/made.txt" in dev.text()
            make("two")
            settle(dev)
            mark = small.common(new_mark("common"))
            settle(dev)
            assert small.answer()[1::2] == [mark, "two"]


def test_flags_in_the_configuration_of_cargo_are_those_of_what_runs(tmp_path: Path) -> None:
    with small_repository(tmp_path) as small:
        small.write(".cargo/config.toml", '[build]\nrustflags = ["--cfg", "special"]\n')
        kinds = "".join(
            f'#[cfg({cfg})] pub const TEXT: &str = "{text}";\n'
            for cfg, text in (("special", "special"), ("not(special)", "plain"))
        )
        small.write("common/src/lib.rs", f"pub mod part;\n{kinds}")
        with developing(small) as dev:
            mark = small.web(new_mark("web"))
            assert ways(settle(dev)) == ["swap"]
            assert small.answer()[::2] == [mark, "special"]
            small.write(".cargo/config.toml", "[net]\noffline = true\n")
            settle(dev)
            assert small.answer()[::2] == [mark, "plain"]
