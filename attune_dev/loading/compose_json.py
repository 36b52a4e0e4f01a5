"""From the JSON of ``docker compose config`` to the model, without reading anything."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from attune_dev.loading.compose_build import read_build
from attune_dev.loading.compose_place import Place
from attune_dev.model.compose import (
    BuildConfig,
    ComposeProject,
    Condition,
    Dependency,
    Mount,
    MountKind,
    Override,
    Port,
    Service,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

# What Compose itself leaves out of its configuration hash, and what only `watch` reads.
_NOT_IN_CONTAINER = ("build", "pull_policy", "scale", "depends_on", "profiles", "develop")
_FILE_LISTS = ("configs", "secrets")


def compose_from_json(
    data: Mapping[str, Any],
    root: Path,
    files: Iterable[str] = (),
    *,
    overrides: Mapping[str, Override] | None = None,
    candidates: Iterable[str] = (),
    warnings: Iterable[str] = (),
    said_at: Callable[..., tuple[str, int | None]] | None = None,
) -> ComposeProject:
    """Makes the model of what ``docker compose config --format json`` printed.

    Args:
        data: the decoded document, with absolute paths.
        root: repository root; a symbolic link to it is the same root.
        files: the files it was read from, relative to the root.
        overrides: service to its ``x-attune-dev``, which Compose's JSON leaves out.
        candidates: files that would be read if they existed, relative to the root.
        warnings: what Compose warned of.
        said_at: gives the file and the line that say a key, by its path of keys.
    """
    place = Place(root)
    services = {}
    for name, definition in sorted((data.get("services") or {}).items()):
        service = _service(name, definition or {}, data, place)
        services[name] = replace(
            service,
            override=(overrides or {}).get(name, service.override),
            build=_placed(service, said_at),
        )
    volumes = {
        key: str((definition or {}).get("name") or key)
        for key, definition in sorted((data.get("volumes") or {}).items())
    }
    return ComposeProject(
        name=str(data.get("name") or ""),
        services=services,
        volumes=volumes,
        files=tuple(files),
        candidates=tuple(candidates),
        warnings=tuple(warnings),
    )


def _service(
    name: str, definition: Mapping[str, Any], data: Mapping[str, Any], place: Place
) -> Service:
    build = definition.get("build")
    return Service(
        name=name,
        build=read_build(build, place, data) if build is not None else None,
        image=str(definition.get("image") or ""),
        command=(*_words(definition.get("entrypoint")), *_words(definition.get("command"))),
        mounts=tuple(_mount(mount, place) for mount in definition.get("volumes") or ()),
        depends_on=_dependencies(definition.get("depends_on") or {}),
        profiles=tuple(sorted(definition.get("profiles") or ())),
        restart=_restart(definition),
        ports=tuple(_port(port) for port in definition.get("ports") or ()),
        has_healthcheck=_has_healthcheck(definition.get("healthcheck")),
        files=_files(definition, data, place),
        hooks=bool(definition.get("post_start") or definition.get("pre_stop")),
        digest=_container_digest(definition, data),
        build_digest=_digest(build) if build is not None else "",
    )


def _placed(
    service: Service, said_at: Callable[..., tuple[str, int | None]] | None
) -> BuildConfig | None:
    if service.build is None or said_at is None:
        return service.build
    keys = ("dockerfile", "target")
    return replace(
        service.build, places={k: said_at("services", service.name, "build", k) for k in keys}
    )


def _words(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(word) for word in value)


def _mount(mount: Mapping[str, Any], place: Place) -> Mount:
    kind = mount.get("type")
    source = str(mount.get("source") or "")
    if kind == "bind":
        known, source = MountKind.BIND, place.path(source)
    else:
        known = MountKind.VOLUME if kind == "volume" else MountKind.OTHER
    return Mount(known, source, str(mount.get("target") or ""), bool(mount.get("read_only")))


def _dependencies(depends_on: Mapping[str, Any] | list[str]) -> tuple[Dependency, ...]:
    if isinstance(depends_on, list):
        return tuple(Dependency(name) for name in sorted(depends_on))
    return tuple(
        Dependency(name, _condition(said or {}), bool((said or {}).get("restart")))
        for name, said in sorted(depends_on.items())
    )


def _condition(said: Mapping[str, Any]) -> Condition:
    try:
        return Condition(str(said.get("condition") or Condition.STARTED))
    except ValueError:  # a condition of a later Compose still makes it wait for the start
        return Condition.STARTED


def _restart(definition: Mapping[str, Any]) -> str:
    restart = definition.get("restart")
    return "no" if restart is False else str(restart or "")  # an unquoted `no` may be a boolean


def _port(port: Mapping[str, Any]) -> Port:
    return Port(
        str(port.get("host_ip") or ""), str(port.get("published") or ""), int(port["target"])
    )


def _has_healthcheck(said: Mapping[str, Any] | None) -> bool:
    if not said or said.get("disable"):
        return False
    test = said.get("test")
    return bool(test) and test not in ("NONE", ["NONE"])


def _files(definition: Mapping[str, Any], data: Mapping[str, Any], place: Place) -> tuple[str, ...]:
    """Files that configs and secrets take into the container."""
    found = set()
    for section in _FILE_LISTS:
        known = data.get(section) or {}
        for reference in definition.get(section) or ():
            key = reference if isinstance(reference, str) else reference.get("source")
            file = (known.get(key) or {}).get("file")
            if file:
                found.add(place.path(str(file)))
    return tuple(sorted(found))


def _container_digest(definition: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    kept = {
        key: value
        for key, value in definition.items()
        if key not in _NOT_IN_CONTAINER and not key.startswith("x-")
    }
    if isinstance(kept.get("deploy"), dict):
        kept["deploy"] = {k: v for k, v in kept["deploy"].items() if k != "replicas"}
    networks = definition.get("networks") or {}
    keys = {
        "networks": list(networks),
        "volumes": [m.get("source") for m in definition.get("volumes") or ()],
        **{
            section: [
                r if isinstance(r, str) else r.get("source") for r in definition.get(section) or ()
            ]
            for section in _FILE_LISTS
        },
    }
    for section, used in keys.items():
        known = data.get(section) or {}
        kept[f"={section}"] = {key: known[key] for key in used if key in known}
    return _digest(kept)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
