"""What ``docker compose config`` says on failure, as errors with a place and a next step.

Compose words the same fault differently from version to version, and names a line only for some;
so its message is searched for a dotted path or a name, and the line is looked up in the files.
"""

from __future__ import annotations

import difflib
import os
import re
from typing import TYPE_CHECKING

import yaml

from attune_dev.errors import AttuneDevError, ConfigError, EnvironmentLacksError
from attune_dev.loading.compose_files import entry

if TYPE_CHECKING:
    from pathlib import Path

    from attune_dev.loading.compose_files import ComposeSources

_LACKS_PLUGIN = re.compile(
    r"unknown flag: -|unknown shorthand flag|unknown command|is not a docker command"
)
_UNKNOWN_KEY = re.compile(
    r"(?:(?P<path>\(root\)|[\w.\[\]-]*) )?[Aa]dditional propert(?:y|ies) "
    r"(?:'(?P<quoted>[^']+)'|(?P<bare>.+?))(?:, '[^']*')* (?:is |are )?not allowed"
)
_DUPLICATE = re.compile(
    r'line (?P<line>\d+): mapping key "(?P<key>[^"]+)" already defined (?P<at>.*)'
)
_MISSING_FILE = re.compile(r"(?:open|stat|env file) (?P<path>/[^:\n]+?)(?: not found)?:")
_FALSE_SCHEMA = re.compile(r"(?P<path>[\w.-]+) false schema")
_VALIDATING = re.compile(r"validating (?P<file>\S+?): +(?P<rest>.*)", re.DOTALL)
_LINE = re.compile(r"(?:\bline (\d+)|\bL(\d+)[.:]C\d+)")
_FILE = re.compile(r"(?:parse|parsing|validating|in) (/\S+?\.ya?ml)\b")
_REQUIRED = re.compile(r"required variable (?P<name>\w+) is missing a value(?:: (?P<text>.*))?")
_INTERPOLATING = re.compile(r"(?:interpolating|interpolation format for) (?P<path>[\w.\[\]-]+)")
_SERVICE = re.compile(r'service "?([\w.-]+)"? ')
_CYCLE = re.compile(r"cycle detected: ([\w.-]+)")
_PLACE = re.compile(r"\b((?:services|volumes|networks|configs|secrets)(?:[.\[][\w-]+\]?)+)")
_WARNING = re.compile(r'level=warning msg="((?:[^"\\]|\\.)*)"')

_KEYS = {
    "": "configs include models name networks secrets services version volumes",
    "services": (
        "annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command"
        " configs container_name cpu_count cpu_percent cpu_period cpu_quota cpu_shares cpus cpuset"
        " credential_spec depends_on deploy develop device_cgroup_rules devices dns dns_opt"
        " dns_search domainname entrypoint env_file environment expose extends external_links"
        " extra_hosts gpus group_add healthcheck hostname image init ipc isolation label_file"
        " labels links logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit"
        " models network_mode networks oom_kill_disable oom_score_adj pid pids_limit platform"
        " ports post_start pre_stop privileged profiles provider pull_policy read_only restart"
        " runtime scale secrets security_opt shm_size stdin_open stop_grace_period stop_signal"
        " storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode uts volumes"
        " volumes_from working_dir"
    ),
    "build": (
        "additional_contexts args cache_from cache_to context dockerfile dockerfile_inline"
        " entitlements extra_hosts isolation labels network no_cache platforms privileged pull"
        " secrets shm_size ssh tags target ulimits"
    ),
    "healthcheck": "disable interval retries start_interval start_period test timeout",
    "volumes": "driver driver_opts external labels name",
}


def warnings_of(stderr: str) -> tuple[str, ...]:
    """The warnings that Compose wrote, in order, without repetitions."""
    found = (re.sub(r"\\(.)", r"\1", text) for text in _WARNING.findall(stderr))
    return tuple(dict.fromkeys(found))


def compose_error(stderr: str, root: Path, sources: ComposeSources) -> AttuneDevError:
    """Turns what Compose wrote before it failed into an error.

    Args:
        stderr: its standard error.
        root: project folder.
        sources: the files it read.
    """
    message = "\n".join(
        line for line in stderr.strip().splitlines() if not line.startswith("time=")
    )
    for secret in sources.secrets:
        message = message.replace(secret, "***")
    if _LACKS_PLUGIN.search(message):
        return plugin_missing()
    file = _named_file(message, root, sources)
    for error in (
        _unknown_key(message, file, root, sources),
        _required(message, file, root, sources),
        _missing_file(message, root, sources),
        _duplicate(message, file, root),
        _by_line(message, file, root),
        _by_place(message, file, root, sources),
        _by_text(message, root, sources),
    ):
        if error is not None:
            return error
    why = _short(message) or "it gave no reason"
    return ConfigError("the Compose file is not valid", why=why, file=relative(file, root))


def plugin_missing() -> EnvironmentLacksError:
    """The error for a machine without the Compose plugin."""
    return EnvironmentLacksError(
        "the Docker Compose plugin is not installed",
        why="services are read with `docker compose config`",
        hint="./inv setup",
    )


