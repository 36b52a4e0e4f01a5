"""File systems on which the kernel does not tell of changes made elsewhere."""

from __future__ import annotations

from pathlib import Path

DEAF = frozenset(
    {
        "9p",
        "afs",
        "ceph",
        "cifs",
        "drvfs",
        "fuse.glusterfs",
        "fuse.osxfs",
        "fuse.grpcfuse",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "fuse.vmhgfs-fuse",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "prl_fs",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
    }
)


def deaf_file_system(root: Path, mountinfo: str | None = None) -> str:
    """The type of the file system a folder lies on, where it gives no events; else empty.

    Args:
        root: the folder, resolved.
        mountinfo: text of ``/proc/self/mountinfo``; read where it is ``None``.
    """
    if mountinfo is None:
        try:
            mountinfo = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
        except OSError:
            return ""
    best, kind = "", ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        words = left.split()
        if len(words) < 5 or not right:
            continue
        point = _unescaped(words[4])
        if len(point) >= len(best) and _holds(point, str(root)):
            best, kind = point, right.split()[0]
    return kind if kind in DEAF else ""


def _holds(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")


def _unescaped(point: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, character)
    return point
