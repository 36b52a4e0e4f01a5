"""Compose's build section as ``docker compose config`` prints it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attune_dev.loading.compose_json import compose_from_json
from attune_dev.model.compose import BuildOptions, BuildSecret


def options(known: dict[str, Any] | None = None, **build: Any) -> BuildOptions:
    data = {"secrets": known or {}, "services": {"api": {"build": {"context": "/r"} | build}}}
    found = compose_from_json(data, Path("/r")).services["api"].build
    assert found is not None
    return found.options


def test_a_plain_section_has_none() -> None:
    assert options() == BuildOptions()


def test_secrets_are_files_or_variables_under_the_name_that_the_build_knows() -> None:
    secrets = {"token": {"name": "t", "file": "/r/token"}, "key": {"environment": "KEY"}}
    made = options(secrets, secrets=[{"source": "token"}, {"source": "key", "target": "api-key"}])
    assert made.secrets == (
        BuildSecret("token", file="/r/token"),
        BuildSecret("api-key", variable="KEY"),
    )


def test_lists_and_mappings_say_the_same() -> None:
    one = options(ssh=["default"], labels=["a=b=c"], extra_hosts=["db=10.0.0.1"])
    two = options(ssh={"default": ""}, labels={"a": "b=c"}, extra_hosts={"db": ["10.0.0.1"]})
    assert one == two
    assert (one.ssh, one.labels, one.extra_hosts) == (("default",), {"a": "b=c"}, ("db=10.0.0.1",))


def test_the_rest_as_it_is_written() -> None:
    made = options(
        cache_from=["type=local,src=/c"],
        cache_to=["type=inline"],
        platforms=["linux/arm64"],
        ulimits={"nofile": {"soft": 10, "hard": 20}, "nproc": 5},
        shm_size="64000",
        network="none",
        pull=True,
        no_cache=True,
    )
    assert (made.cache_from, made.cache_to) == (("type=local,src=/c",), ("type=inline",))
    assert made.platforms == ("linux/arm64",)
    assert made.ulimits == ("nofile=10:20", "nproc=5")
    assert (made.shm_size, made.network, made.pull, made.no_cache) == ("64000", "none", True, True)
