"""The client plugins Compose and buildx: whether they fit, and where to get them from.

They come from the distribution's signed packages and go into the per-user plugin folder.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from attune_dev.docker import process
from attune_dev.errors import AttuneDevError, EnvironmentLacksError
from attune_dev.setup.apt import PrivateApt, missing_programs
from attune_dev.setup.engine import Engine, Plugin
from attune_dev.setup.places import plugin_folder, work_folder
from attune_dev.setup.report import Item, Say, State
from attune_dev.setup.sources import (
    Distribution,
    Source,
    archive_sources,
    machine_distribution,
    main_mirror,
    read_machine_sources,
)
from attune_dev.setup.versions import (
    BUILDX_MINIMUM,
    COMPOSE_MINIMUM,
    Version,
    buildx_minimum,
    parse_version,
    works_together,
)

SUITE_VARIABLE = "ATTUNE_DEV_PLUGIN_SUITE"
PLUGINS = ("buildx", "compose")
"""In the order of placing: Compose without buildx falls silently to the legacy builder."""

_NEWEST_FIRST = ("sid", "testing", "stable")
_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "compose": ("docker-compose-v2", "docker-compose"),
    "buildx": ("docker-buildx",),
}
_INSTALL_HELP = "install the Compose plugin (>= {compose}) and buildx (>= {buildx})"


def plugin_items(engine: Engine) -> tuple[Item, Item]:
    """Judges the plugins that the client sees, and whether they fit each other."""
    compose = _version(engine.plugins.get("compose"))
    buildx = _version(engine.plugins.get("buildx"))
    return (
        _item("compose", engine.plugins.get("compose"), compose, COMPOSE_MINIMUM, ""),
        _item(
            "buildx",
            engine.plugins.get("buildx"),
            buildx,
            buildx_minimum(compose),
            f"Compose {compose} works with it from there on"
            if buildx_minimum(compose) > BUILDX_MINIMUM
            else "without it Compose silently uses the legacy builder, which has no cache mounts",
        ),
    )


def _version(plugin: Plugin | None) -> Version | None:
    return parse_version(plugin.version) if plugin else None


def _item(
    name: str, plugin: Plugin | None, version: Version | None, minimum: Version, reason: str
) -> Item:
    needed = f">= {minimum.short}"
    if version is not None and version >= minimum:
        return Item(name, State.OK, found=str(version), needed=needed)
    hint = "inv setup"
    if plugin is None:
        return Item(name, State.MISSING, needed=needed, why=reason, hint=hint)
    if version is None:
        why = f"{plugin.path} does not start"
        return Item(name, State.MISSING, needed=needed, why=why, hint=hint)
    return Item(name, State.TOO_OLD, found=str(version), needed=needed, why=reason, hint=hint)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A plugin program taken out of a package, which has started here."""

    name: str
    program: Path
    version: Version


def ensure_plugins(engine: Engine, say: Say) -> None:
    """Places what is missing or too old into the per-user plugin folder.

    Nothing else of the user's Docker configuration is touched. What is good is left alone.

    Args:
        engine: what the client sees now.
        say: tells the user what is done.

    Raises:
        EnvironmentLacksError: the plugins cannot be had here; it says what to install.
    """
    lacking = [item for item in plugin_items(engine) if not item.ok]
    if not lacking:
        return
    wanted = [name for name in PLUGINS if any(item.name == name for item in lacking)]
    _refuse_to_overwrite(engine, wanted)
    distribution = machine_distribution()
    mirror = _mirror(distribution, lacking)
    say(f"getting {' and '.join(wanted)} from the distribution's packages (about 30 s, once)")
    started = time.monotonic()
    kept = {n: v for n in PLUGINS if n not in wanted if (v := _version(engine.plugins.get(n)))}
    tried: list[str] = []
    for suite in _suites(distribution):
        with work_folder("plugins") as folder:
            found = _from_suite(folder, distribution, mirror, suite, wanted, tried)
            have = {**kept, **{c.name: c.version for c in found}}
            if not works_together(have.get("compose"), have.get("buildx")):
                continue
            for candidate in found:
                _place(candidate)
            told = ", ".join(f"{c.name} {c.version}" for c in found)
            seconds = time.monotonic() - started
            say(f"placed {told} from {suite} in {plugin_folder()} ({seconds:.0f} s)")
            return
    raise _cannot("no suite of this machine's mirror has a pair that works here", "\n".join(tried))


