"""What Compose says on failure, in the words of several versions, and what the user is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from attune_dev.errors import ConfigError, EnvironmentLacksError
from attune_dev.loading.compose_errors import compose_error, warnings_of
from attune_dev.loading.compose_files import find_sources

FILE = """\
services:
  api:
    imagee: x
    build: {contxt: .}
    healthcheck:
      tes: x
    ports: ["99999999:80"]
  b:
    image: x
    image: y
    depends_on: [c]
volumes:
  v: {drivr: x}
volumez: {}
"""
SAID = [
    # 2.26
    (
        "validating {at}: services.api Additional property imagee is not allowed",
        ["unknown key `imagee` in services.api (compose.yaml:3)", "fix: did you mean `image`?"],
    ),
    (
        "validating {at}: (root) Additional property volumez is not allowed",
        ["unknown key `volumez` (compose.yaml:14)", "fix: did you mean `volumes`?"],
    ),
    (
        "validating {at}: services.api.build Additional property contxt is not allowed",
        [
            "unknown key `contxt` in services.api.build (compose.yaml:4)",
            "fix: did you mean `context`?",
        ],
    ),
    (
        'yaml: unmarshal errors:\n  line 10: mapping key "image" already defined at line 9',
        ["duplicate key `image` (compose.yaml:10)", "already defined at line 9"],
    ),
    # 2.40
    (
        "validating {at}: services.api additional properties 'imagee' not allowed",
        ["unknown key `imagee` in services.api (compose.yaml:3)", "fix: did you mean `image`?"],
    ),
    (
        "validating {at}:  additional properties 'volumez' not allowed",
        ["unknown key `volumez` (compose.yaml:14)", "fix: did you mean `volumes`?"],
    ),
    (
        "validating {at}: services.api additional properties 'imagee', 'bb' not allowed",
        ["unknown key `imagee` in services.api (compose.yaml:3)", "fix: did you mean `image`?"],
    ),
    (
        "validating {at}: services.api.healthcheck additional properties 'tes' not allowed",
        [
            "unknown key `tes` in services.api.healthcheck (compose.yaml:6)",
            "fix: did you mean `test`?",
        ],
    ),
    (
        "validating {at}: volumes.v additional properties 'drivr' not allowed",
        ["unknown key `drivr` in volumes.v (compose.yaml:13)", "fix: did you mean `driver`?"],
    ),
    (
        'failed to parse {at}: line 10: mapping key "image" already defined at line 9',
        ["duplicate key `image` (compose.yaml:10)", "already defined at line 9"],
    ),
    # 5
    (
        "validating {at}: services.api.imagee false schema",
        ["unknown key `imagee` in services.api (compose.yaml:3)", "fix: did you mean `image`?"],
    ),
    (
        "go-yaml load error in parser: did not find expected key at L5.C1",
        [
            "the Compose file is not valid (compose.yaml:5)",
            "go-yaml load error in parser: did not find expected key at L5.C1",
        ],
    ),
    # all
    (
        'service "b" depends on undefined service "c": invalid compose project',
        [
            "the Compose file is not valid (compose.yaml:8)",
            'service "b" depends on undefined service "c": invalid compose project',
        ],
    ),
    (
        "dependency cycle detected: b -> c -> b",
        [
            "the Compose file is not valid (compose.yaml:8)",
            "dependency cycle detected: b -> c -> b",
        ],
    ),
    (
        "validating {at}: services.api.ports must be a list",
        ["the Compose file is not valid (compose.yaml:7)", "services.api.ports must be a list"],
    ),
    (
        "Invalid hostPort: 99999999",
        ["the Compose file is not valid (compose.yaml:7)", "Invalid hostPort: 99999999"],
    ),
    (
        (
            "error while interpolating services.api.imagee: "
            "required variable REQ is missing a value: say it"
        ),
        [
            "the variable REQ is required and not set (compose.yaml:3)",
            "say it",
            "fix: put REQ=… into .env, or export it",
        ],
    ),
    (
        "env file {root}/no.env not found: stat {root}/no.env: no such file or directory",
        [
            "no.env does not exist",
            "env file {root}/no.env not found: stat {root}/no.env: no such file or directory",
        ],
    ),
    (
        'time="2026-01-01T00:00:00Z" level=warning msg="noise"\nsomething new',
        ["the Compose file is not valid (compose.yaml)", "something new"],
    ),
    ("", ["the Compose file is not valid (compose.yaml)", "it gave no reason"]),
]


@pytest.mark.parametrize(("said", "told"), SAID)
def test_each_message_is_told_with_its_place(
    write: Callable[..., Path], said: str, told: list[str]
) -> None:
    root = write({"compose.yaml": FILE})
    error = compose_error(
        said.format(root=root, at=root / "compose.yaml"), root, find_sources(root, None, {})
    )
    assert isinstance(error, ConfigError)
    lines = [line.strip().removeprefix("error: ") for line in error.lines()]
    assert lines == [line.format(root=root) for line in told]


def test_a_client_without_the_plugin_lacks_something(write: Callable[..., Path]) -> None:
    root = write({"compose.yaml": FILE})
    error = compose_error("unknown flag: --file", root, find_sources(root, None, {}))
    assert isinstance(error, EnvironmentLacksError)


def test_warnings_are_read_once_each() -> None:
    line = r'time="x" level=warning msg="The \"A\" variable is not set."'
    assert warnings_of(f"{line}\nother\n{line}\n") == ('The "A" variable is not set.',)
