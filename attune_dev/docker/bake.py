"""A Compose project's build sections as one file for ``docker buildx bake`` (pure).

One bake is one solve: stages that several images share run once, and images are exported in
parallel. Names, contexts and arguments are those that ``docker compose build`` would use, so that
what the one builds the other accepts.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from attune_dev.docker.containers import PROJECT_LABEL, SERVICE_LABEL
from attune_dev.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attune_dev.model.compose import (
        BuildConfig,
        BuildOptions,
        BuildSecret,
        ComposeProject,
        Service,
    )

NAMESPACE_ARG = "BUILDKIT_CACHE_MOUNT_NS"
BINARIES_ARG = "BINARIES"
PROFILE_ARG = "CARGO_PROFILE"


def image_name(project: ComposeProject, service: Service) -> str:
    """The name of a service's image: its ``image``, or the one that Compose derives."""
    return service.image or f"{project.name}-{service.name}"


def target_name(service: str) -> str:
    """A service's name as bake accepts it for a target."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", service)


def bake_file(
    project: ComposeProject,
    services: Sequence[str],
    *,
    root: str,
    namespace: str,
    binaries: Sequence[str] = (),
    args: Mapping[str, str] | None = None,
    no_cache: bool = False,
) -> dict[str, Any]:
    """The bake file that builds the images of ``services``.

    Args:
        project: as Compose resolved it.
        services: whose images, at least one.
        root: absolute path of the repository.
        namespace: identity of the checkout, for cache mounts.
        binaries: Cargo binaries to compile; empty leaves it to the Dockerfiles.
        args: further build arguments, for each image.
        no_cache: whether no cached layer is used.

    Raises:
        UsageError: a service does not exist.
        ConfigError: a service has no build section.
    """
    common = {NAMESPACE_ARG: namespace, **(args or {})}
    if binaries:
        common[BINARIES_ARG] = " ".join(binaries)
    wanted = [known_service(project, name) for name in dict.fromkeys(services)]
    targets = {target_name(s.name): _target(project, s, root, common, no_cache) for s in wanted}
    for service in _referenced(project, wanted):
        target = _target(project, service, root, common, no_cache)
        # built for another image's sake: neither named nor exported
        targets[target_name(service.name)] = target | {"tags": [], "output": ["type=cacheonly"]}
    group = {"default": {"targets": [target_name(service.name) for service in wanted]}}
    return {"group": group, "target": targets}


def needed_rights(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """What bake must be allowed for a bake file, where it asks; it is the Compose file's to say."""
    targets = definition["target"].values()
    asked = {right for target in targets for right in target.get("entitlements", ())}
    asked |= {"ssh" for target in targets if target.get("ssh")}
    return tuple(sorted(asked))


def known_service(project: ComposeProject, name: str) -> Service:
    """The service of this name.

    Raises:
        UsageError: there is none; the hint tells the near ones.
    """
    if name in project.services:
        return project.services[name]
    near = difflib.get_close_matches(name, project.services, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else ""
    known = ", ".join(project.services)
    raise UsageError(f"there is no service `{name}`", why=f"there are {known}", hint=hint)


def _target(
    project: ComposeProject,
    service: Service,
    root: str,
    common: Mapping[str, str],
    no_cache: bool,
) -> dict[str, Any]:
    build = service.build
    if build is None:
        raise ConfigError(
            f"service `{service.name}` has nothing to build", why=f"it uses image {service.image}"
        )
    target: dict[str, Any] = {
        "context": _literal(_place(root, build.context)),
        "tags": [image_name(project, service)],
        "labels": {
            PROJECT_LABEL: _literal(project.name),
            SERVICE_LABEL: _literal(service.name),
        },
        "args": {
            key: None if value is None else _literal(value)
            for key, value in sorted({**build.args, **common}.items())
        },
    }
    if build.inline is None:
        target["dockerfile"] = _literal(_place(root, build.dockerfile))
    else:
        target["dockerfile-inline"] = _literal(build.inline)
    if build.target:
        target["target"] = build.target
    if build.additional_contexts:
        target["contexts"] = {
            name: _literal(_context(root, source))
            for name, source in sorted(build.additional_contexts.items())
        }
    target |= _options(build.options, target, no_cache=no_cache)
    return target


def _options(options: BuildOptions, target: Mapping[str, Any], *, no_cache: bool) -> dict[str, Any]:
    """What the build section says besides, in bake's words (as Compose's own bake file does)."""
    said: dict[str, Any] = {
        "secret": [_literal(_secret(secret)) for secret in options.secrets],
        "ssh": [_literal(key) for key in options.ssh],
        "cache-from": [_literal(text) for text in options.cache_from],
        "cache-to": [_literal(text) for text in options.cache_to],
        "platforms": list(options.platforms),
        "tags": [*target["tags"], *options.tags] if options.tags else [],
        "labels": {k: _literal(v) for k, v in options.labels.items()} | target["labels"],
        "network": options.network,
        "extra-hosts": {
            host: address for host, _, address in (h.partition("=") for h in options.extra_hosts)
        },
        "shm-size": options.shm_size,
        "ulimits": list(options.ulimits),
        "entitlements": list(options.entitlements),
        "pull": options.pull,
        "no-cache": no_cache or options.no_cache,
    }
    return {key: value for key, value in said.items() if value}


def _secret(secret: BuildSecret) -> str:
    if secret.variable:
        return f"id={secret.id},type=env,env={secret.variable}"
    return f"id={secret.id},type=file,src={secret.file}"


def _referenced(project: ComposeProject, services: Sequence[Service]) -> list[Service]:
    """Services whose image is a named context of a wanted one, and that are not wanted."""
    seen = {service.name for service in services}
    found: list[Service] = []
    todo = list(services)
    while todo:
        build: BuildConfig | None = todo.pop().build
        for source in sorted((build.additional_contexts if build else {}).values()):
            name = source.removeprefix("service:")
            if name != source and name not in seen:
                seen.add(name)
                found.append(known_service(project, name))
                todo.append(found[-1])
    return found


def _context(root: str, source: str) -> str:
    if source.startswith("service:"):
        return f"target:{target_name(source.removeprefix('service:'))}"
    if "://" in source or source.startswith(("target:", "git@")):
        return source
    return _place(root, source)


def _place(root: str, path: str) -> str:
    """An absolute path; one that is absolute, or a URL, stays as it is."""
    if path.startswith(("/", "git@")) or "://" in path:
        return path
    return f"{root.rstrip('/')}/{path}" if path not in ("", ".") else root


def _literal(text: str) -> str:
    """Text that bake does not take for a template (HCL's ``${…}`` and ``%{…}``)."""
    return text.replace("${", "$${").replace("%{", "%%{")
