"""The machine's own package sources: which mirror it uses and whose signatures it trusts.

Both formats of apt are read (``sources.list(5)``): one line per source, and deb822 stanzas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

_OPTION = re.compile(r"([A-Za-z-]+)[+-]?=(\S+)")
_ALIASES = frozenset({"stable", "oldstable", "testing", "unstable", "sid"})
_DISABLED = {"no", "false", "0", "off"}


@dataclass(frozen=True, slots=True)
class Source:
    """One package source, for binary packages.

    Attributes:
        uris: mirror addresses.
        suites: suite names (``bookworm``, ``bookworm-updates``), or a path ending in ``/``.
        components: ``main`` and the like.
        signed_by: keyring path, armoured key block, or empty for the keys apt trusts anyway.
    """

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """What ``/etc/os-release`` says.

    Attributes:
        name: ``ID``, such as ``debian`` or ``ubuntu``.
        family: ``ID`` and the words of ``ID_LIKE``.
        codename: ``VERSION_CODENAME``; empty where there is none (sid).
    """

    name: str
    family: tuple[str, ...]
    codename: str

    @property
    def is_debian_family(self) -> bool:
        """Whether apt and Debian's package names can be expected."""
        return "debian" in self.family or "ubuntu" in self.family

    @property
    def is_ubuntu(self) -> bool:
        """Whether the archive is Ubuntu's."""
        return "ubuntu" in self.family


def parse_os_release(text: str) -> Distribution:
    """Reads ``os-release(5)``."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator:
            values[key.strip()] = value.strip().strip("\"'")
    name = values.get("ID", "")
    codename = values.get("UBUNTU_CODENAME") or values.get("VERSION_CODENAME", "")
    return Distribution(name, (name, *values.get("ID_LIKE", "").split()), codename)


def machine_distribution() -> Distribution:
    """The distribution of this machine; one without a name where there is no ``os-release``."""
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        if path.is_file():
            return parse_os_release(_text(path))
    return Distribution("", (), "")


def parse_one_line(text: str) -> list[Source]:
    """Reads the format ``deb [options] uri suite component…``; other lines are passed over."""
    found = []
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].strip()
        kind, _, rest = line.partition(" ")
        if kind != "deb":
            continue
        rest = rest.strip()
        options: dict[str, str] = {}
        if rest.startswith("["):
            inside, closed, rest = rest[1:].partition("]")
            if not closed:
                continue
            options = {key.lower(): value for key, value in _OPTION.findall(inside)}
        words = rest.split()
        if len(words) >= 2 and not words[0].startswith("cdrom:"):
            keyring = options.get("signed-by", "")
            found.append(Source((words[0],), (words[1],), tuple(words[2:]), keyring))
    return found


def parse_deb822(text: str) -> list[Source]:
    """Reads stanzas of ``.sources`` files; disabled ones are passed over."""
    found = []
    for fields in _stanzas(text):
        if "deb" not in fields.get("types", "").split():
            continue
        if fields.get("enabled", "yes").strip().lower() in _DISABLED:
            continue
        uris, suites = fields.get("uris", "").split(), fields.get("suites", "").split()
        if uris and suites:
            components = tuple(fields.get("components", "").split())
            signed_by = fields.get("signed-by", "").strip()
            found.append(Source(tuple(uris), tuple(suites), components, signed_by))
    return found


def _stanzas(text: str) -> list[Mapping[str, str]]:
    stanzas: list[dict[str, str]] = [{}]
    last = ""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if not line.strip():
            stanzas.append({})
            last = ""
        elif line[0] in " \t" and last:
            stanzas[-1][last] += "\n" + line.strip()
        elif ":" in line:
            key, _, value = line.partition(":")
            last = key.strip().lower()
            stanzas[-1][last] = value.strip()
    return [stanza for stanza in stanzas if stanza]


def read_machine_sources(etc: Path = Path("/etc/apt")) -> list[Source]:
    """Every source that apt on this machine would use, in apt's order."""
    lists = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]
    found = [s for path in lists for s in parse_one_line(_text(path))]
    for path in sorted((etc / "sources.list.d").glob("*.sources")):
        found += parse_deb822(_text(path))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def archive_sources(sources: Iterable[Source], codename: str) -> list[Source]:
    """The sources that can be the distribution's own: its suite (or a pocket of it) and ``main``.

    A third party may look the same; its signed ``Origin`` tells later.

    Args:
        sources: all sources of the machine.
        codename: of the installed release; empty stands for an unreleased one.
    """
    names = {codename, *_ALIASES}
    return [
        source
        for source in sources
        if "main" in source.components
        and any(suite.split("-")[0].split("/")[0] in names for suite in source.suites)
    ]


def main_mirror(sources: Iterable[Source], codename: str) -> Source | None:
    """The first source of a main suite itself, of the installed release if there is one."""
    found = list(sources)
    for wanted in ({codename}, _ALIASES):
        for source in found:
            if wanted & set(source.suites):
                return source
    return None


def for_suite(sources: Iterable[Source], codename: str, suite: str) -> list[Source]:
    """The same mirror with another suite and its pockets (updates, security).

    Args:
        sources: the distribution's own, as this machine has them.
        codename: of the installed release.
        suite: the one wanted; may be the installed one.

    Returns:
        Nothing where no source names the installed release by its codename.
    """
    found = []
    for source in sources:
        suites = tuple(
            suite + name[len(codename) :]
            for name in source.suites
            if codename and name.partition("-")[0].partition("/")[0] == codename
        )
        if suites:
            found.append(replace(source, suites=suites, components=("main",)))
    return found
