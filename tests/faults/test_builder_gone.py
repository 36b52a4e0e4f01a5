"""The engine goes while the loop watches, and the builder that compiles in it goes along."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from attune_dev.bench.sample.loop import Dev
from attune_dev.setup.base_images import base_images
from tests.docker.small import REPOSITORY, Small, new_mark
from tests.faults.own_engine import OwnEngine, own_engine

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def engine() -> Iterator[OwnEngine]:
    images = [image.in_use for image in base_images(REPOSITORY)]
    # a socket's path must be short
    with (
        tempfile.TemporaryDirectory(prefix="at-") as folder,
        own_engine(Path(folder) / "e", *images) as made,
    ):
        yield made


@pytest.fixture
def small(engine: OwnEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Small]:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    made = Small.create(tmp_path / "small")
    # that engine has no way out for networks
    file = made.root / "compose.yaml"
    lines = file.read_text().splitlines()
    kept = [line for line in lines if not line.strip().startswith("ports:")]
    file.write_text("\n".join([*kept, "    network_mode: none", ""]))
    yield made
    made.remove()


def runs(small: Small, mark: str) -> bool:
    """Whether the program in the service's container was compiled with a mark."""
    [container] = small.container_ids().values()
    return small.docker("exec", container, "grep", "-c", mark, "/usr/local/bin/web") != ""


def served(small: Small, dev: Dev, mark: str) -> list[str]:
    """Waits until a mark runs; how the builds up to then were done."""
    ways: list[str] = []
    while True:
        events = dev.wait_idle(200)
        ways += [e["via"] for e in events if e["event"] == "end" and "via" in e]
        if events[-1]["ok"]:
            assert runs(small, mark), dev.text()
            return ways


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_next_save_is_compiled_in_a_builder_again(
    engine: OwnEngine, small: Small, number: signal.Signals
) -> None:
    dev = Dev(small)
    try:
        assert dev.wait_idle(400)[-1]["ok"], dev.text()
        assert served(small, dev, small.web(new_mark("web"))) == ["swap"]
        engine.stop(number)
        while not any("does not answer" in line for line in dev.text().splitlines()):
            assert dev.alive, dev.text()
        away = small.web(new_mark("web"))
        engine.start()
        served(small, dev, away)  # everything is checked, which may be through the image
        assert served(small, dev, small.web(new_mark("web"))) == ["swap"]
        assert "Traceback" not in dev.text()
        assert "soon after its start" not in dev.text(), "the engine ended it, not its code"
    finally:
        dev.stop()
