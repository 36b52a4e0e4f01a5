"""Stand-ins for the official base images, where no image registry answers.

They have names of their own and labels, so that nobody takes one for the official image: a network
that fails now and then must not leave a fake ``debian`` or ``rust`` on someone's machine.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from attune_dev.docker import process
from attune_dev.errors import EnvironmentLacksError
from attune_dev.setup import images
from attune_dev.setup.certificates import missing_from
from attune_dev.setup.places import work_folder
from attune_dev.setup.report import Say
from attune_dev.setup.rootfs import make_rootfs
from attune_dev.setup.sources import Distribution
from attune_dev.setup.toolchain import Toolchain, copy_toolchain, find_toolchain

LABEL = "dev.attune.standin"
LABEL_FOR = "dev.attune.standin.for"
_PREFIX = "attune-dev/standin-"
_OFFICIAL = re.compile(
    r"^(?:docker\.io/)?(?:library/)?(?:"
    r"debian:(?P<debian>[a-z]+)-slim|"
    r"rust:(?P<version>[0-9]+(?:\.[0-9]+){0,2})-(?P<suite>[a-z]+))$"
)
_RUST_PACKAGES = (
    "ca-certificates",
    "curl",
    "g++",
    "gcc",
    "git",
    "libc6-dev",
    "libssl-dev",
    "make",
    "pkg-config",
    "xz-utils",
    "zlib1g-dev",
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class StandIn:
    """A stand-in that can be made.

    Attributes:
        official: the image that it stands for.
        name: its own.
        suite: Debian suite that it is made from.
        rust: Rust version, empty for plain Debian.
    """

    official: str
    name: str
    suite: str
    rust: str = ""


def stand_in_for(official: str) -> StandIn | None:
    """What would stand for an image; ``None`` where we know no way to make one."""
    match = _OFFICIAL.match(official)
    if match is None:
        return None
    tag = official.rpartition(":")[2]
    if match["debian"]:
        return StandIn(official, f"{_PREFIX}debian:{tag}", match["debian"])
    return StandIn(official, f"{_PREFIX}rust:{tag}", match["suite"], rust=match["version"])


def make(standin: StandIn, distribution: Distribution, architecture: str, say: Say) -> None:
    """Makes a stand-in; its name is given last, so that a half-made one is never used.

    Args:
        standin: which one.
        distribution: of this machine.
        architecture: of the engine, as ``docker info`` says it.
        say: tells the user what is done and how long it takes.

    Raises:
        EnvironmentLacksError: the machine lacks the toolchain, root, mmdebstrap or a mirror.
    """
    if architecture and architecture != os.uname().machine:
        raise EnvironmentLacksError(
            f"no image registry answers, and {standin.official} cannot be made here",
            why=f"the engine is {architecture}, this machine {os.uname().machine}",
            hint=f"`docker load` {standin.official} into the engine",
        )
    started = time.monotonic()
    with work_folder("standin") as work:
        if standin.rust:
            _make_rust(standin, distribution, work, say)
        else:
            _make_debian(standin, distribution, work, say)
    images.require_local(standin.name)
    say(f"made {standin.name} ({time.monotonic() - started:.0f} s)")


def _labels(standin: StandIn) -> list[str]:
    return [f'LABEL {LABEL}="true"', f'LABEL {LABEL_FOR}="{standin.official}"']


def _changes(lines: list[str]) -> list[str]:
    return [word for line in lines for word in ("--change", line)]


def _make_debian(standin: StandIn, distribution: Distribution, work: Path, say: Say) -> None:
    say(
        f"no image registry answers: making {standin.name} from Debian's packages"
        " (about 1 min, once)"
    )
    root = work / "rootfs"
    make_rootfs(root, standin.suite, distribution, work, say)
    archive = work / "rootfs.tar"
    process.run(
        ["tar", "--numeric-owner", "--sort=name", "-C", str(root), "-cf", str(archive), "."],
        timeout=600,
    )
    changes = ['CMD ["bash"]', f"ENV PATH={_PATH}", *_labels(standin)]
    process.run(["docker", "import", *_changes(changes), str(archive), standin.name], timeout=600)


def _make_rust(standin: StandIn, distribution: Distribution, work: Path, say: Say) -> None:
    """Debian with a C compiler, and the machine's toolchain where the official one is."""
    toolchain = find_toolchain(standin.rust)
    say(
        f"no image registry answers: making {standin.name} from Rust {toolchain.version} of this"
        " machine (2 to 3 min, once)"
    )
    base = _debian_base(standin.suite, distribution, say)
    home = f"/usr/local/rustup/toolchains/{toolchain.name}"
    copy_toolchain(toolchain, work / "toolchain")
    script = "\n".join(
        (
            "set -e",
            "apt-get update -q",
            f"apt-get install -qy --no-install-recommends {' '.join(_RUST_PACKAGES)}",
            "rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt/*",
            "update-ca-certificates",
            f"mkdir -p {home} /usr/local/cargo/bin",
            *(
                f"ln -s {home}/bin/{tool} /usr/local/cargo/bin/{tool}"
                for tool in sorted(path.name for path in (work / "toolchain" / "bin").iterdir())
            ),
            "chmod -R a+w /usr/local/cargo",
        )
    )
    container = _container()
    _remove(container)  # what a killed set-up has left
    try:
        process.run(["docker", "create", "--name", container, base, "sh", "-c", script])
        if not base.startswith(_PREFIX):
            _bring_authorities(container, work / "authorities")
        _run_to_end(container)
        process.run(["docker", "cp", f"{work}/toolchain/.", f"{container}:{home}"], timeout=900)
        _commit(container, standin, toolchain)
    finally:
        _remove(container)


