"""An engine of a test's own, to be stopped, killed and started without harm to anyone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

START_SECONDS = 60.0


class OwnEngine:
    """A second ``dockerd`` with its own bridge, folders and socket."""

    def __init__(self, folder: Path, bridge: str, data: Path) -> None:
        self.folder = folder
        self.data = data
        self.bridge = bridge
        self.host = f"unix://{folder}/docker.sock"
        self._child: subprocess.Popen[bytes] | None = None
        self._log = (folder / "log").open("ab")

    def start(self) -> None:
        """Starts it and waits until it answers."""
        folder = self.folder
        (folder / "pid").unlink(missing_ok=True)
        (folder / "daemon.json").write_text("{}")
        self._child = subprocess.Popen(
            [
                *("dockerd", "--host", self.host, "--data-root", str(self.data)),
                *("--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid")),
                *("--config-file", str(folder / "daemon.json")),
                *("--bridge", self.bridge, "--iptables=false", "--ip-masq=false"),
                *("--ip-forward=false", "--userland-proxy=false"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        end = time.monotonic() + START_SECONDS
        while self.docker("version", check=False).returncode != 0:
            if self._child.poll() is not None or time.monotonic() > end:
                pytest.skip(f"no second engine here: {(folder / 'log').read_text()[-500:]}")
            time.sleep(0.1)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it, with its containers where it may."""
        if self._child is None:
            return
        self._child.send_signal(number)
        self._child.wait(60)
        self._child = None
        for name in ("containerd.pid", "containerd.sock", "containerd-debug.sock"):
            (self.folder / "exec" / "containerd" / name).unlink(missing_ok=True)

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._child is not None and self._child.poll() is None

    def docker(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs the client on it."""
        environ = os.environ | {"DOCKER_HOST": self.host}
        return subprocess.run(
            ["docker", *words], env=environ, capture_output=True, text=True, check=check
        )

    def close(self) -> None:
        """Leaves nothing of it behind."""
        self.stop()
        self._log.close()
        for mount in sorted(self._mounts(), reverse=True):
            subprocess.run(["umount", "-l", mount], capture_output=True)
        with suppress(OSError):
            shutil.rmtree(self.folder)

    def _mounts(self) -> list[str]:
        lines = Path("/proc/self/mounts").read_text().splitlines()
        ours = (f"{self.folder}/", f"{self.data}/")
        return [line.split()[1] for line in lines if line.split()[1].startswith(ours)]


@contextmanager
def own_engine(folder: Path, *images: str, data: Path | None = None) -> Iterator[OwnEngine]:
    """A running second engine that has some images; skipped where it cannot be.

    Args:
        folder: where all of it is; not there yet.
        images: these it gets from the engine that is there.
        data: where it keeps images and containers, below its folder as a rule.
    """
    if os.geteuid() != 0 or not shutil.which("dockerd") or not shutil.which("ip"):
        pytest.skip("a second engine needs root, dockerd and ip")
    bridge = f"at{os.getpid() % 1_000_000}"
    added = subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], capture_output=True)
    if added.returncode != 0:
        pytest.skip(f"no bridge can be made: {added.stderr!r}")
    folder.mkdir()
    engine = OwnEngine(folder, bridge, data or folder / "data")
    try:
        octet = os.getpid() % 250
        subprocess.run(["ip", "addr", "add", f"10.213.{octet}.1/24", "dev", bridge], check=True)
        subprocess.run(["ip", "link", "set", bridge, "up"], check=True)
        engine.start()
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
            environ = os.environ | {"DOCKER_HOST": engine.host}
            subprocess.run(
                ["docker", "load", "-q"],
                stdin=saved.stdout,
                env=environ,
                check=True,
                capture_output=True,
            )
        yield engine
    finally:
        engine.close()
        subprocess.run(["ip", "link", "delete", bridge], capture_output=True)
