"""The build section of a service, out of the JSON of ``docker compose config``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from attune_dev.model.compose import BuildConfig, BuildOptions, BuildSecret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from attune_dev.loading.compose_place import Place


def read_build(
    build: Mapping[str, Any] | str, place: Place, data: Mapping[str, Any]
) -> BuildConfig:
    """Makes the model of a build section.

    Args:
        build: the section.
        place: makes paths relative to the root.
        data: the whole document, for its secrets.
    """
    said: Mapping[str, Any] = {"context": build} if isinstance(build, str) else build
    context = str(said.get("context") or ".")
    remote = _is_remote(context)
    dockerfile = str(said.get("dockerfile") or "Dockerfile")
    args = said.get("args") or {}
    if isinstance(args, list):
        args = {key: value if has else None for key, has, value in (a.partition("=") for a in args)}
    return BuildConfig(
        context=context if remote else place.path(context),
        dockerfile=dockerfile if remote else place.below(context, dockerfile),
        target=said.get("target") or None,
        args={key: None if value is None else str(value) for key, value in sorted(args.items())},
        additional_contexts={
            key: place.path(str(value)) if os.path.isabs(str(value)) else str(value)  # noqa: PTH117
            for key, value in sorted((said.get("additional_contexts") or {}).items())
        },
        inline=said.get("dockerfile_inline"),
        options=_options(said, data),
    )


def _options(said: Mapping[str, Any], data: Mapping[str, Any]) -> BuildOptions:
    return BuildOptions(
        secrets=tuple(_secrets(said, data)),
        ssh=tuple(_pairs(said.get("ssh"))),
        cache_from=_texts(said.get("cache_from")),
        cache_to=_texts(said.get("cache_to")),
        platforms=_texts(said.get("platforms")),
        tags=_texts(said.get("tags")),
        labels=dict(pair.partition("=")[::2] for pair in _pairs(said.get("labels"))),
        network=str(said.get("network") or ""),
        extra_hosts=tuple(sorted(_hosts(said.get("extra_hosts")))),
        shm_size=str(said.get("shm_size") or ""),
        ulimits=tuple(sorted(_ulimits(said.get("ulimits") or {}))),
        entitlements=_texts(said.get("entitlements")),
        pull=bool(said.get("pull")),
        no_cache=bool(said.get("no_cache")),
    )


def _secrets(said: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[BuildSecret]:
    known = data.get("secrets") or {}
    for reference in said.get("secrets") or ():
        short = isinstance(reference, str)
        source = str(reference if short else reference.get("source") or "")
        name = source if short else str(reference.get("target") or source)
        definition = known.get(source) or {}
        variable = str(definition.get("environment") or "")
        yield BuildSecret(name, "" if variable else str(definition.get("file") or ""), variable)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value or ())


def _pairs(value: Any) -> Iterator[str]:
    """``key=value`` of a mapping or of a list; a key without a value alone."""
    if not isinstance(value, dict):
        yield from _texts(value)
        return
    for key, said in value.items():
        yield key if said in (None, "") else f"{key}={said}"


def _hosts(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield from _texts(value)
        return
    for host, addresses in value.items():
        for address in addresses if isinstance(addresses, list) else [addresses]:
            yield f"{host}={address}"


def _ulimits(value: Mapping[str, Any]) -> Iterator[str]:
    for name, limit in value.items():
        if isinstance(limit, dict):
            soft, hard = (limit.get(word, limit.get("single")) for word in ("soft", "hard"))
            yield f"{name}={soft}:{hard}"
        else:
            yield f"{name}={limit}"


def _is_remote(context: str) -> bool:
    return "://" in context or context.startswith(("git@", "github.com/"))
