"""apt-get with its own sources, state and cache: the machine's package state is not touched.

Works without privileges. Signatures are checked by apt against the keyring that the machine uses
for the same mirror; what is not the distribution's own archive by its signed ``Origin`` is refused.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attune_dev.docker import process
from attune_dev.errors import EnvironmentLacksError
from attune_dev.setup.sources import Distribution, Source

_ORIGINS = {"debian": "Debian", "ubuntu": "Ubuntu"}
_UPDATE_SECONDS = 600.0
_DOWNLOAD_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Offered:
    """A package as a suite offers it.

    Attributes:
        name: package name.
        version: full Debian version, such as ``2.40.3-2``.
    """

    name: str
    version: str

    @property
    def upstream(self) -> str:
        """The version without epoch, Debian revision and repack suffix."""
        return re.sub(r"[+~-].*$", "", self.version.partition(":")[2] or self.version)


class PrivateApt:
    """One suite of the machine's mirror, seen through an apt of our own."""

    def __init__(self, folder: Path, distribution: Distribution, sources: Sequence[Source]) -> None:
        """Lays out the folder.

        Args:
            folder: where sources, state and cache go; made if missing, the caller removes it.
            distribution: whose archive it must be.
            sources: what to read.
        """
        self.folder = folder
        self._distribution = distribution
        for name in ("state/lists/partial", "cache/archives/partial", "log", "downloads"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "status").write_text("")
        (folder / "own.sources").write_text(
            "\n".join(stanza(s, distribution, targets=True) for s in sources)
        )
        (folder / "apt.conf").write_text(_configuration(folder))

    def update(self) -> None:
        """Fetches and verifies the package lists.

        Raises:
            EnvironmentLacksError: the mirror does not answer, a signature does not fit, or the
                archive is not the distribution's.
        """
        done = self._run("apt-get", "update", timeout=_UPDATE_SECONDS)
        trouble = [ln for ln in done.stderr.splitlines() if ln.startswith(("E:", "W:", "Err"))]
        if done.returncode != 0 or any(ln.startswith("E:") for ln in trouble):
            raise EnvironmentLacksError(
                "the package mirror of this machine cannot be read",
                why="\n".join(trouble[:4]) or done.stderr.strip(),
                hint="see that `apt-get update` works on this machine",
            )
        self._check_origin()

    def _check_origin(self) -> None:
        lists = self.folder / "state" / "lists"
        releases = [*lists.glob("*_InRelease"), *lists.glob("*_Release")]
        wanted = _ORIGINS["ubuntu" if self._distribution.is_ubuntu else "debian"]
        for path in releases:
            text = path.read_text(encoding="utf-8", errors="replace")
            origin = re.search(r"^Origin:\s*(.+)$", text, re.MULTILINE)
            if origin is None or origin[1].strip() != wanted:
                raise EnvironmentLacksError(f"the package mirror is not {wanted}'s archive")
        if not releases:
            raise EnvironmentLacksError("the package mirror sent no signed release file")

    def offered(self, name: str) -> Offered | None:
        """What the suite has under this name, ``None`` where it has nothing."""
        done = self._run("apt-cache", "show", "--no-all-versions", name)
        version = re.search(r"^Version:\s*(\S+)$", done.stdout, re.MULTILINE)
        return Offered(name, version[1]) if version and done.ok else None

    def unpack(self, name: str, into: Path) -> None:
        """Downloads a package, checked against the signed lists, and unpacks its files.

        Raises:
            EnvironmentLacksError: it cannot be downloaded or unpacked.
        """
        downloads = self.folder / "downloads"
        done = self._run("apt-get", "download", name, cwd=downloads, timeout=_DOWNLOAD_SECONDS)
        found = sorted(downloads.glob(f"{name}_*.deb"))
        if not done.ok or not found:
            raise EnvironmentLacksError(
                f"the package {name} could not be downloaded", why=done.stderr.strip()
            )
        into.mkdir(parents=True, exist_ok=True)
        process.run(["dpkg-deb", "-x", str(found[-1]), str(into)], timeout=300)
        found[-1].unlink()

    def _run(
        self, program: str, *arguments: str, cwd: Path | None = None, timeout: float = 60.0
    ) -> process.Completed:
        return process.run(
            [program, "-q", "-c", str(self.folder / "apt.conf"), *arguments],
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            timeout=timeout,
            check=False,
        )


def stanza(source: Source, distribution: Distribution, *, targets: bool = False) -> str:
    """A deb822 stanza for a source.

    Args:
        source: what to write.
        distribution: names the keyring where the source names none.
        targets: fetch the package lists alone, no translations, icons or file lists.
    """
    lines = [
        "Types: deb",
        f"URIs: {' '.join(source.uris)}",
        f"Suites: {' '.join(source.suites)}",
        f"Components: {' '.join(source.components)}",
    ]
    if targets:
        lines.append("Targets: Packages")
    signed_by = source.signed_by or default_keyring(distribution)
    if signed_by:
        lines.append("Signed-By: " + signed_by.replace("\n", "\n "))
    return "\n".join(lines) + "\n"


def default_keyring(distribution: Distribution) -> str:
    """The archive keyring where a source names none; empty where the machine has no such file."""
    name = "ubuntu" if distribution.is_ubuntu else "debian"
    for suffix in ("gpg", "pgp"):
        path = Path(f"/usr/share/keyrings/{name}-archive-keyring.{suffix}")
        if path.is_file():
            return str(path)
    return ""


def missing_programs() -> list[str]:
    """Which of the programs that this needs are not on PATH."""
    return [name for name in ("apt-get", "apt-cache", "dpkg-deb") if shutil.which(name) is None]


def _configuration(folder: Path) -> str:
    """Own folders; the machine's proxies and certificates stay, its hooks do not run."""
    return f"""\
Dir::Etc::SourceList "{folder}/own.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{folder}/state";
Dir::State::Lists "{folder}/state/lists";
Dir::State::Status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Cache::Archives "{folder}/cache/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Log "{folder}/log";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Retries "2";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
"""
