from __future__ import annotations

from typing import Any

import pytest

from attune_dev.docker.bake import bake_file, image_name, needed_rights, target_name
from attune_dev.errors import ConfigError, UsageError
from attune_dev.model.compose import (
    BuildConfig,
    BuildOptions,
    BuildSecret,
    ComposeProject,
    Service,
)


def project(*services: Service, name: str = "demo") -> ComposeProject:
    return ComposeProject(name, {service.name: service for service in services})


def service(
    name: str = "api", context: str = "", dockerfile: str = "Dockerfile", **more: Any
) -> Service:
    return Service(name, build=BuildConfig(context, dockerfile, **more))


def target(of: Service, **more: Any) -> dict[str, Any]:
    made = bake_file(project(of), [of.name], root="/repo", namespace="ns", **more)
    found: dict[str, Any] = made["target"][target_name(of.name)]
    return found


def test_a_target_has_composes_name_context_and_dockerfile() -> None:
    made = target(service(context="app", dockerfile="docker/Dockerfile", target="runtime"))
    assert made["tags"] == ["demo-api"]
    assert made["context"] == "/repo/app"
    assert made["dockerfile"] == "/repo/docker/Dockerfile"
    assert made["target"] == "runtime"


def test_the_root_itself_and_places_outside_of_it_are_contexts_too() -> None:
    assert target(service(context=""))["context"] == "/repo"
    assert target(service(context="/elsewhere"))["context"] == "/elsewhere"
    assert target(service(context="https://example.org/a.git"))["context"].startswith("https://")


def test_what_else_the_build_section_says_is_passed_on() -> None:
    options = BuildOptions(
        secrets=(BuildSecret("token", file="/run/to${x}ken"), BuildSecret("key", variable="KEY")),
        ssh=("default", "work=/run/agent"),
        cache_from=("type=registry,ref=example/cache",),
        cache_to=("type=inline",),
        platforms=("linux/amd64",),
        tags=("example/api:2",),
        labels={"team": "blue"},
        network="host",
        extra_hosts=("db=10.0.0.1",),
        shm_size="64m",
        ulimits=("nofile=10:20",),
        entitlements=("network.host",),
        pull=True,
    )
    made = target(service(options=options))
    assert made["secret"] == ["id=token,type=file,src=/run/to$${x}ken", "id=key,type=env,env=KEY"]
    assert made["ssh"] == ["default", "work=/run/agent"]
    assert made["cache-from"] == ["type=registry,ref=example/cache"]
    assert made["cache-to"] == ["type=inline"]
    assert made["platforms"] == ["linux/amd64"]
    assert made["tags"] == ["demo-api", "example/api:2"]
    assert made["labels"] == {
        "com.docker.compose.project": "demo",
        "com.docker.compose.service": "api",
        "team": "blue",
    }
    assert made["extra-hosts"] == {"db": "10.0.0.1"}
    assert (made["network"], made["shm-size"]) == ("host", "64m")
    assert (made["ulimits"], made["pull"]) == (["nofile=10:20"], True)
    assert "no-cache" not in made
    whole = bake_file(project(service(options=options)), ["api"], root="/repo", namespace="ns")
    assert needed_rights(whole) == ("network.host", "ssh")


def test_a_plain_build_section_asks_for_nothing_more() -> None:
    made = target(service())
    assert sorted(made) == ["args", "context", "dockerfile", "labels", "tags"]
    assert target(service(options=BuildOptions(no_cache=True)))["no-cache"] is True


def test_a_named_image_keeps_its_name() -> None:
    named = Service("api", build=BuildConfig("", "Dockerfile"), image="example/api:1")
    assert image_name(project(named), named) == "example/api:1"


def test_arguments_are_the_services_the_requests_and_the_identity_of_the_checkout() -> None:
    made = target(
        service(args={"SERVICE": "api", "TOKEN": None}),
        args={"CARGO_PROFILE": "dev"},
        binaries=("attune-api", "attune-worker"),
    )
    assert made["args"] == {
        "BINARIES": "attune-api attune-worker",
        "BUILDKIT_CACHE_MOUNT_NS": "ns",
        "CARGO_PROFILE": "dev",
        "SERVICE": "api",
        "TOKEN": None,
    }


def test_text_is_never_a_template_of_bake() -> None:
    made = target(service(args={"A": "${HOME} %{ if } $X"}))
    assert made["args"]["A"] == "$${HOME} %%{ if } $X"


def test_an_inline_dockerfile_goes_in_as_text() -> None:
    made = target(service(inline="FROM scratch\nCOPY ${x} /\n"))
    assert made["dockerfile-inline"] == "FROM scratch\nCOPY $${x} /\n"
    assert "dockerfile" not in made


def test_named_contexts_are_folders_images_and_other_services() -> None:
    base = service("base")
    api = service(
        additional_contexts={
            "lib": "libs/common",
            "img": "docker-image://debian",
            "base": "service:base",
        }
    )
    made = bake_file(project(api, base), ["api"], root="/repo", namespace="ns")
    assert made["target"]["api"]["contexts"] == {
        "base": "target:base",
        "img": "docker-image://debian",
        "lib": "/repo/libs/common",
    }
    assert made["group"]["default"]["targets"] == ["api"]
    assert made["target"]["base"]["tags"] == []


def test_all_services_are_one_group_so_that_they_are_one_solve() -> None:
    made = bake_file(
        project(service("api"), service("web")), ["web", "api", "web"], root="/r", namespace="ns"
    )
    assert made["group"] == {"default": {"targets": ["web", "api"]}}


def test_names_that_bake_refuses_are_changed_for_it_alone() -> None:
    made = bake_file(project(service("my.api")), ["my.api"], root="/r", namespace="ns")
    assert made["target"]["my_api"]["tags"] == ["demo-my.api"]


def test_no_cache_is_asked_for_by_target() -> None:
    assert target(service(), no_cache=True)["no-cache"] is True
    assert "no-cache" not in target(service())


def test_labels_hold_nothing_that_changes_between_builds() -> None:
    assert target(service())["labels"] == {
        "com.docker.compose.project": "demo",
        "com.docker.compose.service": "api",
    }


def test_a_service_that_does_not_exist_or_has_nothing_to_build_is_refused() -> None:
    with pytest.raises(UsageError, match="apii") as unknown:
        bake_file(project(service("api")), ["apii"], root="/r", namespace="ns")
    assert "api" in unknown.value.hint
    with pytest.raises(ConfigError, match="nothing to build"):
        bake_file(project(Service("db", image="postgres")), ["db"], root="/r", namespace="ns")