def _container() -> str:
    """The container that this user's set-up works in, of which a lock allows one at a time.

    It has no label: a commit would carry it into the image, and from there into containers.
    """
    machine = re.sub(r"[^A-Za-z0-9]+", "-", os.uname().nodename)
    return f"attune-dev-standin-{machine}-{os.geteuid()}"


def _remove(container: str) -> None:
    process.run(["docker", "rm", "-f", "-v", container], check=False, timeout=120)


def _bring_authorities(container: str, folder: Path) -> None:
    """The official image knows nothing of the machine's authorities; the stand-in does."""
    folder.mkdir()
    for digest, pem in missing_from("").items():
        (folder / f"machine-{digest}.crt").write_text(pem)
    goal = f"{container}:/usr/local/share/ca-certificates"
    process.run(["docker", "cp", f"{folder}/.", goal], check=False, timeout=60)


def _debian_base(suite: str, distribution: Distribution, say: Say) -> str:
    """The official slim image where it is there, else its stand-in, made now if need be."""
    official = f"debian:{suite}-slim"
    standin = StandIn(official, f"{_PREFIX}debian:{suite}-slim", suite)
    for name in (standin.official, standin.name):
        if images.is_present(name):
            return name
    make(standin, distribution, "", say)
    return standin.name


def _run_to_end(container: str) -> None:
    done = process.run(["docker", "start", "-a", container], check=False, timeout=1800)
    if not done.ok:
        raise EnvironmentLacksError(
            "packages could not be installed in a container",
            why="\n".join((done.stderr or done.stdout).strip().splitlines()[-6:]),
            hint="see that containers reach the package mirror (proxy, DNS, MTU of the engine)",
        )


def _commit(container: str, standin: StandIn, toolchain: Toolchain) -> None:
    changes = [
        'CMD ["bash"]',
        "ENV RUSTUP_HOME=/usr/local/rustup",
        "ENV CARGO_HOME=/usr/local/cargo",
        f"ENV PATH=/usr/local/cargo/bin:{_PATH}",
        f"ENV RUST_VERSION={toolchain.version}",
        *_labels(standin),
    ]
    process.run(["docker", "commit", *_changes(changes), container, standin.name], timeout=900)