def _unknown_key(
    message: str, file: str, root: Path, sources: ComposeSources
) -> ConfigError | None:
    match = _UNKNOWN_KEY.search(message)
    if match is not None:
        path = [part for part in (match["path"] or "").split(".") if part not in ("", "(root)")]
        path.append(match["quoted"] or match["bare"])
    else:
        match = _FALSE_SCHEMA.search(message)
        if match is None:
            return None
        path = match["path"].split(".")
    where, line = locate(path, sources, file)
    key, parent = path[-1], ".".join(path[:-1])
    known = _keys_for(path[:-1]).split()
    near = difflib.get_close_matches(key, known, 1)
    if key in known:  # the right word, too far to the left or to the right
        near = []
    return ConfigError(
        f"unknown key `{key}`" + (f" in {parent}" if parent else ""),
        hint=f"did you mean `{near[0]}`?"
        if near
        else "see the Compose file reference for its keys",
        file=relative(where, root),
        line=line,
    )


def _keys_for(parent: list[str]) -> str:
    if not parent:
        return _KEYS[""]
    if len(parent) == 2 and parent[0] in ("services", "volumes"):
        return _KEYS[parent[0]]
    return _KEYS.get(parent[-1], "") if len(parent) == 3 else ""


def _required(message: str, file: str, root: Path, sources: ComposeSources) -> ConfigError | None:
    match = _REQUIRED.search(message)
    if match is None:
        return None
    line = None
    if (place := _INTERPOLATING.search(message)) is not None:
        file, line = locate(_parts(place["path"]), sources, file)
    return ConfigError(
        f"the variable {match['name']} is required and not set",
        why=(match["text"] or "").strip(),
        hint=f"put {match['name']}=… into .env, or export it",
        file=relative(file, root),
        line=line,
    )


def _missing_file(message: str, root: Path, sources: ComposeSources) -> ConfigError | None:
    match = _MISSING_FILE.search(message)
    if match is None:
        return None
    file, line = sources.named_at.get(os.path.normpath(match["path"]), (None, None))
    return ConfigError(
        f"{relative(match['path'], root)} does not exist",
        why=_short(message) if file is None else "",
        file=None if file is None else relative(file, root),
        line=line,
    )


def _duplicate(message: str, file: str, root: Path) -> ConfigError | None:
    match = _DUPLICATE.search(message)
    if match is None:
        return None
    return ConfigError(
        f"duplicate key `{match['key']}`",
        why=f"already defined {match['at']}",
        file=relative(file, root),
        line=int(match["line"]),
    )


def _by_line(message: str, file: str, root: Path) -> ConfigError | None:
    match = _LINE.search(message)
    if match is None:
        return None
    return ConfigError(
        "the Compose file is not valid",
        why=_short(message),
        file=relative(file, root),
        line=int(match[1] or match[2]),
    )


def _by_place(message: str, file: str, root: Path, sources: ComposeSources) -> ConfigError | None:
    place = _INTERPOLATING.search(message)
    if place is not None:
        path = _parts(place["path"])
    elif (found := _PLACE.search(message)) is not None:
        path = _parts(found[1])
    elif (service := _SERVICE.search(message) or _CYCLE.search(message)) is not None:
        path = ["services", service[1]]
    else:
        return None
    where, line = locate(path, sources, file)
    return ConfigError(
        "the Compose file is not valid", why=_short(message), file=relative(where, root), line=line
    )


def _by_text(message: str, root: Path, sources: ComposeSources) -> ConfigError | None:
    """The line that has the last word of the message, which is often the value at fault."""
    word = message.split()[-1].strip("\"'.") if message.split() else ""
    found = [
        (file, number)
        for file, text in sources.texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if len(word) > 3 and word in line
    ]
    if len(found) != 1:
        return None
    file, line = found[0]
    return ConfigError(
        "the Compose file is not valid", why=_short(message), file=relative(file, root), line=line
    )


def _parts(path: str) -> list[str]:
    return [part for part in re.split(r"[.\[\]]", path) if part]


def locate(
    path: list[str], sources: ComposeSources, file: str | None = None
) -> tuple[str, int | None]:
    """Finds a key in the Compose files.

    Args:
        path: keys from the top, indexes of lists as text.
        sources: the files.
        file: the one to look into first.

    Returns:
        The file and the line where the most of ``path`` is found.
    """
    file = sources.main[0] if file is None else file
    best: tuple[int, str, int | None] = (0, file, None)
    for candidate in dict.fromkeys((file, *sources.nodes)):
        for document in sources.nodes.get(candidate, ()):
            node: yaml.Node | None = document
            for depth, key in enumerate(path, start=1):
                found = _item(node, key) or entry(node, key)
                if found is None:
                    break
                node = found[1]
                if depth > best[0]:
                    best = (depth, candidate, found[0].start_mark.line + 1)
    return best[1], best[2]


def _item(node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
        return node.value[int(key)], node.value[int(key)]
    return None


def _named_file(message: str, root: Path, sources: ComposeSources) -> str:
    match = _FILE.search(message)
    if match is not None:
        return match[1]
    return sources.main[0] if sources.main else str(root)


def relative(file: str, root: Path) -> str:
    """``file`` relative to the root if it is inside, also through a link."""
    for base in (str(root), os.path.realpath(root)):
        if file.startswith(base + "/"):
            return file[len(base) + 1 :]
    return file


def _short(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = "\n".join(lines[:3])
    match = _VALIDATING.fullmatch(text)
    return match["rest"].strip() if match else text