def _refuse_to_overwrite(engine: Engine, wanted: Sequence[str]) -> None:
    """A plugin that the user has put there is the user's to replace."""
    for name in wanted:
        plugin = engine.plugins.get(name)
        path = plugin_folder() / f"docker-{name}"
        if plugin is not None and path.exists():
            raise EnvironmentLacksError(
                f"the {name} plugin {path} is too old or does not start",
                why=f"found {plugin.version or 'no version'}; it is yours, so it stays as it is",
                hint=f"update it, or remove it and run `inv setup`: rm {path}",
            )


def _mirror(distribution: Distribution, lacking: Sequence[Item]) -> Source:
    names = " and ".join(item.name for item in lacking)
    if not distribution.is_debian_family:
        raise _cannot(f"{names} lacking", "this is no Debian-family system")
    if missing := missing_programs():
        raise _cannot(f"{names} lacking", f"{', '.join(missing)} not found on PATH")
    own = archive_sources(read_machine_sources(), distribution.codename)
    mirror = main_mirror(own, distribution.codename)
    if mirror is None:
        raise _cannot(f"{names} lacking", "no source of the distribution's archive in /etc/apt")
    return mirror


def _cannot(what: str, why: str) -> EnvironmentLacksError:
    return EnvironmentLacksError(
        what,
        why=why,
        hint=_INSTALL_HELP.format(compose=COMPOSE_MINIMUM.short, buildx=BUILDX_MINIMUM.short)
        + ": https://docs.docker.com/compose/install/linux/",
    )


def _suites(distribution: Distribution) -> list[str]:
    """The installed suite, then, on Debian, newer ones by their lasting names, newest first."""
    chosen = os.environ.get(SUITE_VARIABLE, "").strip()
    if chosen:
        return [chosen]
    installed = distribution.codename or "sid"
    if distribution.is_ubuntu:
        return [f"{installed}-updates", installed]
    return [installed, *(suite for suite in _NEWEST_FIRST if suite != installed)]


def _from_suite(
    folder: Path,
    distribution: Distribution,
    mirror: Source,
    suite: str,
    wanted: Sequence[str],
    tried: list[str],
) -> list[_Candidate]:
    """What of ``wanted`` this suite has that is new enough and starts here."""
    components = ("main", "universe") if distribution.is_ubuntu else ("main",)
    source = Source(mirror.uris, (suite,), components, mirror.signed_by)
    found: list[_Candidate] = []
    try:
        apt = PrivateApt(folder, distribution, [source])
        apt.update()
        for name in wanted:
            candidate = _candidate(apt, name, folder / "unpacked" / name)
            if candidate is None:
                tried.append(f"{suite}: no {name} that is new enough and starts here")
            else:
                found.append(candidate)
    except AttuneDevError as problem:
        tried.append(f"{suite}: {problem.what} {problem.why}".strip())
    return found


def _candidate(apt: PrivateApt, name: str, into: Path) -> _Candidate | None:
    minimum = COMPOSE_MINIMUM if name == "compose" else BUILDX_MINIMUM
    for package in _PACKAGES[name]:
        offered = apt.offered(package)
        version = parse_version(offered.upstream) if offered else None
        if version is None or version < minimum:
            continue
        apt.unpack(package, into)
        for program in sorted(into.glob(f"usr/lib*/docker/cli-plugins/docker-{name}")):
            if starts(program, name):
                return _Candidate(name, program, version)
    return None


def starts(program: Path, name: str) -> bool:
    """Whether a plugin program runs on this machine: the C library fits, the file is whole."""
    arguments = ["version"] if name == "buildx" else ["version", "--short"]
    try:
        done = process.run([str(program), *arguments], check=False, timeout=30)
    except (AttuneDevError, OSError):
        return False
    return done.ok and parse_version(done.stdout) is not None


def _place(candidate: _Candidate) -> None:
    """Writes beside, then renames: a client that starts meanwhile sees the old or the new."""
    folder = plugin_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    goal = folder / f"docker-{candidate.name}"
    beside = folder / f".docker-{candidate.name}.{os.getpid()}"
    try:
        shutil.copyfile(candidate.program, beside)
        beside.chmod(0o755)
        beside.replace(goal)
    finally:
        beside.unlink(missing_ok=True)
