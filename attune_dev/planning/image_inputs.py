"""What building a service's image reads: its Dockerfile for the target and arguments in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from attune_dev.errors import ConfigError
from attune_dev.model.dockerfile import CargoBuild, ImageInputs, SourcePattern
from attune_dev.planning.image_facts import StageFacts
from attune_dev.planning.image_shipped import shipped_binaries, trace_shipped
from attune_dev.planning.image_stages import Stages

if TYPE_CHECKING:
    from attune_dev.model.compose import BuildConfig
    from attune_dev.model.dockerfile import Dockerfile

__all__ = ["image_inputs", "shipped_binaries"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


def image_inputs(
    service: str,
    build: BuildConfig,
    dockerfile: Dockerfile,
    *,
    predefined: Mapping[str, str] = _NOTHING,
    scripts: Mapping[str, str] = _NOTHING,
    ignore_file: str = "",
) -> ImageInputs:
    """Resolves a Dockerfile for one service.

    Args:
        service: whose image.
        build: context, target and arguments.
        dockerfile: parsed.
        predefined: arguments that BuildKit sets, such as ``TARGETARCH``.
        scripts: texts of context files by path relative to the context; a ``RUN`` that executes
            one of them is followed into it.
        ignore_file: the ``.dockerignore`` in force, told with the result.

    Raises:
        ConfigError: there is no such target, or a base image is empty.
    """
    stages = Stages(dockerfile, build, predefined, scripts)
    try:
        return _resolved(service, build, stages, ignore_file)
    except RecursionError:
        raise ConfigError("too many stages start from each other", file=dockerfile.path) from None


def _resolved(service: str, build: BuildConfig, stages: Stages, ignore_file: str) -> ImageInputs:
    dockerfile = stages.dockerfile
    final = _target(stages, build, service)
    used = [stages.facts(index) for index in _in_use(stages, final)]
    shipped = trace_shipped(stages, final)
    in_image = {facts.index for facts in stages.chain(final)}
    return ImageInputs(
        service=service,
        dockerfile=dockerfile.path,
        context=build.context,
        stages=tuple(dockerfile.stages[f.index].name or str(f.index) for f in used),
        sources=(*_sources(used, in_image), *shipped.sources),
        base_images=tuple(sorted({image for facts in used for image in facts.images})),
        cargo_builds=_builds(used),
        shipped=shipped.names,
        cache_ids=tuple(sorted({cache for facts in used for cache in facts.cache_ids})),
        args={k: v for facts in used for k, v in sorted(facts.args.items())},
        ignore_file=ignore_file,
        scripts=tuple(sorted({script for facts in used for script in facts.scripts})),
    )


def _target(stages: Stages, build: BuildConfig, service: str) -> int:
    count = len(stages.dockerfile.stages)
    if not build.target:
        return count - 1
    found = stages.find(build.target, count)
    if found is None:
        path = stages.dockerfile.path
        names = [stage.name for stage in stages.dockerfile.stages if stage.name]
        file, line = build.places.get("target", (path, None))
        raise ConfigError(
            f"no stage `{build.target}`, the build target of {service}, in {path}",
            hint=f"stages: {', '.join(names)}" if names else "no stage of it has a name",
            file=file,
            line=line,
        )
    return found


def _in_use(stages: Stages, final: int) -> list[int]:
    used: set[int] = set()
    todo = [final]
    while todo:
        index = todo.pop()
        if index not in used:
            used.add(index)
            todo += stages.facts(index).uses
    return sorted(used)


def _sources(used: list[StageFacts], in_image: set[int]) -> tuple[SourcePattern, ...]:
    found: dict[SourcePattern, None] = {}
    for facts in used:
        for source in facts.sources:
            final = facts.index in in_image and source.how != "bind"
            found[replace(source, final=final)] = None
    return tuple(found)


def _builds(used: list[StageFacts]) -> tuple[CargoBuild, ...]:
    return tuple(dict.fromkeys(build for facts in used for build in facts.builds))
