"""A small Debian root file system from the machine's mirror, made with mmdebstrap."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from attune_dev.docker import process
from attune_dev.errors import AttuneDevError, EnvironmentLacksError
from attune_dev.setup.apt import PrivateApt, default_keyring, stanza
from attune_dev.setup.certificates import missing_from
from attune_dev.setup.report import Say
from attune_dev.setup.sources import (
    Distribution,
    Source,
    archive_sources,
    for_suite,
    main_mirror,
    read_machine_sources,
)

_SECONDS = 1800.0
_SLIM = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/groff/*",
    "path-exclude=/usr/share/lintian/*",
    "force-unsafe-io",
)
_APART = ("unshare", "--mount", "--")
"""Its mounts end with it, however it ends, so that removing the folder can never reach them."""

_CONFIGURATION: Mapping[str, str] = {
    "etc/apt/apt.conf.d/docker-clean": (
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb'
        ' /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };\n'
        'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
    ),
    "etc/apt/apt.conf.d/docker-no-languages": 'Acquire::Languages "none";\n',
    "usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",
}
"""As in the official image: small layers, and no service is started in a build."""


def make_rootfs(folder: Path, suite: str, distribution: Distribution, work: Path, say: Say) -> None:
    """Makes the root file system of ``debian:<suite>-slim`` with certificates.

    Args:
        folder: where it goes; must not exist.
        suite: Debian suite, such as ``bookworm``.
        distribution: of this machine.
        work: for temporary files.
        say: tells the user what is done.

    Raises:
        EnvironmentLacksError: no root, no mirror, or mmdebstrap cannot be had or fails.
    """
    if os.geteuid() != 0:
        raise EnvironmentLacksError(
            "making a base image needs root",
            why="no image registry answers, and a root file system has files of several owners",
            hint="run once as root: sudo ./inv setup  (or pull on a network with a registry)",
        )
    sources = debian_sources(distribution, suite)
    program = _mmdebstrap(distribution, work, say)
    (work / "image.sources").write_text("\n".join(stanza(s, distribution) for s in sources))
    options = ["--mode=root", "--variant=minbase", "--format=directory", "--quiet"]
    options += ["--include=ca-certificates"]
    options += [f"--dpkgopt={option}" for option in _SLIM]
    done = process.run(
        [*_APART, str(program), *options, suite, str(folder), str(work / "image.sources")],
        env={**os.environ, "PATH": f"{program.parent}:{os.environ.get('PATH', os.defpath)}"},
        timeout=_SECONDS,
        check=False,
    )
    if not done.ok:
        raise EnvironmentLacksError(
            f"mmdebstrap could not make a {suite} root file system",
            why="\n".join((done.stderr or done.stdout).strip().splitlines()[-6:]),
            hint="see that `apt-get update` works on this machine and chroot is allowed",
        )
    _finish(folder, sources, distribution)


def debian_sources(distribution: Distribution, suite: str) -> list[Source]:
    """Sources for a Debian suite on the machine's mirror, with updates and security if it has them.

    Raises:
        EnvironmentLacksError: the machine uses no Debian mirror.
    """
    own = (
        []
        if distribution.is_ubuntu
        else archive_sources(read_machine_sources(), distribution.codename)
    )
    mirror = main_mirror(own, distribution.codename)
    if mirror is None:
        raise EnvironmentLacksError(
            "no image registry answers, and this machine has no Debian mirror to make"
            f" debian:{suite} from",
            hint=f"pull it on a network with a registry, or `docker load` it: debian:{suite}-slim",
        )
    same = for_suite(own, distribution.codename, suite)
    return same or [Source(mirror.uris, (suite,), ("main",), mirror.signed_by)]


def _mmdebstrap(distribution: Distribution, work: Path, say: Say) -> Path:
    """The installed program, else one from its package that is kept only while it is needed."""
    installed = shutil.which("mmdebstrap")
    if installed:
        return Path(installed)
    perl = process.run(["perl", "-MPod::Usage", "-MEnglish", "-e", "1"], check=False)
    if not perl.ok:
        raise EnvironmentLacksError(
            "mmdebstrap is missing, and perl is not complete enough to run it",
            hint="apt-get install mmdebstrap, then `inv setup`",
        )
    say("getting mmdebstrap from the distribution's packages (about 10 s)")
    mirror = main_mirror(read_machine_sources(), distribution.codename)
    if mirror is None:
        raise EnvironmentLacksError(
            "mmdebstrap is missing", hint="apt-get install mmdebstrap, then `inv setup`"
        )
    suite = distribution.codename or "sid"
    components = ("main", "universe") if distribution.is_ubuntu else ("main",)
    apt = PrivateApt(
        work / "apt",
        distribution,
        [Source(mirror.uris, (suite,), components, mirror.signed_by)],
    )
    try:
        apt.update()
        apt.unpack("mmdebstrap", work / "mmdebstrap")
    except AttuneDevError as problem:
        raise EnvironmentLacksError(
            "mmdebstrap is missing and could not be fetched",
            why=f"{problem.what}\n{problem.why}".strip(),
            hint="apt-get install mmdebstrap, then `inv setup`",
        ) from None
    return work / "mmdebstrap" / "usr" / "bin" / "mmdebstrap"


def _finish(folder: Path, sources: list[Source], distribution: Distribution) -> None:
    """What a container needs to behave like the official image, plus the machine's authorities."""
    lists = folder / "etc/apt/sources.list.d"
    for path in lists.iterdir():
        path.unlink()
    (lists / "debian.sources").write_text("\n".join(stanza(s, distribution) for s in sources))
    for name in {source.signed_by or default_keyring(distribution) for source in sources}:
        goal = folder / name.lstrip("/")
        if name.startswith("/") and not goal.exists():
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, goal)
    for name, text in _CONFIGURATION.items():
        (folder / name).write_text(text)
    (folder / "usr/sbin/policy-rc.d").chmod(0o755)
    for name in ("etc/hostname", "etc/resolv.conf"):
        (folder / name).unlink(missing_ok=True)
    _add_authorities(folder)


def _add_authorities(folder: Path) -> None:
    bundle = folder / "etc/ssl/certs/ca-certificates.crt"
    extra = missing_from(bundle.read_text(encoding="utf-8") if bundle.is_file() else "")
    if not extra:
        return
    own = folder / "usr/local/share/ca-certificates"
    own.mkdir(parents=True, exist_ok=True)
    for digest, pem in extra.items():
        (own / f"machine-{digest}.crt").write_text(pem)
    process.run(["chroot", str(folder), "update-ca-certificates"], timeout=120)
