"""What all tests share: a clean environment, and docker tests that cannot be skipped in CI."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, settings

from tests.powers import no_power_over_files

REQUIRE_DOCKER = "ATTUNE_DEV_REQUIRE_DOCKER"

# A busy machine is no fault of the code: no example has to be quick.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# A script that a shell starts in the background ignores Ctrl-C, one behind nohup a hang-up, and so
# does all that they start; what is tested here are programs that a person has started.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No colour, width or Compose variable of the developer's leaks into a test."""
    for name in list(os.environ):
        if name.startswith(("COMPOSE_", "ATTUNE_DEV_")) and name != REQUIRE_DOCKER:
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where docker tests are required, a skipped one has failed."""
    report = yield
    required = os.environ.get(REQUIRE_DOCKER) == "1" and item.get_closest_marker("docker")
    if required and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = (
            f"docker tests are required here, but this one was skipped: {call.excinfo}"
        )
    return report


@pytest.fixture
def modes_bind() -> Iterator[None]:
    """Files may be read and written as their modes say, by root, too; to be asked for first."""
    with no_power_over_files():
        yield


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes files into a folder: ``write({"compose.yaml": "…"})`` gives the folder."""

    def write_files(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(dedent(text))
        return tmp_path

    return write_files
